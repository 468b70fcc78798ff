//! `aido export`

mod bundle;
mod recordings;
pub(super) mod subject;

use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::{Map, Value};

use super::destination::{self, Destination, forgive};
use super::error::{CliError, Kind};
use super::reading::Reader;
use super::redaction::Rules;
use super::word::StoreArguments;
use super::{Answer, CliResult, io};
use crate::config::Layer;
use crate::egress::{self, Profile, Redaction, Subject, Terms};
use crate::formats::{Version, otlp};
use crate::redact::{Depth, Redactor, Report};
use crate::session::SessionId;
use crate::store::Store;
use crate::store::resolve::resolve;
use crate::store::signature::Signature;
use crate::view::sanitize;
use recordings::{Exporter, Form};

/// How deep sessions in sessions are followed.
const NESTED_MAX: usize = 16;

/// `aido export`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Nothing is sent: what is printed is for curl, psql, duckdb, a player, a browser or a file.

json (one array) and ndjson (an object a line) hold those fields of a session that are named in
docs/sharing.md, and nothing that was printed but for the few lines that --profile full quotes; otlp has them as spans of OpenTelemetry. aido verify --export FILE proves later, on this
machine, what they came from. The others hold what was printed, with secrets masked:
  asciicast, asciicast-v2   what asciinema plays; version 3 and 2
  script                    what scriptreplay plays: FILE and FILE.timing
  text, markdown            what a person would have read
  html                      one page with colours, light and dark, without scripts
  svg                       a picture of the last lines, as many as the terminal had
  bundle                    a tar archive of all files, with their digests; with --no-redact --yes
                            byte for byte, otherwise masked and with a record for the sidecar")]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// json, ndjson, otlp, asciicast, asciicast-v2, script, text, markdown, html, svg or bundle
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value = "json",
        hide_possible_values = true
    )]
    pub format: Format,
    /// minimal, or full: also the end of the output, the host's name, and where the files are
    /// [default: minimal]
    #[arg(long, value_enum, value_name = "PROFILE", hide_possible_values = true)]
    pub profile: Option<NamedProfile>,
    /// Write to this file instead, private and in one step; DIR/ gets a file for each session
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Also replace whatever looks drawn by lot, which may be ordinary text
    #[arg(long, conflicts_with = "no_redact")]
    pub strict: bool,
    /// Leave secrets as they are, except in a command line and an environment that were marked; wants --yes
    #[arg(long)]
    pub no_redact: bool,
    /// Yes, with its secrets
    #[arg(long, requires = "no_redact")]
    pub yes: bool,
    /// Which sessions: last, last~2, last:failed, @agent, an id, or the beginning or end of one
    #[arg(value_name = "SESSION", default_value = "last")]
    pub selectors: Vec<String>,
}

/// How sessions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Records as one array.
    Json,
    /// Records, an object a line.
    Ndjson,
    /// asciicast, version 3.
    Asciicast,
    /// asciicast, version 2.
    AsciicastV2,
    /// Typescript and timing of util-linux.
    Script,
    /// Plain text.
    Text,
    /// Markdown.
    Markdown,
    /// A page.
    Html,
    /// A picture.
    Svg,
    /// Spans of OpenTelemetry.
    Otlp,
    /// All files in an archive.
    Bundle,
}

impl Format {
    /// Whether it holds fields of sessions only.
    fn is_of_records(self) -> bool {
        matches!(self, Self::Json | Self::Ndjson | Self::Otlp)
    }

