//! `aido completions`: a script for a shell. The scripts are short, since they ask aido itself what
//! may stand at the cursor ([`super::complete`]); so they fit whatever aido is installed.

use super::{Answer, CliResult, io};

const BASH: &str = include_str!("completions/aido.bash");
const ZSH: &str = include_str!("completions/aido.zsh");
const FISH: &str = include_str!("completions/aido.fish");

/// `aido completions`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// A shell that can be told how to complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Shell {
    /// For ~/.bashrc: source <(aido completions bash)
    Bash,
    /// For ~/.zshrc, after compinit: source <(aido completions zsh)
    Zsh,
    /// For ~/.config/fish/config.fish: aido completions fish | source
    Fish,
}

/// Prints the script.
///
/// # Errors
/// When it can't be printed.
pub fn completions(arguments: &Arguments) -> CliResult {
    io::Out::stdout().write(match arguments.shell {
        Shell::Bash => BASH,
        Shell::Zsh => ZSH,
        Shell::Fish => FISH,
    })?;
    Ok(Answer::Yes)
}
