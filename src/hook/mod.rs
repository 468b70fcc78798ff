//! USE CASE: what a hook of an agent's program does about a call, before it is made and after.
//!
//! Decides whether a call's line becomes another one, and files a call that nobody recorded as it ran. Not
//! responsible for the payload and the answer's shape (see [`crate::agents`]), nor for what the agent is told.

pub mod coverage;
pub mod decide;
pub mod filing;
pub mod rules;

use std::path::PathBuf;

use crate::agents::{Call, Mode};
use crate::config::{Layer, Settings};
use crate::environment::Environment;
use crate::place::Place;

pub use decide::Decision;

/// What a hook knows when it decides.
pub struct Hooked<'a> {
    /// What the host says of the call.
    pub call: &'a Call,
    /// What hooks do.
    pub mode: Mode,
    /// Where the host has its hooks started: in the project that its session is about.
    pub started_in: Option<PathBuf>,
    /// Where the host works.
    pub place: Place,
    /// None where a command under aido would say something about them.
    pub settings: Option<Settings>,
    /// What the host gave its hook.
    pub environment: Environment,
    /// The options before the word.
    pub flags: Layer,
    /// aido's own words, which are no programs.
    pub own_words: &'a [&'a str],
}