    /// The form of a recording; none of what is something else.
    fn form(self) -> Option<Form> {
        match self {
            Self::Json | Self::Ndjson | Self::Otlp | Self::Bundle => None,
            Self::Asciicast => Some(Form::Asciicast(Version::Three)),
            Self::AsciicastV2 => Some(Form::Asciicast(Version::Two)),
            Self::Script => Some(Form::Script),
            Self::Text => Some(Form::Text),
            Self::Markdown => Some(Form::Markdown),
            Self::Html => Some(Form::Html),
            Self::Svg => Some(Form::Svg),
        }
    }
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
    let form = arguments.format.form();
    if !arguments.format.is_of_records() && arguments.profile.is_some() {
        let message = "--profile is for json, ndjson and otlp: this format holds what was printed";
        return Err(CliError::new(Kind::Usage, message));
    }
    let reader = Reader::open(&arguments.store, flags)?;
    let rules = Rules::read(&reader)?;
    let terms = Terms {
        profile: match arguments.profile {
            None | Some(NamedProfile::Minimal) => Profile::Minimal,
            Some(NamedProfile::Full) => Profile::Full,
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
    let mut ids: Vec<SessionId> = Vec::new();
    for selector in &arguments.selectors {
        let id = resolve(&reader.store, selector)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    if arguments.format.is_of_records() {
        records(arguments, &reader, &ids, &terms, &rules)?;
        return Ok(Answer::Yes);
    }
    let output = destination::named(arguments.output.as_ref());
    let Some(form) = form else {
        let terms = Terms {
            profile: Profile::Full,
            ..terms
        };
        say_masked(bundle::export(&reader, &ids, &rules, &terms, output)?);
        return Ok(Answer::Yes);
    };
    let mut exporter = Exporter {
        reader: &reader,
        rules: &rules,
        terms: &terms,
        form,
        masked: 0,
    };
    exporter.export(&ids, output)?;
    say_masked(exporter.masked);
    Ok(Answer::Yes)
}

fn say_masked(masked: usize) {
    match masked {
        0 => {}
        1 => io::say("aido: a secret was masked"),
        more => io::say(&format!("aido: {more} secrets were masked")),
    }
}

/// Writes records.
fn records(
    arguments: &Arguments,
    reader: &Reader,
    ids: &[SessionId],
    terms: &Terms,
    rules: &Rules,
) -> Result<(), CliError> {
    let redactor = rules.redactor(reader, terms.depth)?;
    let (mut records, mut report) = (Vec::with_capacity(ids.len()), Report::default());
    for id in ids {
        let (record, replaced) = record(reader, id, terms, &redactor)?;
        report.merge(&replaced);
        records.push(record);
    }
    if arguments.format == Format::Otlp {
        let around: Vec<Vec<otlp::OuterSession>> =
            ids.iter().map(|id| around(reader, id)).collect();
        let spans = records.iter().zip(&around);
        let spans: Vec<otlp::Record<'_>> = spans
            .map(|(fields, around)| otlp::Record { fields, around })
            .collect();
        records = match otlp::request(&spans) {
            Value::Object(request) => vec![request],
            _ => Vec::new(),
        };
    }
    let records: Vec<String> = records
        .into_iter()
        .map(|record| sanitize::json(&Value::Object(record).to_string()).into_owned())
        .collect();
    let text = match arguments.format {
        Format::Otlp => records.iter().map(|record| format!("{record}\n")).collect(),
        Format::Ndjson => records.iter().map(|record| format!("{record}\n")).collect(),
        _ => format!("[{}]\n", records.join(",\n")),
    };
    let mut destination = Destination::new(destination::named(arguments.output.as_ref()))?;
    forgive(destination.write_all(text.as_bytes()))?;
    destination.finish()?;
    if !report.is_clean() {
        io::say(&format!("aido: {}", summary(&report)));
    }
    Ok(())
}

/// The sessions that one ran in, as far as they are here, the nearest first.
fn around(reader: &Reader, id: &SessionId) -> Vec<otlp::OuterSession> {
    let mut around: Vec<otlp::OuterSession> = Vec::new();
    let mut inner = reader.read(id).ok();
    while let Some(session) = inner
        && let Some(outer) = session.metadata.within
        && around.len() < NESTED_MAX
    {
        let session = outer.parse().ok().and_then(|id| reader.read(&id).ok());
        let variable = |session: &crate::view::session::Shown| {
            let value = session.metadata.env.get("TRACEPARENT")?;
            value.as_str().map(str::to_owned)
        };
        around.push(otlp::OuterSession {
            id: outer,
            trace_parent: session.as_ref().and_then(variable),
        });
        inner = session;
    }
    around
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
