//! `aido faults import-matcher`

use std::io::{ErrorKind, Write};
use std::path::Path;

use serde_json::json;

use super::Arguments;
use crate::cli::error::{CliError, Kind};
use crate::cli::memory::Memory;
use crate::cli::{Answer, CliResult, io};
use crate::faults::matcher;
use crate::faults::record::RECORD_VERSION;
use crate::sys::file::read_small;
use crate::view::sanitize;

/// The largest file of problem matchers that is read.
const MATCHERS_MAX_BYTES: u64 = 256 * 1024;

/// Makes a file of rules from one of problem matchers, and names what was left out.
pub(super) fn import_matcher(arguments: &Arguments, memory: &Memory, path: &str) -> CliResult {
    let bytes = read_small(Path::new(path), MATCHERS_MAX_BYTES);
    let bytes = bytes.map_err(|error| CliError::new(Kind::Failed, format!("{path}: {error}")))?;
    let imported = matcher::import(&String::from_utf8_lossy(&bytes)).map_err(|problem| {
        CliError::new(
            Kind::Failed,
            format!("{path} is no file of problem matchers: {problem}"),
        )
    })?;
    for skipped in &imported.skipped {
        io::say(&sanitize::line(&format!("aido: left out: {skipped}")));
    }
    if imported.ids.is_empty() {
        return Ok(Answer::No);
    }
    let added = memory.faults.add_rules(&imported.name, &imported.rules);
    let file = added.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            let file = format!("rules.d/{}.toml", imported.name);
            let file = memory.faults.path().join(file);
            CliError::new(Kind::Failed, format!("{} is there already", file.display()))
                .with_hint("remove it to import it anew")
        }
        _ => memory.failed(&error),
    })?;
    let file = memory.faults.path().join(file);
    let mut out = io::Out::stdout();
    if arguments.store.json {
        out.json(&json!({
            "schema_version": RECORD_VERSION,
            "file": file.to_string_lossy(),
            "rules": imported.ids,
            "left_out": imported.skipped,
        }))?;
        writeln!(out)?;
    } else {
        let line = format!("{}: {}", file.display(), imported.ids.join(", "));
        writeln!(out, "{}", sanitize::line(&line))?;
    }
    out.flush()?;
    Ok(Answer::Yes)
}
