//! Printing what is different between two checkpoints, or between one and the files as they are.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::checkpoint::changes::{Change, counts};
use crate::checkpoint::plan::is_wanted;
use crate::checkpoint::select::Reason;
use crate::checkpoint::{Home, Limits, Named};
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
    // Of both, and each path once.
    let left_out = from.record.left_out.iter().chain(&to_record.left_out);
    let left_out: BTreeMap<&[u8], Reason> = left_out
        .map(|(path, reason)| (path.as_slice(), *reason))
        .collect();
    let path = path_text(reader);
    if manner.form == Form::Json {
        let left_out: Vec<Value> = left_out
            .iter()
            .map(|(left, reason)| json!({"path": path(left), "reason": reason.name()}))
            .collect();
        let mut document = json!({
            "schema_version": SCHEMA_VERSION,
            "session_id": subject.id,
            "from": subject.from.phase.to_string(),
            "to": to_name,
            "counts": counts(&changes),
            "changes": changes.iter().map(|it| change_json(it, &path)).collect::<Vec<Value>>(),
            "left_out": left_out,
        });
        if manner.as_patch {
            let trees = [from.tree.as_str(), to_tree.as_str()];
            let (text, is_cut) = patch(reader, &reading, trees, subject.wanted, PATCH_BYTES)?;
            document["patch"] = text.into();
            document["patch_cut"] = is_cut.into();
        }
        page.json(&document)?;
        writeln!(page)?;
        return Ok(changes.len());
    }
    if manner.as_patch {
        let trees = [from.tree.as_str(), to_tree.as_str()];
        let most = match page.is_framed() {
            true => PATCH_FOR_AGENTS_BYTES,
            false => PATCH_BYTES,
        };
        let (text, is_cut) = patch(reader, &reading, trees, subject.wanted, most)?;
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
        note_permissions(&changes, page);
    } else {
        let view = Changes {
            changes: &changes,
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
        if changes.is_empty() {
            writeln!(page, "no changes")?;
        } else {
            writeln!(page, "{}", counts(&changes))?;
        }
    }
    if !left_out.is_empty() {
        let count = left_out.len();
        page.note(format!(
            "{count} paths are in no checkpoint: too large, unreadable, or repositories; --json names them"
        ));
    }
    Ok(changes.len())
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

/// A patch as it may be shown, and whether its end is missing.
fn patch(
    reader: &Reader,
    reading: &crate::checkpoint::Reading,
    trees: [&str; 2],
    wanted: &[Vec<u8>],
    most: usize,
) -> Result<(String, bool), CliError> {
    let context = match reader.is_guarded() {
        true => CONTEXT_OF_SECRETS,
        false => CONTEXT,
    };
    let mut bytes = Vec::new();
    let read = reading.patch(trees, wanted, context, &mut |piece| {
        let room = most.saturating_sub(bytes.len());
        bytes.extend_from_slice(&piece[..piece.len().min(room)]);
        match room < piece.len() {
            true => Err(io::ErrorKind::FileTooLarge.into()),
            false => Ok(()),
        }
    });
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
    Ok(match reader.guard() {
        Some(guard) => (clean_patch(&text, guard), is_cut),
        None => (text.into_owned(), is_cut),
    })
}
