//! `aido schema`

use super::args::SchemaArguments;
use super::{CliResult, io};

/// Generated from the types by a test, so that the program doesn't carry the generator.
const SESSION: &str = include_str!("../../schema/session.schema.json");

/// Prints the JSON Schema of a sidecar.
///
/// # Errors
/// When it can't be printed.
pub fn schema(_arguments: &SchemaArguments) -> CliResult {
    Ok(io::Out::stdout().write(SESSION)?)
}
