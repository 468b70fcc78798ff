//! `aido show`

use std::io::{IsTerminal, Read, Write};

use super::error::{CliError, Kind};
use super::reading::Reader;
use super::word::StoreArguments;
use super::{Answer, CliResult, io};
use crate::config::Layer;
use crate::plan::DEFAULT_SIZE;
use crate::session::SessionId;
use crate::store::resolve::resolve;
use crate::store::{State, Store};
use crate::transcript::render::{LineFeed, Renderer};
use crate::view::sanitize;
use crate::view::session::{Shown, Summary};

/// `aido show`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// last, last~2, last:failed, @agent, an id, or the beginning or end of one
    #[arg(value_name = "SESSION", default_value = "last")]
    pub selector: String,
    /// Print the recorded bytes as they are
    #[arg(long, conflicts_with = "json")]
    pub raw: bool,
}

/// Shows a session: a summary and its output as text, or its recorded bytes, or JSON.
///
/// # Errors
/// When it isn't there, or can't be read.
pub fn show(arguments: &Arguments, flags: Layer) -> CliResult {
    let reader = Reader::open(&arguments.store, flags)?;
    let id = resolve(&reader.store, &arguments.selector)?;
    let session = reader.read(&id)?;
    let mut out = io::Out::stdout();
    if arguments.store.json {
        let json = session.to_json().to_string();
        writeln!(out, "{}", sanitize::json(&json))?;
    } else if arguments.raw {
        if std::io::stdout().is_terminal() {
            return Err(CliError::new(
                Kind::Usage,
                "recorded bytes could act on this terminal, so --raw is not shown on one",
            )
            .with_hint("send it to a file or a pipe: aido show --raw … | less"));
        }
        copy_output(&reader, &id, &session, &mut |bytes| out.write_all(bytes))?;
    } else {
        write!(out, "{}", Summary(&session))?;
        show_text(&reader, &id, &session, &mut out)?;
    }
    out.flush()?;
    Ok(Answer::Yes)
}

/// Hands over the recorded output, without the marker, piece by piece.
fn copy_output(
    reader: &Reader,
    id: &SessionId,
    session: &Shown,
    take: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
) -> Result<(), CliError> {
    let transcript = reader.store.transcript(id)?;
    let mut output = match session.state {
        State::Finished => transcript.take(session.metadata.output_bytes),
        State::Running | State::Interrupted => transcript.take(u64::MAX),
    };
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match output.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => take(&buffer[..count])?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn show_text(
    reader: &Reader,
    id: &SessionId,
    session: &Shown,
    out: &mut io::Out,
) -> Result<(), CliError> {
    let tty = &session.metadata.tty;
    let size = tty.size.unwrap_or(DEFAULT_SIZE);
    let line_feed = if tty.bare_line_feeds {
        LineFeed::WithReturn
    } else {
        LineFeed::Plain
    };
    let mut renderer = Renderer::new(size.columns, size.rows, line_feed);
    let mut failed = None;
    let mut first = true;
    let mut line = |text: &str| {
        // One blank line between the summary and the text, if there is text.
        let gap = if std::mem::take(&mut first) { "\n" } else { "" };
        if failed.is_none() {
            failed = writeln!(out, "{gap}{text}").err();
        }
    };
    copy_output(reader, id, session, &mut |bytes| {
        renderer.feed(bytes, &mut line);
        Ok(())
    })?;
    renderer.finish(&mut line);
    failed.map_or(Ok(()), |error| Err(error.into()))
}
