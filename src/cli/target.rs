//! What the words for detached sessions share: which session, its supervisor, and how times and sizes
//! are typed.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use super::error::{CliError, Kind};
use super::reading::Reader;
use crate::clock::Stopwatch;
use crate::config::units::{DURATION_FORMS, parse_duration};
use crate::session::{Metadata, SessionId, Size, State};
use crate::store::Store;
use crate::store::resolve::resolve;
use crate::sys::stream;
use crate::transcript::record::CHANNEL;
use crate::wire::{Client, Incoming, Refusal, Reply, Request};

/// How long a supervisor that doesn't answer is tried again.
const RECONNECT: Duration = Duration::from_secs(2);
/// How long to pause before.
const PAUSE: Duration = Duration::from_millis(20);

/// A session that a word is about.
pub(super) struct Target<'r> {
    reader: &'r Reader,
    pub(super) id: SessionId,
}

/// How a session is, for those who would talk to it.
pub(super) enum Contact {
    /// It runs, and its supervisor answers.
    Live(Client),
    /// It runs, and its supervisor can't be reached.
    Silent(std::io::Error),
    /// It is over, and this is what is known of it.
    Over(Box<Metadata>),
    /// Its supervisor was killed.
    Lost,
}

impl<'r> Target<'r> {
    /// Finds the session that a selector or a name means.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub(super) fn find(reader: &'r Reader, selector: &str) -> Result<Self, CliError> {
        let id = resolve(&reader.store, selector)?;
        Ok(Self { reader, id })
    }

    /// What its start record says.
    pub(super) fn start_record(&self) -> Result<Map<String, Value>, CliError> {
        Ok(self.reader.store.start_record(&self.id)?)
    }

    /// Looks how it is.
    ///
    /// # Errors
    /// When its files can't be read, or it was never detached.
    pub(super) fn contact(&self) -> Result<Contact, CliError> {
        let began = Stopwatch::start();
        loop {
            let failed = match self.reader.store.state(&self.id)? {
                State::Finished => {
                    let metadata = self.reader.metadata(&self.id)?;
                    return Ok(Contact::Over(Box::new(metadata)));
                }
                State::Interrupted => return Ok(Contact::Lost),
                State::Running => match self.connect()? {
                    Ok(client) => return Ok(Contact::Live(client)),
                    Err(error) => error,
                },
            };
            // It may have just begun, or be about to end; its socket may be healed.
            if began.elapsed() > RECONNECT {
                return Ok(Contact::Silent(failed));
            }
            pause(PAUSE);
        }
    }

    fn connect(&self) -> Result<std::io::Result<Client>, CliError> {
        let known = self.start_record()?;
        let is_detached = known.get("detached").and_then(Value::as_bool);
        if is_detached != Some(true) {
            let message = format!("{} has its caller's terminal", self.id);
            return Err(CliError::new(Kind::Failed, message)
                .with_hint("only a session that aido start began can be reached from elsewhere"));
        }
        let channel = known
            .get(CHANNEL)
            .and_then(Value::as_str)
            .map(PathBuf::from);
        let Some(channel) = channel else {
            return Ok(Err(std::io::ErrorKind::NotFound.into()));
        };
        Ok(Client::connect(&channel, &self.id))
    }

    /// Connects, where nothing but a live session will do.
    ///
    /// # Errors
    /// When it is over, or its supervisor can't be reached.
    pub(super) fn live(&self) -> Result<Client, CliError> {
        match self.contact()? {
            Contact::Live(client) => Ok(client),
            Contact::Silent(error) => Err(self.unreachable(&error)),
            Contact::Over(_) => Err(self.is_over()),
            Contact::Lost => Err(self.is_lost()),
        }
    }

    /// Asks for something that is answered at once.
    ///
    /// # Errors
    /// As [`Target::live`], and when it is refused or not answered.
    pub(super) fn ask(&self, request: &Request) -> Result<Reply, CliError> {
        let mut client = self.live()?;
        client.request(request)?;
        match client.receive(Some(crate::wire::client::PATIENCE)) {
            Incoming::Reply(Reply::Refused { why, detail }) => Err(self.refused(why, &detail)),
            Incoming::Reply(Reply::Unsupported) => Err(self.unsupported()),
            Incoming::Reply(Reply::Ended { .. }) | Incoming::Gone => Err(self.is_over()),
            Incoming::Reply(reply) => Ok(reply),
            Incoming::Draw(_) | Incoming::Nothing => {
                Err(self.unreachable(&std::io::ErrorKind::TimedOut.into()))
            }
        }
    }

    /// What a refusal is for people.
    pub(super) fn refused(&self, why: Refusal, detail: &str) -> CliError {
        let what = match why {
            Refusal::Stuck => "not all of it was typed",
            _ => "nothing was typed",
        };
        let error = CliError::new(Kind::Failed, format!("{what}: {detail}"));
        match why {
            Refusal::Password => error.with_hint("aido send --secret types it all the same"),
            Refusal::TooLong => {
                error.with_hint("break it into lines; what is beyond would be lost")
            }
            Refusal::Screen | Refusal::Busy | Refusal::Full | Refusal::Stuck => {
                error.with_hint(format!("aido capture {} shows the screen", self.id.hex()))
            }
            Refusal::Invalid | Refusal::Over | Refusal::Other => error,
        }
    }

    pub(super) fn unsupported(&self) -> CliError {
        let message = format!(
            "the supervisor of {} is older and doesn't know this",
            self.id
        );
        CliError::new(Kind::Failed, message).with_hint("what was started before stays as it is")
    }

    pub(super) fn unreachable(&self, error: &std::io::Error) -> CliError {
        let message = format!("the supervisor of {} can't be reached: {error}", self.id);
        CliError::new(Kind::Failed, message)
            .with_hint("aido show reads what was recorded; aido stop ends it")
    }

    pub(super) fn is_over(&self) -> CliError {
        CliError::new(Kind::Failed, format!("{} is over", self.id))
            .with_hint(format!("aido show {} says how it ended", self.id.hex()))
    }

    pub(super) fn is_lost(&self) -> CliError {
        let message = format!(
            "the supervisor of {} was killed, and nobody knows how it ended",
            self.id
        );
        CliError::new(Kind::Failed, message)
            .with_hint(format!("aido show {} has what was recorded", self.id.hex()))
    }
}

