//! Two sessions compared.

use std::io::Write;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::cli::error::CliError;
use crate::cli::io::Out;
use crate::cli::page::PageArguments;
use crate::cli::page::{Page, Paging};
use crate::cli::reading::Reader;
use crate::cli::text::{Purpose, SessionOutput};
use crate::cli::word::StoreArguments;
use crate::cli::{Answer, CliResult};
use crate::environment::Environment;
use crate::transcript::slices::Wanted;
use crate::transcript::text::{Step, TextReader};
use crate::view::diff::{Fact, Facts, TextDiff, TextLines, facts};
use crate::view::sanitize;
use crate::view::session::Shown;

/// The largest text that is compared line by line.
const TEXT_MAX_BYTES: usize = 8 * 1024 * 1024;

/// A session's text, as much of it as is compared line by line.
struct Text {
    lines: TextLines,
    /// How many lines there are in all.
    count: u64,
    digest: [u8; 32],
    shortage: Option<String>,
}

impl Text {
    fn read(reader: &Reader, session: &Shown, wanted: Wanted) -> Result<Self, CliError> {
        let mut output = SessionOutput::open(reader, session, wanted, Purpose::Text)?;
        let mut text = TextReader::new(&mut output.source, output.form);
        let mut lines = TextLines::default();
        let mut count = 0;
        let mut digest = Sha256::new();
        loop {
            let step = text.step(&mut |line| {
                count += 1;
                digest.update(line);
                digest.update("\n");
                if lines.count() as u64 + 1 == count && lines.size_bytes() < TEXT_MAX_BYTES {
                    lines.push(line);
                }
            })?;
            if step == Step::End {
                break;
            }
        }
        Ok(Self {
            lines,
            count,
            digest: digest.finalize().into(),
            shortage: output.shortage,
        })
    }

    fn is_whole(&self) -> bool {
        self.lines.count() as u64 == self.count
    }
}

/// What came out of it.
enum Compared<'a> {
    Lines(TextDiff<'a>),
    /// Too large for that; but whether they are the same is known, and, if they aren't, from which
    /// line on, or that it is after this one.
    TooLarge {
        same: bool,
        line: u64,
    },
}

impl<'a> Compared<'a> {
    fn of([one, other]: [&'a Text; 2]) -> Self {
        if one.is_whole() && other.is_whole() {
            return Self::Lines(TextDiff::new([&one.lines, &other.lines]));
        }
        let pairs = one.lines.iter().zip(other.lines.iter());
        let alike = pairs.take_while(|(one, other)| one == other).count();
        Self::TooLarge {
            same: one.digest == other.digest,
            line: alike as u64 + 1,
        }
    }

    fn is_same(&self) -> bool {
        match self {
            Self::Lines(diff) => diff.is_empty(),
            Self::TooLarge { same, .. } => *same,
        }
    }
}

/// Compares two sessions; they are the same if text and exit code are.
pub(super) fn compare(
    reader: &Reader,
    sessions: [&Shown; 2],
    (store, page): (&StoreArguments, PageArguments),
    wanted: Wanted,
    environment: &Environment,
) -> CliResult {
    let one = Text::read(reader, sessions[0], wanted)?;
    let other = Text::read(reader, sessions[1], wanted)?;
    let facts = facts(sessions);
    let compared = Compared::of([&one, &other]);
    let [code, other_code] = sessions.map(|session| session.metadata.exit_code);
    let shortages = [&one, &other].map(|text| text.shortage.as_deref());
    let is_whole = shortages == [None, None];
    let is_same = compared.is_same() && code == other_code;
    if store.json {
        print_json(sessions, &facts, &compared, is_same)?;
    } else {
        let mut page = Page::open(page, Paging::Allowed, environment)?;
        print(sessions, &facts, &compared, &mut page)?;
        for shortage in shortages.into_iter().flatten() {
            page.note(shortage);
        }
        page.close()?;
    }
    Ok(if is_same && is_whole {
        Answer::Yes
    } else {
        Answer::No
    })
}

fn print(
    sessions: [&Shown; 2],
    facts: &[Fact],
    compared: &Compared<'_>,
    page: &mut Page,
) -> std::io::Result<()> {
    let (palette, audience) = (page.palette, page.audience);
    write!(
        page,
        "{}",
        Facts {
            facts,
            palette,
            audience
        }
    )?;
    match compared {
        Compared::Lines(diff) if diff.is_empty() => Ok(()),
        Compared::Lines(diff) => {
            if !facts.is_empty() {
                writeln!(page)?;
            }
            let names = sessions.map(|session| session.metadata.session_id.as_str());
            write!(page, "{}", diff.unified(names, palette, audience))
        }
        Compared::TooLarge { same: true, .. } => Ok(()),
        Compared::TooLarge { line, .. } => {
            let most = TEXT_MAX_BYTES >> 20;
            page.note(format!(
                "the texts differ from line {line} on or later; of texts over {most} MiB no difference is shown"
            ));
            Ok(())
        }
    }
}

fn print_json(
    sessions: [&Shown; 2],
    facts: &[Fact],
    compared: &Compared<'_>,
    is_same: bool,
) -> std::io::Result<()> {
    let sides = |values: [Value; 2]| {
        let [left, right] = values;
        json!({"left": left, "right": right})
    };
    let differences: serde_json::Map<String, Value> = facts
        .iter()
        .map(|fact| (fact.field.to_owned(), sides(fact.values.clone())))
        .collect();
    let text = match compared {
        Compared::Lines(diff) => diff.to_json(),
        Compared::TooLarge { same: true, .. } => json!({"same": true}),
        Compared::TooLarge { line, .. } => json!({"same": false, "differs_from_line": line}),
    };
    let document = json!({
        "schema_version": sessions[0].metadata.schema_version,
        "left": sessions[0].metadata.session_id,
        "right": sessions[1].metadata.session_id,
        "same": is_same,
        "differences": differences,
        "text": text,
    });
    let mut out = Out::stdout();
    writeln!(out, "{}", sanitize::json(&document.to_string()))?;
    out.flush()
}
