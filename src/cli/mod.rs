//! FRONT DOOR: the command line.
//!
//! Arguments are parsed in two steps: what was typed ([`args`]), then settings that can be used
//! ([`crate::config`]). Only [`io`] prints, and only [`main`] turns an end into an exit status.

pub mod args;
pub mod attach;
pub mod capture;
pub mod check;
pub mod checkpoint;
pub mod color;
pub mod complete;
pub mod completions;
pub mod conversations;
pub mod destination;
pub mod doctor;
pub mod error;
pub mod export;
pub mod faults;
pub mod filter;
pub mod handoff;
pub mod hook;
mod ignored;
pub mod import;
pub mod init;
pub mod io;
pub mod lessons;
pub mod list;
#[cfg(test)]
mod manual;
pub mod mcp;
pub mod memory;
pub mod note;
pub mod page;
pub mod pager;
pub mod pattern;
pub mod progress;
pub mod prune;
pub mod reading;
pub mod recover;
pub mod redaction;
pub mod replay;
pub mod reply;
pub mod report;
pub mod rerun;
pub mod run;
pub mod schema;
pub mod search;
pub mod send;
pub mod sheet;
pub mod show;
pub mod start;
pub mod stats;
pub mod stop;
mod target;
pub mod tasks;
pub mod text;
pub mod verify;
pub mod wait;
pub mod word;

use std::ffi::OsString;

use args::Invocation;
use error::CliError;
use io::ExitCode;
use page::Form;

/// Does what the arguments say, and returns the exit code. The first of them is the program's own
/// name.
#[must_use]
pub fn main(arguments: Vec<OsString>) -> u8 {
    let code = match args::parse(arguments) {
        Ok(Invocation::Print(text)) => io::finish(io::Out::stdout().write(&text)),
        Ok(Invocation::Run(typed)) => run::run(typed),
        Ok(Invocation::Word(word, flags)) => {
            let form = match word.wants_json() {
                true => Form::Json,
                false => Form::Text,
            };
            match word.run(flags) {
                Ok(Answer::Yes) => ExitCode::SUCCESS,
                Ok(Answer::No) => ExitCode::FAILURE,
                Ok(Answer::Ended(code)) => code,
                Err(error) => error::report(&error, form),
            }
        }
        Err(error) => error::report(&error, Form::Text),
    };
    code.0
}

/// What one of aido's own words has to say by its exit code.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// Done, found, or in order: 0.
    Yes,
    /// Nothing found, or not in order: 1.
    No,
    /// As a command that was run did.
    Ended(ExitCode),
}

/// The result of one of aido's own words.
pub type CliResult = Result<Answer, CliError>;
