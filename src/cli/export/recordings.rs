//! Sessions as recordings and pages: which files there are, and one pass over each session for each.

use std::io;
use std::path::{Path, PathBuf};

use super::subject::{Recording, Subject};
use crate::cli::destination::{Destination, forgive};
use crate::cli::error::{CliError, Kind};
use crate::cli::reading::Reader;
use crate::cli::redaction::Rules;
use crate::egress::Terms;
use crate::formats::html;
use crate::formats::{
    Asciicast, Assembled, Fence, Format, Head, Heading, Html, Markdown, Script, Svg, Text, Version,
};
use crate::session::SessionId;
use crate::sys::file::Directory;

/// A format that holds what was printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Asciicast(Version),
    Script,
    Text,
    Markdown,
    Html,
    Svg,
}

impl Form {
    /// Whether one file can hold several sessions.
    fn holds_several(self) -> bool {
        matches!(self, Self::Text | Self::Markdown | Self::Html)
    }

    /// Whether a player reads it, to which the recorded bytes go.
    fn is_for_players(self) -> bool {
        matches!(self, Self::Asciicast(_) | Self::Script)
    }

    /// What the names of its files end with.
    fn extension(self) -> &'static str {
        match self {
            Self::Asciicast(_) => "cast",
            Self::Script => "typescript",
            Self::Text => "txt",
            Self::Markdown => "md",
            Self::Html => "html",
            Self::Svg => "svg",
        }
    }
}

/// Writes sessions in a format.
pub(super) struct Exporter<'a> {
    pub(super) reader: &'a Reader,
    pub(super) rules: &'a Rules,
    pub(super) terms: &'a Terms,
    pub(super) form: Form,
    /// Secrets that were masked so far.
    pub(super) masked: usize,
}

/// The timing of a typescript.
fn timing_path(typescript: &Path) -> PathBuf {
    let mut name = typescript.as_os_str().to_owned();
    name.push(".timing");
    PathBuf::from(name)
}

fn is_directory(path: &Path) -> bool {
    path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/")
}

impl Exporter<'_> {
    /// Writes the sessions to standard output, into one file, or into one file each in a directory.
    ///
    /// # Errors
    /// When the format can't hold them so, or they can't be read or written.
    pub(super) fn export(
        &mut self,
        ids: &[SessionId],
        output: Option<&Path>,
    ) -> Result<(), CliError> {
        match output {
            Some(directory) if is_directory(directory) => {
                Directory::open_or_make(directory).map_err(|error| {
                    CliError::new(Kind::Failed, format!("{}: {error}", directory.display()))
                })?;
                for id in ids {
                    let name = format!("{id}.{}", self.form.extension());
                    self.one_file(std::slice::from_ref(id), Some(&directory.join(name)))?;
                }
                Ok(())
            }
            _ if ids.len() > 1 && !self.form.holds_several() => {
                let message = "this format holds one session";
                Err(CliError::new(Kind::Usage, message)
                    .with_hint("-o DIR/ writes a file for each into a directory"))
            }
            _ => self.one_file(ids, output),
        }
    }

    fn one_file(&mut self, ids: &[SessionId], output: Option<&Path>) -> Result<(), CliError> {
        let mut destination = Destination::new(output)?;
        let mut timing = match (self.form, output) {
            (Form::Script, Some(path)) => Some(Destination::new(Some(&timing_path(path)))?),
            _ => None,
        };
        self.begin_page(ids, &mut destination)?;
        for id in ids {
            let heading = match ids.len() {
                1 => Heading::None,
                _ => Heading::Line,
            };
            self.one_session(id, heading, &mut destination, timing.as_mut())?;
        }
        if self.form == Form::Html {
            forgive(html::page_end(&mut destination))?;
        }
        timing.map_or(Ok(()), Destination::finish)?;
        destination.finish()
    }

    fn begin_page(&self, ids: &[SessionId], destination: &mut Destination) -> Result<(), CliError> {
        if self.form != Form::Html {
            return Ok(());
        }
        let heads = ids.iter().map(|id| {
            let subject = Subject::read(self.reader, id, self.rules, self.terms)?;
            Ok(subject.head())
        });
        let heads: Vec<Head> = heads.collect::<Result<_, CliError>>()?;
        match &heads[..] {
            [only] => forgive(html::page_start(destination, &only.command, ""))?,
            several => {
                let title = format!("{} sessions", several.len());
                forgive(html::page_start(destination, &title, ""))?;
                forgive(html::contents(destination, several))?;
            }
        }
        Ok(())
    }

    fn one_session(
        &mut self,
        id: &SessionId,
        heading: Heading,
        destination: &mut Destination,
        timing: Option<&mut Destination>,
    ) -> Result<(), CliError> {
        let subject = Subject::read(self.reader, id, self.rules, self.terms)?;
        let head = subject.head();
        let redactor = subject.redactor();
        if self.form.is_for_players() {
            refuse_assembled(&subject)?;
        }
        let mut format: Box<dyn Format + '_> = match self.form {
            Form::Asciicast(version) => Box::new(Asciicast::new(head, version, destination)),
            Form::Text => Box::new(Text::new(head, heading, redactor, destination)),
            Form::Markdown => {
                let mut fence = Fence::new(&head, redactor);
                play(subject.recording()?.0, &mut fence)?;
                Box::new(Markdown::new(head, &fence, redactor, destination))
            }
            Form::Html => Box::new(Html::new(head, redactor, destination)),
            Form::Svg => Box::new(Svg::new(head, redactor, destination)),
            Form::Script => {
                let timing = timing.ok_or_else(|| {
                    let message = "a typescript and its timing are two files";
                    CliError::new(Kind::Usage, message)
                        .with_hint("-o FILE writes FILE and FILE.timing")
                })?;
                Box::new(Script::new(head, destination, timing))
            }
        };
        let (recording, masked) = subject.recording()?;
        forgive(play(recording, &mut *format))?;
        self.masked += masked + format.masked();
        Ok(())
    }
}

/// Refuses a recording for players in which a terminal would put a secret together: no bytes of it are
/// the secret, so none can be masked.
pub(super) fn refuse_assembled(subject: &Subject<'_>) -> Result<(), CliError> {
    let Some(redactor) = subject.redactor() else {
        return Ok(());
    };
    let mut assembled = Assembled::new(&subject.head(), redactor);
    play(subject.recording()?.0, &mut assembled)?;
    if assembled.masked() == 0 {
        return Ok(());
    }
    let id = &subject.session.metadata.session_id;
    let message = format!("{id} shows a secret that is in no piece of what was written");
    Err(CliError::new(Kind::Failed, message)
        .with_hint("--format text, markdown, html and svg mask it; --no-redact --yes lets it out"))
}

fn play(mut recording: Recording, format: &mut dyn Format) -> io::Result<()> {
    format.begin()?;
    while let Some(moment) = recording.next_moment()? {
        format.moment(&moment)?;
    }
    format.end()
}
