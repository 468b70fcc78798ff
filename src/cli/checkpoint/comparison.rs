//! Printing what is different between two checkpoints, or between one and the files as they are.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::checkpoint::changes::{Change, counts};
use crate::checkpoint::plan::is_wanted;
use crate::checkpoint::select::Reason;
use crate::checkpoint::{Home, Limits, Named, Reading, Record};
use crate::cli::error::CliError;
use crate::cli::page::{Form, Page};
use crate::cli::reading::Reader;
use crate::egress::clean_patch;
use crate::environment::Environment;
use crate::session::SessionId;
use crate::session::metadata::SCHEMA_VERSION;
use crate::view::changes::{Changes, change_json, patch_line};

/// The most lines of a list that an agent gets.
const LINES_FOR_AGENTS: usize = 200;
/// The longest patch that is shown.
const PATCH_BYTES: usize = 16 << 20;
/// The longest that an agent gets.
const PATCH_FOR_AGENTS_BYTES: usize = 256 << 10;
/// Lines around a change, as git has it.
const CONTEXT: u32 = 3;
/// The same where secrets are looked for: the beginning of a key may stand above what changed in it.
const CONTEXT_OF_SECRETS: u32 = 80;

/// What is compared.
pub(in crate::cli) struct Subject<'a> {
    pub(in crate::cli) home: &'a Home,
    pub(in crate::cli) id: &'a SessionId,
    /// The earlier one.
    pub(in crate::cli) from: &'a Named,
    /// The later one; none is the files as they are now.
    pub(in crate::cli) to: Option<&'a Named>,
    /// What looking at the files may cost.
    pub(in crate::cli) limits: Limits,
    /// Only these paths, unless there are none.
    pub(in crate::cli) wanted: &'a [Vec<u8>],
}

/// How it is printed.
#[derive(Clone, Copy)]
pub(in crate::cli) struct Manner {
    pub(in crate::cli) as_patch: bool,
    pub(in crate::cli) form: Form,
}

/// A path as it may be shown.
pub(in crate::cli) fn path_text(reader: &Reader) -> impl Fn(&[u8]) -> String + '_ {
    |path| reader.leaving_text(&String::from_utf8_lossy(path))
}

/// Prints it; gives how many paths are different.
pub(in crate::cli) fn show_changes(
    reader: &Reader,
    subject: &Subject<'_>,
    manner: Manner,
    page: &mut Page,
    environment: &Environment,
) -> Result<usize, CliError> {
    let comparison = Comparison::of(reader, subject, environment)?;
    if manner.form == Form::Json {
        page.json(&comparison.to_json(manner)?)?;
        writeln!(page)?;
        return Ok(comparison.changes.len());
    }
    match manner.as_patch {
        true => comparison.write_patch(page)?,
        false => comparison.write_list(page)?,
    }
    let count = comparison.left_out().len();
    if count > 0 {
        page.note(format!(
            "{count} paths are in no checkpoint: too large, unreadable, or repositories; --json names them"
        ));
    }
    Ok(comparison.changes.len())
}

/// What is different between the earlier one and the later one.
struct Comparison<'a> {
    reader: &'a Reader,
    subject: &'a Subject<'a>,
    reading: Reading,
    trees: [String; 2],
    records: [Record; 2],
    /// What the later one is called.
    to_name: String,
    changes: Vec<Change>,
}

impl<'a> Comparison<'a> {
    fn of(
        reader: &'a Reader,
        subject: &'a Subject<'a>,
        environment: &Environment,
    ) -> Result<Self, CliError> {
        let reading = subject.home.read(environment);
        let from = reading.checkpoint(&subject.from.commit)?;
        let (to_tree, to_record, to_name) = match subject.to {
            Some(named) => {
                let to = reading.checkpoint(&named.commit)?;
                (to.tree, to.record, named.phase.to_string())
            }
            None => {
                let now = subject
                    .home
                    .take(environment, subject.limits, Some(&from.tree))?;
                (now.tree, now.record, "now".to_owned())
            }
        };
        let sides = [(&*from.tree, &from.record), (&*to_tree, &to_record)];
        let mut changes = subject.home.told(environment, sides[0], sides[1])?;
        changes.retain(|change| is_wanted(&change.path, subject.wanted));
        Ok(Self {
            reader,
            subject,
            reading,
            trees: [from.tree, to_tree],
            records: [from.record, to_record],
            to_name,
            changes,
        })
    }

