//! A session as JSON, with lines of its text if some were chosen. Lines are written as they are read,
//! so that a long text needs no memory.

use std::io::{self, Write};
use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::Choice;
use crate::cli::error::{CliError, Kind};
use crate::cli::io::Out;
use crate::cli::progress::ReadingProgress;
use crate::cli::reading::Reader;
use crate::cli::text::{Purpose, SessionOutput};
use crate::cli::{Answer, CliResult};
use crate::transcript::pick::{Numbers, Request, pick};
use crate::transcript::select::{Picked, Role};
use crate::view::sanitize;
use crate::view::session::Shown;

/// The fields for lines, after those of the session.
const OWN_FIELDS: [&str; 2] = ["lines", "line_count"];

/// Prints the sidecar's fields, the state and the signature, and the lines that were chosen.
pub(super) fn show(reader: &Reader, session: &Shown, choice: &Choice) -> CliResult {
    let mut out = Out::stdout();
    let mut known = session.to_json();
    if let (Value::Object(fields), Some(_)) = (&mut known, choice.selection) {
        // A sidecar of the future may have fields of these names.
        OWN_FIELDS
            .iter()
            .for_each(|name| drop(fields.remove(*name)));
    }
    let known = known.to_string();
    let known = sanitize::json(&known);
    let Some(selection) = choice.selection else {
        writeln!(out, "{known}")?;
        out.flush()?;
        return Ok(Answer::Yes);
    };
    // The lines go before the brace that closes the object.
    let fields = known.strip_suffix('}').unwrap_or(&known);
    out.write_all(fields.as_bytes())?;
    let progress = ReadingProgress::start();
    let (wanted, purpose) = (choice.wanted, Purpose::Text);
    let opened = SessionOutput::open(reader, session, wanted, purpose, &progress);
    let mut output = match opened {
        Ok(output) => output,
        Err(error) => {
            writeln!(out, ",\"lines\":null,\"line_count\":null}}")?;
            out.flush()?;
            return Err(error);
        }
    };
    out.write_all(b",\"lines\":[")?;
    let request = Request {
        form: output.form,
        selection,
        matches: &|line| choice.matches(line),
        numbers: Numbers::Needed,
    };
    let mut written = Ok(());
    let mut separator = "";
    let found = pick(&mut output.source, &request, &mut |picked| {
        progress.give_way();
        written = write_line(&mut out, separator, picked, choice);
        separator = ",";
        if written.is_err() || !out.is_read() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    progress.give_way();
    written?;
    let lines = found.as_ref().ok().and_then(|found| found.lines);
    writeln!(out, "],\"line_count\":{}}}", json!(lines))?;
    out.flush()?;
    let found = found?;
    if let Some(shortage) = output.shortage {
        return Err(CliError::new(Kind::Failed, shortage));
    }
    Ok(choice.answer(found))
}

fn write_line(
    out: &mut Out,
    separator: &str,
    picked: Picked<'_>,
    choice: &Choice,
) -> io::Result<()> {
    let line = line(picked, choice).to_string();
    write!(out, "{separator}{}", sanitize::json(&line))
}

/// A line as an object.
pub(super) fn line(picked: Picked<'_>, choice: &Choice) -> Value {
    let mut line = json!({"number": picked.number, "text": picked.text});
    if choice.pattern.is_some() {
        line["match"] = (picked.role == Role::Wanted).into();
    }
    line
}
