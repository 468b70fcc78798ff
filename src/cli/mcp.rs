//! `aido mcp`

use super::CliResult;
use super::word::StoreArguments;
use crate::config::Layer;

#[cfg(feature = "mcp")]
mod given;
#[cfg(feature = "mcp")]
mod resources;
#[cfg(feature = "mcp")]
mod server;
#[cfg(feature = "mcp")]
mod shapes;
#[cfg(feature = "mcp")]
mod tools;
#[cfg(feature = "mcp")]
mod transport;

/// `aido mcp`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
It is started by an agent's program, and ends when its standard input does. Its tools list, show and
search sessions, check a command, hand over and add a lesson; none runs a command. docs/agents.md says
how each program is told of it, and `aido init --mcp` does that.")]
pub struct Arguments {
    /// Where sessions are kept
    #[arg(long, value_name = "DIR")]
    pub session_dir: Option<String>,
}

impl Arguments {
    /// The store as other words have it.
    #[must_use]
    pub fn store(&self) -> StoreArguments {
        StoreArguments::of(self.session_dir.clone())
    }
}

/// Whether this build has it.
pub const IS_THERE: bool = cfg!(feature = "mcp");

/// Answers a client of the Model Context Protocol on standard input and output, until that ends.
///
/// # Errors
/// When settings can't be taken, so that no answer could be given, or no thread can be had.
#[cfg(feature = "mcp")]
pub fn mcp(arguments: &Arguments, flags: Layer) -> CliResult {
    // Who starts it wrongly hears of it at once, and not by every answer.
    super::reading::Reader::open(&arguments.store(), flags.clone())?;
    if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        super::io::say("aido: this waits for an MCP client's messages; Ctrl-D ends it");
    }
    server::serve(arguments.session_dir.clone(), flags)?;
    Ok(super::Answer::Yes)
}

/// Says that this build can't.
///
/// # Errors
/// Always.
#[cfg(not(feature = "mcp"))]
pub fn mcp(_arguments: &Arguments, _flags: Layer) -> CliResult {
    use super::error::{CliError, Kind};

    Err(
        CliError::new(Kind::Failed, "this aido was built without MCP")
            .with_hint("build it with the feature `mcp`, which is one of the default ones"),
    )
}
