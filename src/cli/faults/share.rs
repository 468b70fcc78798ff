//! `aido faults share`

use std::io::Write;

use serde_json::json;

use super::Arguments;
use crate::cli::ignored::hidden_by;
use crate::cli::memory::Memory;
use crate::cli::{Answer, CliResult, io};
use crate::faults::record::RECORD_VERSION;
use crate::memory::Sharing;
use crate::view::sanitize;

/// Opens the directory for git, or closes it again. Where git ignores it all the same, that is said.
pub(super) fn share(arguments: &Arguments, memory: &Memory) -> CliResult {
    let sharing = if arguments.off {
        Sharing::Off
    } else {
        Sharing::On
    };
    if sharing == Sharing::On {
        // What worked instead is the best of what is shared.
        memory.seek_all()?;
    }
    memory
        .faults
        .share(sharing)
        .map_err(|error| memory.failed(&error))?;
    let path = memory.faults.path();
    let is_shared = sharing == Sharing::On;
    let hidden_by = is_shared.then(|| hidden_by(&path, "fault.json")).flatten();
    let mut out = io::Out::stdout();
    if arguments.store.json {
        out.json(&json!({
            "schema_version": RECORD_VERSION,
            "shared": is_shared,
            "hidden_by": hidden_by,
            "path": path.to_string_lossy(),
        }))?;
        writeln!(out)?;
    } else {
        let path = sanitize::line(&path.to_string_lossy()).into_owned();
        let line = match (sharing, &hidden_by) {
            (Sharing::On, None) => format!(
                "{path} is open for git, without local/: redacted records and lessons, and rules.d\n\
                 to share them: git add {path}"
            ),
            (Sharing::On, Some(source)) => format!(
                "{path} is open, but git still ignores it: {}\n\
                 remove that line (aido keeps its sessions from git by itself), then: git add {path}",
                sanitize::line(source)
            ),
            (Sharing::Off, _) => {
                format!("git ignores {path} again; what was committed stays committed")
            }
        };
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    Ok(if hidden_by.is_some() {
        Answer::No
    } else {
        Answer::Yes
    })
}
