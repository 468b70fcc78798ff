//! A session that is exported with what it printed: its fields, and a recording in which nothing is
//! secret.

use std::io::{Seek, SeekFrom};

use crate::cli::error::{CliError, Kind};
use crate::cli::reading::Reader;
use crate::cli::redaction::Rules;
use crate::cli::text::extent;
use crate::egress::{self, Echoes, Redaction, Terms};
use crate::environment::Environment;
use crate::formats::{Head, LineFeeds};
use crate::plan::DEFAULT_SIZE;
use crate::record::secrets;
use crate::redact::Redactor;
use crate::session::{Metadata, SessionId, Status};
use crate::store::{Recorded, Store, StoreError};
use crate::transcript::timeline::Timeline;
use crate::view::session::Shown;

/// A recording.
pub(in crate::cli) type Recording = Timeline<Box<dyn Recorded>, Box<dyn Recorded>>;

/// A session that is exported.
pub(in crate::cli) struct Subject<'a> {
    reader: &'a Reader,
    /// As it may leave.
    pub(in crate::cli) session: Shown,
    /// None where secrets are let out.
    redactor: Option<Redactor>,
}

impl<'a> Subject<'a> {
    /// Reads a session.
    ///
    /// # Errors
    /// When it can't be read, or may hold a secret that can't be looked for.
    pub(in crate::cli) fn read(
        reader: &'a Reader,
        id: &SessionId,
        rules: &Rules,
        terms: &Terms,
    ) -> Result<Self, CliError> {
        Self::read_checked(reader, id, rules, terms, &|session, echoes, environment| {
            if terms.redaction == Redaction::Off {
                return Ok(());
            }
            let own = secrets::own(environment);
            let by_value = rules.redactor_for(reader, terms.depth, own)?;
            let token = |value: &str| by_value.text(value).0;
            refuse_unknown(&session.metadata, echoes, environment, &token)
        })
    }

    /// Reads a session of which nothing is shown that was printed.
    ///
    /// # Errors
    /// When it can't be read.
    pub(in crate::cli) fn read_fields(
        reader: &'a Reader,
        id: &SessionId,
        rules: &Rules,
        terms: &Terms,
    ) -> Result<Self, CliError> {
        Self::read_checked(reader, id, rules, terms, &|_, _, _| Ok(()))
    }

    /// Reads a session, and takes secrets out of its fields if the check lets it pass as it was recorded.
    fn read_checked(
        reader: &'a Reader,
        id: &SessionId,
        rules: &Rules,
        terms: &Terms,
        check: &dyn Fn(&Shown, &Echoes, &Environment) -> Result<(), CliError>,
    ) -> Result<Self, CliError> {
        let mut session = reader.read(id)?;
        let environment = Environment::of_process();
        let by_form = rules.redactor(reader, terms.depth)?;
        let echoes = Echoes::of_leaving(&session.metadata, &by_form);
        check(&session, &echoes, &environment)?;
        let redactor = match terms.redaction {
            Redaction::Off => None,
            Redaction::On => {
                let mut own = secrets::own(&environment);
                own.extend(echoes.secrets());
                Some(rules.redactor_for(reader, terms.depth, own)?)
            }
        };
        let fields = redactor.as_ref().unwrap_or(&by_form);
        egress::leave(&mut session.metadata, terms.redaction, fields);
        Ok(Self {
            reader,
            session,
            redactor,
        })
    }

