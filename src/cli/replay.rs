//! `aido replay`

use std::io::{self, IsTerminal, Seek, SeekFrom, Write};
use std::time::Duration;

use super::error::{CliError, Kind};
use super::io::{Out, say};
use super::reading::Reader;
use super::text::extent;
use super::word::StoreArguments;
use super::{Answer, CliResult, redaction};
use crate::config::Layer;
use crate::config::units::{DURATION_FORMS, parse_duration};
use crate::environment::Environment;
use crate::replay::{Pace, Player, Safe};
use crate::session::Stream;
use crate::store::resolve::resolve;
use crate::store::signature::Signature;
use crate::store::{Recorded, Store, StoreError};
use crate::transcript::output::gap_note;
use crate::transcript::timeline::{Timeline, What};
use crate::view::session::Shown;

mod stage;

/// `aido replay`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Keys: space pauses and goes on, . or the right arrow shows the next piece, + and - change the speed,
q ends. In a pipe the bytes are written at once, as they were recorded.

Here alone recorded bytes act on the terminal that they are written to, as they did when they were
recorded; what they switched on is switched off at the end. Only a session that verifies as your own
is played so; with --safe, and for all others, text and colours are shown and nothing else.")]
pub struct Arguments {
    /// Where sessions are kept
    #[arg(long, value_name = "DIR")]
    pub session_dir: Option<String>,
    /// last, last~2, last:failed, @agent, an id, or the beginning or end of one
    #[arg(value_name = "SESSION", default_value = "last")]
    pub selector: String,
    /// Play so many times as fast
    #[arg(long, value_name = "NUMBER", default_value = "1", value_parser = speed)]
    pub speed: f64,
    /// Make pauses no longer than this
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub idle_limit: Option<Duration>,
    /// Show at once what came before this time since the start
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub from: Option<Duration>,
    /// End at this time since the start
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub to: Option<Duration>,
    /// Give an agent secrets, too
    #[arg(long)]
    pub raw: bool,
    /// Show text and colours only
    #[arg(long, conflicts_with = "trust")]
    pub safe: bool,
    /// Let the bytes of a session act that doesn't verify as your own
    #[arg(long)]
    pub trust: bool,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 => Ok(speed),
        _ => Err("a number greater than 0, such as 2 or 0.5".to_owned()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| DURATION_FORMS.to_owned())
}

/// What recorded bytes may do to the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Freedom {
    /// What they did when they were recorded.
    Acting,
    /// Show text and colours.
    TextOnly,
}

/// A recording that is played.
type Recording = Timeline<Box<dyn Recorded>, Box<dyn Recorded>>;

/// Plays a session again.
///
/// # Errors
/// When there is no such session, or it can't be read.
pub fn replay(arguments: &Arguments, flags: Layer) -> CliResult {
    let from = arguments.from.unwrap_or_default();
    if arguments.to.is_some_and(|to| to < from) {
        let message = "--to is before --from, so there is nothing between them";
        return Err(CliError::new(Kind::Usage, message));
    }
    let store = StoreArguments::of(arguments.session_dir.clone());
    let mut reader = Reader::open(&store, flags)?;
    if !arguments.raw {
        redaction::guard(&mut reader, None, &Environment::of_process())?;
    }
    let id = resolve(&reader.store, &arguments.selector)?;
    let session = reader.read(&id)?;
    let recording = open(&reader, &session)?;
    let pace = Pace {
        speed: arguments.speed,
        idle_limit: arguments.idle_limit,
        from,
        to: arguments.to,
    };
    if !io::stdout().is_terminal() {
        write_at_once(recording, pace, arguments.safe)?;
        return Ok(Answer::Yes);
    }
    let is_own = session.signature == Some(Signature::Valid);
    let freedom = if arguments.safe || !(is_own || arguments.trust) {
        Freedom::TextOnly
    } else {
        Freedom::Acting
    };
    introduce(arguments, &session, freedom);
    let end = stage::play(recording, Player::new(pace), &session.metadata, freedom)?;
    if end == stage::End::Recording {
        say(&format!("aido: the end of {id}: {}", session.outcome()));
    }
    end.follow();
    Ok(Answer::Yes)
}

/// Says what comes and which keys there are, in lines that fit a narrow terminal.
fn introduce(arguments: &Arguments, session: &Shown, freedom: Freedom) {
    say(&format!("aido: replaying {}", session.metadata.session_id));
    say(match freedom {
        Freedom::Acting => "aido: its bytes act on this terminal (--safe: text and colours only)",
        Freedom::TextOnly if arguments.safe => "aido: text and colours only",
        Freedom::TextOnly => {
            "aido: text and colours only: it doesn't verify as your own (--trust: all of it)"
        }
    });
    say("aido: space pauses, . steps, q ends");
}

fn open(reader: &Reader, session: &Shown) -> Result<Recording, CliError> {
    let id = &session.metadata.session_id;
    let columns = session.metadata.tty.size.map(|size| size.columns);
    let mut transcript = reader.transcript(id, columns)?;
    let events = reader.store.events(id)?;
    let end = match extent(reader, session).end {
        Some(end) => end,
        None => transcript
            .seek(SeekFrom::End(0))
            .map_err(StoreError::file("the transcript"))?,
    };
    Ok(Timeline::new(transcript, events, Some(end)))
}

/// Writes the recorded bytes between the two times, without any pause.
fn write_at_once(mut recording: Recording, pace: Pace, is_safe: bool) -> io::Result<()> {
    let mut out = Out::stdout();
    let mut safe = is_safe.then(Safe::default);
    while let Some(moment) = recording.next_moment()? {
        if pace.to.is_some_and(|to| moment.at > to) || !out.is_read() {
            break;
        }
        let What::Output(_, bytes) = moment.what else {
            continue;
        };
        if moment.at < pace.from {
            continue;
        }
        match &mut safe {
            Some(safe) => out.write_all(&safe.feed(bytes))?,
            None => out.write_all(bytes)?,
        }
    }
    if let Some(safe) = &mut safe {
        out.write_all(&safe.finish())?;
    }
    out.flush()
}

/// What a moment writes on a terminal that makes nothing of a line feed but a line feed.
fn bytes_of(what: &What<'_>, returns: bool, bytes: &mut Vec<u8>) {
    bytes.clear();
    match what {
        // Standard error apart never went through a terminal's output processing.
        What::Output(stream, output) if returns || *stream == Stream::Stderr => {
            for byte in *output {
                if *byte == b'\n' {
                    bytes.push(b'\r');
                }
                bytes.push(*byte);
            }
        }
        What::Output(_, output) => bytes.extend_from_slice(output),
        What::Gap(missing) => bytes.extend_from_slice(&gap_note(*missing)),
        What::Resize(_)
        | What::Signal(_)
        | What::Stopped(_)
        | What::Continued
        | What::Exit { .. } => {}
    }
}
