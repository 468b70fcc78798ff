//! `aido schema`

use super::{Answer, CliResult, io};

/// Generated from the types by a test, so that the program doesn't carry the generator.
const SESSION: &str = include_str!("../../schema/session.schema.json");

/// `aido schema`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Accepted for symmetry: a schema is JSON
    #[arg(long)]
    pub json: bool,
}

/// Prints the JSON Schema of a sidecar.
///
/// # Errors
/// When it can't be printed.
pub fn schema(_arguments: &Arguments) -> CliResult {
    io::Out::stdout().write(SESSION)?;
    Ok(Answer::Yes)
}
