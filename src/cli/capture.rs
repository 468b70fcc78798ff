//! `aido capture`

use std::io::{Read, Seek, SeekFrom, Write};

use serde_json::{Value, json};

use super::color::When;
use super::error::CliError;
use super::page::{Framing, Page};
use super::reading::Reader;
use super::target::{Contact, Target};
use super::word::StoreArguments;
use super::{Answer, CliResult, io, redaction};
use crate::config::Layer;
use crate::environment::Environment;
use crate::plan::DEFAULT_SIZE;
use crate::screen::{Line, LineFeed, SCROLLBACK_ROWS, Screen, Snapshot, Style};
use crate::session::metadata::SCHEMA_VERSION;
use crate::session::{Metadata, State};
use crate::store::Store;
use crate::transcript::timeline::{Timeline, What};
use crate::view::{sanitize, units};
use crate::wire::{Incoming, Reply, Request, client};

/// `aido capture`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// A name, an id, or the beginning or end of one; last, last~2, last:failed, @agent
    #[arg(value_name = "SESSION", default_value = "last")]
    pub selector: String,
    /// Also what left the screen at its top; at most this many lines
    #[arg(
        long,
        value_name = "LINES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1000"
    )]
    pub scrollback: Option<usize>,
    /// With colours, as control sequences
    #[arg(long, conflicts_with = "json")]
    pub ansi: bool,
    /// For whom.
    #[command(flatten)]
    pub framing: Framing,
    /// Show an agent secrets, too
    #[arg(long)]
    pub raw: bool,
}

/// Prints what is on a session's screen; of one that is over, what was on it last.
///
/// # Errors
/// When there is no such session, or its recording can't be read.
pub fn capture(arguments: &Arguments, flags: Layer) -> CliResult {
    let mut reader = Reader::open(&arguments.store, flags)?;
    let environment = Environment::of_process();
    if !arguments.raw {
        redaction::guard(&mut reader, arguments.framing.for_agent, &environment)?;
    }
    let target = Target::find(&reader, &arguments.selector)?;
    let scrollback = arguments.scrollback.unwrap_or(0).min(SCROLLBACK_ROWS);
    // What is above tells a secret from its second half.
    let looked_at = match reader.is_guarded() {
        true => SCROLLBACK_ROWS,
        false => scrollback,
    };
    let (mut snapshot, is_live) = look(&reader, &target, looked_at)?;
    let is_changed = guard(&reader, &mut snapshot, scrollback);
    let framing = arguments.framing.of(arguments.store.form());
    let mut out = Page::unpaged(When::Never, framing, &environment)?;
    if arguments.store.json {
        let mut json = to_json(&snapshot);
        json["session_id"] = target.id.as_str().into();
        json["live"] = is_live.into();
        json["redacted"] = is_changed.into();
        out.json(&json)?;
        writeln!(out)?;
    } else {
        for line in snapshot.scrollback.iter().chain(snapshot.filled()) {
            let text = match arguments.ansi {
                true => harmless(line).to_ansi(),
                false => out.audience.line(line.text.trim_end()).into_owned(),
            };
            writeln!(out, "{text}")?;
        }
    }
    out.close()?;
    Ok(Answer::Yes)
}

/// The screen as its supervisor has it, or as the recording tells it.
fn look(
    reader: &Reader,
    target: &Target<'_>,
    scrollback: usize,
) -> Result<(Snapshot, bool), CliError> {
    if let Ok(Contact::Live(mut client)) = target.contact() {
        client.request(&Request::Capture { scrollback })?;
        if let Incoming::Reply(Reply::Screen(snapshot)) = client.receive(Some(client::PATIENCE)) {
            return Ok((*snapshot, true));
        }
    }
    let shown = reader.read(&target.id)?;
    let end = (shown.state == State::Finished).then_some(shown.metadata.output_bytes);
    let screen = replayed(reader, &shown.metadata, end)?;
    if shown.metadata.dropped_bytes > 0 {
        let lost = units::size(shown.metadata.dropped_bytes);
        io::say(&format!(
            "aido: {lost} of its output was not recorded: this is the screen before that"
        ));
    }
    Ok((Snapshot::of(&screen, scrollback), false))
}

