//! A running session's output as it comes.
//!
//! The events say how much of the transcript is output, so that the marker is never printed.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use super::live_text::LiveText;
use super::restraint::Restraint;
use super::text::{note_if_merged, summarise};
use super::{Arguments, Choice, refuse_raw_on_terminal};
use crate::cli::error::CliError;
use crate::cli::io::{Out, say};
use crate::cli::page::{Page, Paging};
use crate::cli::reading::Reader;
use crate::cli::text::{Taking, available};
use crate::cli::{Answer, CliResult};
use crate::clock::Stopwatch;
use crate::environment::Environment;
use crate::session::{Signal, Stream};
use crate::store::{Recorded, State, Store};
use crate::sys::signals::{self, Inbox};
use crate::transcript::EventRecord;
use crate::transcript::output::Extent;
use crate::transcript::reader::{Events, GrowingEvents};
use crate::transcript::slices::Wanted;
use crate::view::session::Shown;

/// How long to wait before looking again: long enough to cost nothing, too short to be noticed.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What is new.
pub(super) enum News<'a> {
    /// Output.
    Output(Stream, &'a [u8]),
    /// So many bytes are missing here.
    Gap(u64),
    /// Nothing for this long.
    Pause(Duration),
}

/// How following ended.
enum End {
    /// With the session.
    Session,
    /// Nobody reads any more.
    Unread,
    /// By a signal.
    Signal(Signal),
}

/// Prints what a session has printed and will print, until it ends.
pub(super) fn follow(
    reader: &Reader,
    session: &Shown,
    arguments: &Arguments,
    choice: &Choice,
    environment: &Environment,
) -> CliResult {
    let wanted = available(&session.metadata, choice.wanted)?;
    let mut recording = Recording::open(reader, session, wanted)?;
    if arguments.raw {
        refuse_raw_on_terminal()?;
        let mut out = Out::stdout();
        let end = recording.follow(&mut |news| {
            match news {
                News::Output(_, bytes) => out.write_all(bytes)?,
                News::Gap(_) => {}
                News::Pause(_) => out.flush()?,
            }
            Ok(if out.is_read() {
                Taking::More
            } else {
                Taking::Stop
            })
        })?;
        out.flush()?;
        return Ok(finish(&end));
    }
    let mut page = Page::open(arguments.page, Paging::Unfit, environment)?;
    if choice.selection.is_none() {
        summarise(session, &mut page)?;
        writeln!(page)?;
    }
    let mut text = LiveText::new(&mut page, session, choice, wanted);
    let mut held = Restraint::new(reader.guard());
    let end = recording.follow(&mut |news| held.take(news, &mut |news| text.take(news)))?;
    held.finish(&mut |news| text.take(news))?;
    text.finish()?;
    if choice.wanted == Wanted::Only(Stream::Stdout) {
        note_if_merged(session, &mut page);
    }
    page.close()?;
    if let End::Session = end {
        let ended = reader.read(&session.metadata.session_id)?;
        say(&format!("aido: the session ended: {}", ended.outcome()));
    }
    Ok(finish(&end))
}

/// Ends this process likewise if a signal ended it, so that a script around it stops too.
fn finish(end: &End) -> Answer {
    if let End::Signal(signal) = end {
        signals::die_of(*signal);
    }
    Answer::Yes
}

/// A session that is followed.
struct Recording<'a> {
    reader: &'a Reader,
    session: &'a Shown,
    wanted: Wanted,
    transcript: Box<dyn Recorded>,
    events: GrowingEvents<Box<dyn Recorded>>,
    /// Bytes of the transcript that were read, or left out.
    place: u64,
}

pub(super) type Taker<'a> = dyn FnMut(News<'_>) -> io::Result<Taking> + 'a;

impl<'a> Recording<'a> {
    fn open(reader: &'a Reader, session: &'a Shown, wanted: Wanted) -> Result<Self, CliError> {
        let id = &session.metadata.session_id;
        Ok(Self {
            reader,
            session,
            wanted,
            transcript: reader.store.transcript(id)?,
            events: GrowingEvents::new(reader.store.events(id)?),
            place: 0,
        })
    }

    fn follow(&mut self, take: &mut Taker<'_>) -> Result<End, CliError> {
        let mut inbox = Inbox::open(&[libc::SIGINT, libc::SIGTERM, libc::SIGHUP])?;
        let stdout = io::stdout();
        let mut quiet = Stopwatch::start();
        loop {
            // Asked before reading: what came before the end is then read after it.
            let state = self.reader.store.state(&self.session.metadata.session_id)?;
            let before = self.place;
            let mut taking = self.read_events(take)?;
            if state != State::Running && taking == Taking::More {
                taking = self.read_rest(state, take)?;
            }
            if self.place > before {
                quiet = Stopwatch::start();
            }
            if taking == Taking::More {
                taking = take(News::Pause(quiet.elapsed()))?;
            }
            if taking == Taking::Stop {
                return Ok(End::Unread);
            }
            if state != State::Running {
                return Ok(End::Session);
            }
            if !inbox.wait_while_taken(stdout.as_fd(), LOOK_AGAIN) {
                return Ok(End::Unread);
            }
            if let Some(arrival) = inbox.next_arrival() {
                return Ok(End::Signal(arrival.signal));
            }
        }
    }

    /// Hands over what the events that are there account for.
    fn read_events(&mut self, take: &mut Taker<'_>) -> io::Result<Taking> {
        while let Some(event) = self.events.next_event()? {
            let taking = match event {
                EventRecord::Output { stream, bytes, .. } => {
                    self.read(stream, self.place.saturating_add(bytes), take)?
                }
                EventRecord::Gap { bytes, .. } => take(News::Gap(bytes))?,
                _ => Taking::More,
            };
            if taking == Taking::Stop {
                return Ok(taking);
            }
        }
        Ok(Taking::More)
    }

    /// Hands over what no event accounts for, because the recorder was killed or its disk was full.
    fn read_rest(&mut self, state: State, take: &mut Taker<'_>) -> Result<Taking, CliError> {
        let id = &self.session.metadata.session_id;
        let end = match state {
            State::Finished => Some(self.reader.read(id)?.metadata.output_bytes),
            _ => Extent::of(Events::new(self.reader.store.events(id)?)).end,
        };
        Ok(self.read(Stream::Stdout, end.unwrap_or(u64::MAX), take)?)
    }

    /// Hands over the transcript up to a place, or to its end.
    fn read(&mut self, stream: Stream, end: u64, take: &mut Taker<'_>) -> io::Result<Taking> {
        if self.wanted != Wanted::Both && self.wanted != Wanted::Only(stream) {
            self.place = self.place.max(end);
            return Ok(Taking::More);
        }
        let mut buffer = vec![0; 64 * 1024];
        while self.place < end {
            let left = usize::try_from(end - self.place).unwrap_or(usize::MAX);
            let most = left.min(buffer.len());
            self.transcript.seek(SeekFrom::Start(self.place))?;
            let count = self.transcript.read(&mut buffer[..most])?;
            if count == 0 {
                break;
            }
            self.place += count as u64;
            if take(News::Output(stream, &buffer[..count]))? == Taking::Stop {
                return Ok(Taking::Stop);
            }
        }
        Ok(Taking::More)
    }
}
