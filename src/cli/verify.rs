//! `aido verify`

use std::io::{ErrorKind, IsTerminal, Write};
use std::path::PathBuf;

use super::error::CliError;
use super::progress::Progress;
use super::reading::Reader;
use super::word::StoreArguments;
use super::{Answer, CliResult, io};
use crate::config::Layer;
use crate::session::SessionId;
use crate::store::resolve::{all_newest_first, resolve};
use crate::store::signature::Signature;
use crate::store::verify::{self, Counts, Finding};
use crate::view::verify::{Defects, Remarks, Stranger, Summary, document, to_json};
use crate::view::{sanitize, units};

mod export;

/// `aido verify`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// Print defects only, and nothing where there are none
    #[arg(short, long, conflicts_with = "json")]
    pub quiet: bool,
    /// Check that an export is what its sessions here give, and unchanged; - reads standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["selectors", "quiet"])]
    pub export: Option<PathBuf>,
    /// Which sessions: last, last~2, last:failed, @agent, an id, or the beginning or end of one [default: all]
    #[arg(value_name = "SESSION")]
    pub selectors: Vec<String>,
}

/// Checks that sessions are whole and unchanged, and says what is wrong.
///
/// # Errors
/// When the store can't be read, or a session that was named isn't there.
pub fn verify(arguments: &Arguments, flags: Layer) -> CliResult {
    let reader = Reader::open(&arguments.store, flags)?;
    if let Some(file) = &arguments.export {
        return export::prove(&reader, file, arguments.store.form());
    }
    let ids = which(&reader, &arguments.selectors)?;
    let strangers = if arguments.selectors.is_empty() {
        verify::strangers(&reader.store.path())?
    } else {
        Vec::new()
    };
    let mut report = Report::new(arguments);
    let mut counts = Counts::default();
    let mut progress = Progress::start();
    let mut read_bytes = 0;
    for (index, id) in ids.iter().enumerate() {
        let done = |bytes| {
            let size = units::size(bytes);
            format!("verifying: {index} of {} sessions, {size}", ids.len())
        };
        let mut advance = |bytes| {
            read_bytes += bytes;
            progress.show(|| done(read_bytes));
        };
        advance(0);
        let key = reader.key().ok();
        if let Some(finding) = verify::verify(&reader.store, id, key, &mut advance) {
            counts.add(&finding);
            report.add(&finding, &mut progress)?;
        }
    }
    drop(progress);
    if arguments.store.json {
        let json = document(report.sessions, &strangers, &counts).to_string();
        writeln!(report.out, "{}", sanitize::json(&json))?;
    } else if !arguments.quiet {
        for name in &strangers {
            write!(report.out, "{}", Stranger(name))?;
        }
        if ids.is_empty() {
            let line = format!("no sessions in {}", reader.store.path().display());
            writeln!(report.out, "{}", sanitize::line(&line))?;
        } else {
            write!(report.out, "{}", Summary(&counts))?;
        }
    }
    report.out.flush()?;
    if counts.signature(Signature::Unsigned) > 0 && !arguments.quiet {
        say_without_key(&reader);
    }
    Ok(if counts.has_defects() {
        Answer::No
    } else {
        Answer::Yes
    })
}

/// The sessions that the selectors name, each once and in their order; all, newest first, without
/// any.
fn which(reader: &Reader, selectors: &[String]) -> Result<Vec<SessionId>, CliError> {
    if selectors.is_empty() {
        return Ok(all_newest_first(&reader.store)?);
    }
    let mut ids = Vec::new();
    for selector in selectors {
        let id = resolve(&reader.store, selector)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// Unsigned because nobody signed them, or because nobody can check: the reader should know which.
fn say_without_key(reader: &Reader) {
    match reader.key() {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {
            io::say("aido: there is no key of yours here, so no signature could be checked");
        }
        Err(error) => io::say(&format!("aido: no signature could be checked: {error}")),
    }
}

/// What is printed on the way, or kept for the end.
struct Report {
    out: io::Out,
    is_quiet: bool,
    is_json: bool,
    /// Somebody may wait for each line.
    is_watched: bool,
    sessions: Vec<serde_json::Value>,
}

impl Report {
    fn new(arguments: &Arguments) -> Self {
        Self {
            out: io::Out::stdout(),
            is_quiet: arguments.quiet,
            is_json: arguments.store.json,
            is_watched: std::io::stdout().is_terminal(),
            sessions: Vec::new(),
        }
    }

    fn add(&mut self, finding: &Finding, progress: &mut Progress) -> std::io::Result<()> {
        if self.is_json {
            self.sessions.push(to_json(finding));
            return Ok(());
        }
        let mut lines = Defects(finding).to_string();
        if !self.is_quiet {
            lines.push_str(&Remarks(finding).to_string());
        }
        if lines.is_empty() {
            return Ok(());
        }
        progress.clear();
        self.out.write_all(lines.as_bytes())?;
        if self.is_watched {
            self.out.flush()?;
        }
        Ok(())
    }
}
