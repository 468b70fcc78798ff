//! Two sessions compared.

use std::io::Write;

use serde_json::{Value, json};

use super::lockstep::Texts;
use crate::cli::io::Out;
use crate::cli::page::PageArguments;
use crate::cli::page::{Page, Paging};
use crate::cli::progress::ReadingProgress;
use crate::cli::reading::Reader;
use crate::cli::text::{Purpose, SessionOutput};
use crate::cli::word::StoreArguments;
use crate::cli::{Answer, CliResult};
use crate::environment::Environment;
use crate::transcript::slices::Wanted;
use crate::view::diff::{Fact, Facts, TextDiff, facts};
use crate::view::sanitize;
use crate::view::session::Shown;

/// The largest text that is compared line by line.
const TEXT_MAX_BYTES: usize = 8 * 1024 * 1024;

/// What came out of it.
enum Compared<'a> {
    Lines(TextDiff<'a>),
    /// Too large for that; but from which line on they differ is known, if they do.
    TooLarge {
        differ_from: Option<u64>,
    },
}

impl<'a> Compared<'a> {
    fn of(texts: &'a Texts) -> Self {
        match (texts.are_whole, &texts.lines) {
            (true, [one, other]) => Self::Lines(TextDiff::new([one, other])),
            (false, _) => Self::TooLarge {
                differ_from: texts.differ_from,
            },
        }
    }

    fn is_same(&self) -> bool {
        match self {
            Self::Lines(diff) => diff.is_empty(),
            Self::TooLarge { differ_from } => differ_from.is_none(),
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
    let progress = ReadingProgress::start();
    let open = |session| SessionOutput::open(reader, session, wanted, Purpose::Text, &progress);
    let (mut one, mut other) = (open(sessions[0])?, open(sessions[1])?);
    let sources = [(&mut one.source, one.form), (&mut other.source, other.form)];
    let texts = Texts::read(sources, TEXT_MAX_BYTES)?;
    progress.give_way();
    let facts = facts(sessions);
    let compared = Compared::of(&texts);
    let [code, other_code] = sessions.map(|session| session.metadata.exit_code);
    let shortages = [&one, &other].map(|output| output.shortage.as_deref());
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
        Compared::TooLarge { differ_from: None } => Ok(()),
        Compared::TooLarge {
            differ_from: Some(line),
        } => {
            let most = TEXT_MAX_BYTES >> 20;
            page.note(format!(
                "the texts differ from line {line} on; of texts over {most} MiB no difference is shown"
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
        Compared::TooLarge { differ_from: None } => json!({"same": true}),
        Compared::TooLarge {
            differ_from: Some(line),
        } => json!({"same": false, "differs_from_line": line}),
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