    /// What is in neither, each path once.
    fn left_out(&self) -> BTreeMap<&[u8], Reason> {
        let left_out = self.records.iter().flat_map(|record| &record.left_out);
        left_out
            .map(|(path, reason)| (path.as_slice(), *reason))
            .collect()
    }

    fn to_json(&self, manner: Manner) -> Result<Value, CliError> {
        let path = path_text(self.reader);
        let left_out = self.left_out().into_iter();
        let left_out: Vec<Value> = left_out
            .map(|(left, reason)| json!({"path": path(left), "reason": reason.name()}))
            .collect();
        let changes = self.changes.iter();
        let mut document = json!({
            "schema_version": SCHEMA_VERSION,
            "session_id": self.subject.id,
            "from": self.subject.from.phase.to_string(),
            "to": self.to_name,
            "counts": counts(&self.changes),
            "changes": changes.map(|it| change_json(it, &path)).collect::<Vec<Value>>(),
            "left_out": left_out,
        });
        if manner.as_patch {
            let (text, is_cut) = self.patch(PATCH_BYTES)?;
            document["patch"] = text.into();
            document["patch_cut"] = is_cut.into();
        }
        Ok(document)
    }

    fn write_patch(&self, page: &mut Page) -> Result<(), CliError> {
        let most = match page.is_framed() {
            true => PATCH_FOR_AGENTS_BYTES,
            false => PATCH_BYTES,
        };
        let (text, is_cut) = self.patch(most)?;
        for line in text.lines() {
            writeln!(page, "{}", patch_line(line, page.palette, page.audience))?;
            if !page.is_read() {
                break;
            }
        }
        if is_cut {
            page.note(format!(
                "the patch is longer than {} KiB; name paths to see the rest",
                most >> 10
            ));
        }
        note_permissions(&self.changes, page);
        Ok(())
    }

    fn write_list(&self, page: &mut Page) -> Result<(), CliError> {
        let path = path_text(self.reader);
        let view = Changes {
            changes: &self.changes,
            most: match page.is_framed() {
                true => LINES_FOR_AGENTS,
                false => usize::MAX,
            },
            path: &path,
            palette: page.palette,
            audience: page.audience,
        };
        let text = view.to_string();
        page.write_all(text.as_bytes())?;
        if self.changes.is_empty() {
            writeln!(page, "no changes")?;
        } else {
            writeln!(page, "{}", counts(&self.changes))?;
        }
        Ok(())
    }

    /// A patch as it may be shown, and whether its end is missing.
    fn patch(&self, most: usize) -> Result<(String, bool), CliError> {
        let [from, to] = &self.trees;
        let context = match self.reader.is_guarded() {
            true => CONTEXT_OF_SECRETS,
            false => CONTEXT,
        };
        let mut bytes = Vec::new();
        let mut take = |piece: &[u8]| {
            let room = most.saturating_sub(bytes.len());
            bytes.extend_from_slice(&piece[..piece.len().min(room)]);
            match room < piece.len() {
                true => Err(io::ErrorKind::FileTooLarge.into()),
                false => Ok(()),
            }
        };
        let wanted = self.subject.wanted;
        let read = self.reading.patch([from, to], wanted, context, &mut take);
        let is_cut = bytes.len() >= most;
        match read {
            Err(_) if is_cut => {}
            read => read?,
        }
        if is_cut {
            // Half a line may be half a secret.
            let end = memchr::memrchr(b'\n', &bytes).map_or(0, |end| end + 1);
            bytes.truncate(end);
        }
        let text = String::from_utf8_lossy(&bytes);
        Ok(match self.reader.guard() {
            Some(guard) => (clean_patch(&text, guard), is_cut),
            None => (text.into_owned(), is_cut),
        })
    }
}

/// A patch does not show permissions that git doesn't keep.
fn note_permissions(changes: &[Change], page: &mut Page) {
    let count = changes.iter().filter(|it| it.permissions.is_some()).count();
    if count > 0 {
        page.note(format!(
            "{count} files have other permissions; without --diff, or with --json, they are named"
        ));
    }
}