/// Sleeps, where there is nothing to wait for.
pub(super) fn pause(time: Duration) {
    let [] = stream::wait_to_read([], Some(time));
}

/// A duration as it was typed.
pub(super) fn time_of(option: &str, text: &str) -> Result<Duration, CliError> {
    parse_duration(text).ok_or_else(|| {
        let message = format!("{option} {text:?} is no duration");
        CliError::new(Kind::Usage, message).with_hint(DURATION_FORMS)
    })
}

/// A duration as milliseconds.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A window's size as it was typed.
pub(super) fn size_of(text: &str) -> Result<Size, CliError> {
    let parsed = text.split_once(['x', 'X']).and_then(|(columns, rows)| {
        let size = Size {
            columns: columns.trim().parse().ok()?,
            rows: rows.trim().parse().ok()?,
        };
        let largest = crate::screen::LARGEST;
        let fits = (2..=largest).contains(&size.columns) && (1..=largest).contains(&size.rows);
        fits.then_some(size)
    });
    parsed.ok_or_else(|| {
        CliError::new(Kind::Usage, format!("{text:?} is no size of a window"))
            .with_hint("columns and rows such as 120x40: 2 to 1000, and 1 to 1000")
    })
}

/// Whether the start record's process still is the one that it names, so that it may be signalled.
pub(super) fn recorder(known: &Map<String, Value>) -> Option<i32> {
    let process = known.get("pid").and_then(Value::as_u64)?;
    let started = known.get("process_start").and_then(Value::as_u64)?;
    let process = i32::try_from(process).ok()?;
    (crate::sys::process::start_time_of(process) == Some(started)).then_some(process)
}