/// The screen that the recorded output leaves.
fn replayed(reader: &Reader, metadata: &Metadata, end: Option<u64>) -> Result<Screen, CliError> {
    let id = &metadata.session_id;
    let line_feed = match metadata.tty.bare_line_feeds {
        true => LineFeed::Returns,
        false => LineFeed::Plain,
    };
    let size = metadata.tty.size.unwrap_or(DEFAULT_SIZE);
    let mut screen = Screen::new(size).with_line_feed(line_feed);
    let mut transcript = reader.store.transcript(id)?;
    // Of one that is not over all that is there counts, whether or not an event says so yet.
    let end = match end {
        Some(end) => end,
        None => transcript.seek(SeekFrom::End(0))?,
    };
    transcript.rewind()?;
    // Without events there are no other sizes to be known.
    let events: Box<dyn Read> = match reader.store.events(id) {
        Ok(events) => Box::new(events),
        Err(_) => Box::new(std::io::empty()),
    };
    let mut timeline = Timeline::new(transcript, events, Some(end));
    while let Some(moment) = timeline.next_moment()? {
        match moment.what {
            What::Output(_, bytes) => screen.feed(bytes),
            What::Resize(size) => screen.resize(size),
            _ => {}
        }
    }
    Ok(screen)
}

/// Takes secrets out, if an agent reads it; true if there were any. A secret may stand in several rows,
/// and begin above what is wanted, so all is looked at together; where one was found the rest is plain.
/// Keeps `wanted` lines of what left the screen.
fn guard(reader: &Reader, snapshot: &mut Snapshot, wanted: usize) -> bool {
    let mut is_changed = false;
    if let Some(redactor) = reader.guard() {
        snapshot.title = redactor.text(&snapshot.title).0;
        let rows = snapshot.filled().len();
        let mut whole = String::new();
        for line in snapshot.scrollback.iter().chain(snapshot.filled()) {
            whole.push_str(&line.text);
            if !line.wrapped {
                whole.push('\n');
            }
        }
        let (clean, report) = redactor.text(&whole);
        is_changed = report.total() > 0;
        if is_changed {
            let mut lines: Vec<Line> = clean.lines().map(Line::plain).collect();
            snapshot.lines = lines.split_off(lines.len().saturating_sub(rows));
            snapshot.scrollback = lines;
        }
    }
    let above = snapshot.scrollback.len().saturating_sub(wanted);
    snapshot.scrollback.drain(..above);
    is_changed
}

/// A line in which no character acts on a terminal.
fn harmless(line: &Line) -> Line {
    line.map(|text| sanitize::line(text).into_owned())
}

fn to_json(snapshot: &Snapshot) -> Value {
    let line = |line: &Line| {
        // What looks the same is one piece, whenever it was written.
        let mut same: Vec<(String, Style)> = Vec::new();
        for (text, run) in line.pieces() {
            match same.last_mut() {
                Some((before, style)) if *style == run.style => before.push_str(text),
                _ => same.push((text.to_owned(), run.style)),
            }
        }
        let runs = same.into_iter().map(|(text, style)| {
            let mut json = serde_json::to_value(style).unwrap_or_default();
            json["text"] = text.into();
            json
        });
        let runs: Vec<Value> = runs.collect();
        json!({"text": line.text.trim_end(), "wrapped": line.wrapped, "runs": runs})
    };
    json!({
        "schema_version": SCHEMA_VERSION,
        "size": snapshot.size,
        "cursor": snapshot.cursor,
        "title": snapshot.title,
        "alternate": snapshot.alternate,
        "sequence": snapshot.sequence,
        "scrollback": snapshot.scrollback.iter().map(line).collect::<Vec<Value>>(),
        "lines": snapshot.lines.iter().map(line).collect::<Vec<Value>>(),
    })
}
