//! aido: a flight recorder for the commands that AI agents run.
//!
//! A tour, in the direction in which data flows. [`cli`] reads the arguments and [`config`] merges them with
//! the environment and files into settings. [`place`] and [`caller`] say where and who; [`plan`] decides
//! which terminal the command gets. [`record`] is the use case where all meet: it begins a session in the
//! [`store`], lets [`capture`] run the plan, and publishes the sidecar. [`capture`] relays bytes between the
//! command and its caller and tells a tee of sinks what happens; [`transcript`] is the sink that writes it
//! down, and reads and renders it again. A session without a caller at its terminal has a supervisor:
//! [`supervise`] decides what it does, [`screen`] is what its program drew, and [`wire`] what it and its
//! clients say to each other. [`formats`] writes a recording for other programs, [`import`] reads theirs.
//! [`checkpoint`] keeps the work tree as it stood around a command, and leads back to it. [`replay`] decides
//! when each piece of a recording is shown again, [`rerun`] what a session would run again; [`stats`] counts
//! over many, [`search`] finds text in what was recorded, [`faults`] tells which failure a failed one was and
//! [`memory`] keeps that in files, [`handoff`] gathers what the next agent should know, [`redact`] finds
//! secrets in what is to leave, and [`egress`] says what of a session may. [`agents`] reads and answers the
//! hooks of agents' programs, [`rewrite`] puts aido into a line of shell, [`hook`] decides about a call, and
//! [`install`] puts aido into those programs' settings; [`conversations`] are what such programs keep of
//! their own. [`session`] is the vocabulary they all share, [`sys`] the operating system below them,
//! [`clock`] and [`environment`] the only readers of time and of variables, and [`view`] how sessions look to
//! people and programs.
//!
//! docs/architecture.md draws it, with who may use whom.

pub mod agents;
pub mod caller;
pub mod capture;
pub mod checkpoint;
pub mod cli;
pub mod clock;
pub mod config;
pub mod conversations;
pub mod egress;
pub mod environment;
pub mod faults;
pub mod formats;
pub mod handoff;
pub mod hook;
pub mod import;
pub mod install;
pub mod memory;
pub mod place;
pub mod plan;
pub mod record;
pub mod redact;
pub mod replay;
pub mod rerun;
pub mod rewrite;
pub mod screen;
pub mod search;
pub mod session;
pub mod stats;
pub mod store;
pub mod supervise;
pub mod sys;
pub mod transcript;
pub mod view;
pub mod wire;

/// Waits until a condition holds. A lock that was just let go may be held a moment longer by the
/// copy that a process has which another test forks, until that process execs.
#[cfg(test)]
pub(crate) fn eventually(mut condition: impl FnMut() -> bool) -> bool {
    (0..10_000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(1));
        condition()
    })
}
