//! `aido import`

mod filing;
mod sources;

use std::path::{Path, PathBuf};

use serde_json::json;

use super::error::{CliError, Kind};
use super::io::{Out, say};
use super::page::Form;
use super::reading::Reader;
use super::word::StoreArguments;
use super::{Answer, CliResult};
use crate::config::Layer;
use crate::view::sanitize;
use filing::Filed;

/// `aido import`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Taken are asciicasts (versions 1, 2 and 3), typescripts of util-linux script with or without timing
(-T or -t of script; the classic and the advanced form), and sessions of the older aido, a shell script:
name ID.meta.json or ID.typescript. What a file doesn't prove stays empty and is said on standard error,
and in the sidecar's imported.doubts. Recorded input is never taken. An imported session has the origin
imported and is not signed: nobody here saw it happen.")]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// The timing of a typescript [default: FILE.timing, if there is one]
    #[arg(long, value_name = "FILE")]
    pub timing: Option<PathBuf>,
    /// Recordings of other programs
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
}

/// Files recordings of other programs as sessions, and prints their ids.
///
/// # Errors
/// When a file is no recording, or it can't be filed; those before it stay.
pub fn import(arguments: &Arguments, flags: Layer) -> CliResult {
    if arguments.timing.is_some() && arguments.files.len() > 1 {
        let message = "--timing is for one typescript";
        return Err(CliError::new(Kind::Usage, message));
    }
    let reader = Reader::open(&arguments.store, flags)?;
    let mut filed = Vec::new();
    let mut failed = None;
    for path in &arguments.files {
        match sources::take(&reader, path, arguments.timing.as_deref()) {
            Ok(one) => {
                tell(path, &one, arguments.store.form())?;
                filed.push((path, one));
            }
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    if arguments.store.json {
        let sessions = filed.iter().map(|(path, one)| {
            json!({
                "file": path.to_string_lossy(),
                "session_id": one.id,
                "format": one.format,
                "doubts": one.doubts,
            })
        });
        let sessions: Vec<_> = sessions.collect();
        let mut out = Out::stdout();
        out.json(&sessions)?;
        out.write("\n")?;
    }
    failed.map_or(Ok(Answer::Yes), Err)
}

fn tell(path: &Path, filed: &Filed, form: Form) -> Result<(), CliError> {
    let name = path.display();
    for doubt in &filed.doubts {
        say(&sanitize::line(&format!("aido: {name}: {doubt}")));
    }
    if form == Form::Text {
        Out::stdout().write(&format!("{}\n", filed.id))?;
    }
    Ok(())
}
