//! `aido export`

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::{Map, Value};

use super::error::{CliError, Kind};
use super::reading::Reader;
use super::redaction::Rules;
use super::word::StoreArguments;
use super::{Answer, CliResult, io};
use crate::config::Layer;
use crate::egress::{self, Profile, Redaction, Subject, Terms};
use crate::redact::{Depth, Redactor, Report};
use crate::session::SessionId;
use crate::store::Store;
use crate::store::resolve::resolve;
use crate::store::signature::Signature;
use crate::sys::file::Directory;
use crate::sys::random;
use crate::view::sanitize;

/// `aido export`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Nothing is sent: what is printed is for curl, psql, duckdb or a file. json is one array, ndjson an
object a line. What was printed never leaves; of a session's fields those leave that are named in
docs/sharing.md. aido verify --export FILE proves later, on this machine, what an export came from.")]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// json or ndjson
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value = "json",
        hide_possible_values = true
    )]
    pub format: Format,
    /// minimal, or full: also the end of the output, the host's name, and where the files are
    #[arg(
        long,
        value_enum,
        value_name = "PROFILE",
        default_value = "minimal",
        hide_possible_values = true
    )]
    pub profile: NamedProfile,
    /// Write to this file instead, private and in one step
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Also replace whatever looks drawn by lot, which may be ordinary text
    #[arg(long, conflicts_with = "no_redact")]
    pub strict: bool,
    /// Leave secrets as they are, except in a command line that was marked; wants --yes
    #[arg(long)]
    pub no_redact: bool,
    /// Yes, with its secrets
    #[arg(long, requires = "no_redact")]
    pub yes: bool,
    /// Which sessions: last, last~2, last:failed, @agent, an id, or the beginning or end of one
    #[arg(value_name = "SESSION", default_value = "last")]
    pub selectors: Vec<String>,
}

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One array.
    Json,
    /// An object a line.
    Ndjson,
}

/// A profile, as it is named here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NamedProfile {
    /// See [`Profile::Minimal`].
    Minimal,
    /// See [`Profile::Full`].
    Full,
}

/// Prints what of sessions may leave. What was replaced is said on standard error, and in each record.
///
/// # Errors
/// When a session isn't there, a rule of the repository's can't be used, or it can't be written.
pub fn export(arguments: &Arguments, flags: Layer) -> CliResult {
    if arguments.no_redact && !arguments.yes {
        let message = "--no-redact lets secrets out";
        return Err(CliError::new(Kind::Usage, message).with_hint("add --yes if that is wanted"));
    }
    let reader = Reader::open(&arguments.store, flags)?;
    let rules = Rules::read(&reader)?;
    let terms = Terms {
        profile: match arguments.profile {
            NamedProfile::Minimal => Profile::Minimal,
            NamedProfile::Full => Profile::Full,
        },
        redaction: if arguments.no_redact {
            Redaction::Off
        } else {
            Redaction::On
        },
        depth: if arguments.strict {
            Depth::Strict
        } else {
            Depth::Normal
        },
        ruleset: rules.ruleset.clone(),
    };
    let redactor = rules.redactor(&reader, terms.depth)?;
    let mut ids: Vec<SessionId> = Vec::new();
    for selector in &arguments.selectors {
        let id = resolve(&reader.store, selector)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let (mut records, mut report) = (Vec::with_capacity(ids.len()), Report::default());
    for id in &ids {
        let (record, replaced) = record(&reader, id, &terms, &redactor)?;
        report.merge(&replaced);
        records.push(sanitize::json(&Value::Object(record).to_string()).into_owned());
    }
    let text = match arguments.format {
        Format::Json => format!("[{}]\n", records.join(",\n")),
        Format::Ndjson => records.iter().map(|record| format!("{record}\n")).collect(),
    };
    match &arguments.output {
        None => io::Out::stdout().write(&text)?,
        Some(path) => write_file(path, &text)?,
    }
    if !report.is_clean() {
        io::say(&format!("aido: {}", summary(&report)));
    }
    Ok(Answer::Yes)
}

/// A session's record on these terms, and what was replaced in it.
///
/// # Errors
/// When the session can't be read.
pub(super) fn record(
    reader: &Reader,
    id: &SessionId,
    terms: &Terms,
    redactor: &Redactor,
) -> Result<(Map<String, Value>, Report), CliError> {
    let session = reader.read(id)?;
    let transcript = reader.store.transcript(id).ok();
    let transcript_bytes =
        transcript.and_then(|mut transcript| transcript.seek(SeekFrom::End(0)).ok());
    let subject = Subject {
        metadata: &session.metadata,
        state: session.state_name(),
        signature: session.signature.map(Signature::name),
        transcript_bytes,
    };
    Ok(egress::record(subject, terms, redactor))
}

/// What was replaced, on one line.
fn summary(report: &Report) -> String {
    let counts: Vec<String> = report
        .counts()
        .map(|(rule, count)| format!("{rule} {count}"))
        .collect();
    let places = match report.total() {
        1 => "a secret was replaced".to_owned(),
        more => format!("secrets were replaced in {more} places"),
    };
    format!("{places}: {}", counts.join(", "))
}

/// Writes a private file whole, or not at all.
fn write_file(path: &Path, text: &str) -> Result<(), CliError> {
    let failed =
        |error: std::io::Error| CliError::new(Kind::Failed, format!("{}: {error}", path.display()));
    let name = path.file_name().and_then(|name| name.to_str());
    let Some(name) = name.filter(|_| !path.exists() || path.is_file()) else {
        let message = format!("{} can't be replaced by a file", path.display());
        return Err(CliError::new(Kind::Usage, message)
            .with_hint("-o takes the name of a file; without it, standard output is written"));
    };
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = Directory::open(parent.unwrap_or(Path::new("."))).map_err(failed)?;
    let number = random::number().map_err(failed)?;
    let temporary = format!(".{name}.{number:08x}");
    let mut file = directory.create(&temporary).map_err(failed)?;
    let written = file.write_all(text.as_bytes());
    let written = written.and_then(|()| directory.replace(&temporary, name));
    written.map_err(|error| {
        let _ = directory.remove(&temporary);
        failed(error)
    })
}