    /// What the recording is, besides its bytes.
    pub(in crate::cli) fn head(&self) -> Head {
        let metadata = &self.session.metadata;
        let variable = |name: &str| metadata.env.get(name)?.as_str().map(str::to_owned);
        Head {
            title: metadata.session_id.to_string(),
            command: metadata.command.clone(),
            agent: metadata.agent.clone(),
            outcome: match metadata.status {
                Status::Exited => self.session.ending(),
                _ => self.session.outcome(),
            },
            directory: metadata.cwd.clone(),
            began: metadata.timestamp,
            ended: metadata.ended_at,
            duration_ms: metadata.duration_ms,
            size: metadata.tty.size.unwrap_or(DEFAULT_SIZE),
            terminal: variable("TERM"),
            shell: variable("SHELL"),
            exit_code: metadata.exit_code,
            has_failed: metadata.exit_code.is_some() && metadata.has_failed(),
            line_feeds: match metadata.tty.bare_line_feeds {
                true => LineFeeds::Bare,
                false => LineFeeds::FromTerminal,
            },
        }
    }

    /// What takes secrets out; none where they are let out.
    pub(in crate::cli) fn redactor(&self) -> Option<&Redactor> {
        self.redactor.as_ref()
    }

    /// The transcript from its beginning, and how many secrets are masked in it.
    ///
    /// # Errors
    /// When it can't be read.
    pub(in crate::cli) fn transcript(&self) -> Result<(Box<dyn Recorded>, usize), CliError> {
        let metadata = &self.session.metadata;
        let transcript = self.reader.store.transcript(&metadata.session_id)?;
        let Some(redactor) = &self.redactor else {
            return Ok((transcript, 0));
        };
        let columns = metadata.tty.size.map(|size| size.columns);
        let overlay = redactor.overlay(transcript, columns);
        let overlay = overlay.map_err(StoreError::file("the transcript"))?;
        let masked = overlay.count();
        Ok((Box::new(overlay), masked))
    }

    /// The recording from its beginning, and how many secrets are masked in it.
    ///
    /// # Errors
    /// When its files can't be read.
    pub(in crate::cli) fn recording(&self) -> Result<(Recording, usize), CliError> {
        let (mut transcript, masked) = self.transcript()?;
        let end = match extent(self.reader, &self.session).end {
            Some(end) => end,
            None => transcript
                .seek(SeekFrom::End(0))
                .map_err(StoreError::file("the transcript"))?,
        };
        let events = self
            .reader
            .store
            .events(&self.session.metadata.session_id)?;
        Ok((Timeline::new(transcript, events, Some(end)), masked))
    }
}

/// Refuses a session in which a secret of its caller's environment was seen, when neither this environment
/// nor the command line says which one that is: no form gives it away. `token` gives what stands in a
/// value's place.
fn refuse_unknown(
    metadata: &Metadata,
    echoes: &Echoes,
    environment: &Environment,
    token: &dyn Fn(&str) -> String,
) -> Result<(), CliError> {
    let Some(known) = &metadata.redactions else {
        return Ok(());
    };
    let variables = known.counts.keys().filter_map(|rule| {
        let name = rule.strip_prefix("env.")?;
        let is_known = echoes.has(rule)
            || environment
                .text(name)
                .is_some_and(|value| !is_another(metadata, rule, &token(value)));
        (!is_known).then_some(name)
    });
    let Some(name) = variables.into_iter().next() else {
        return Ok(());
    };
    let id = &metadata.session_id;
    let message =
        format!("{id} printed the value that {name} had then, which can't be found without it");
    Err(CliError::new(Kind::Failed, message).with_hint(format!(
        "export it where {name} is set as it was then; --no-redact --yes lets it out"
    )))
}

/// Whether what was printed is another value than the one for which this token stands: what a rule's
/// tokens end with tells values apart, for who has the key.
fn is_another(metadata: &Metadata, rule: &str, token: &str) -> bool {
    let begins = format!("[REDACTED:{rule}:");
    let printed = [Some(&metadata.stdout_tail), metadata.stderr_head.as_ref()];
    let mut printed = printed.into_iter().flatten();
    // A value that is no secret has no token, and is another one for certain.
    let mut tokens = token.lines().filter(|token| token.contains(&begins));
    printed.clone().any(|text| text.contains(&begins))
        && !tokens.any(|token| printed.any(|text| text.contains(token.trim())))
}
