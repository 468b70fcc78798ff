//! Which failures are open, by the index alone.
//!
//! A command's failure is open until the same command succeeded, without hiding another one, in the same
//! directory. Exit codes that answer a question, and commands that somebody stopped, are none. All of
//! that was judged when the command ended; for sessions of before it is made up for as far as possible.

use std::collections::HashMap;

use crate::faults::{FirstLook, Run, Verdict, first_look};
use crate::session::{Judgement, Outcome, SessionId, Signal, State, Status};
use crate::store::Found;

/// A failure that is open.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Open {
    /// Which of the sessions was the last to fail so.
    pub(super) index: usize,
    /// How often the command failed in a row, as far as was looked.
    pub(super) times: u64,
}

/// The failures that are open, the last first. `found` are sessions, those that ended last first.
pub(super) fn open_failures(found: &[Found]) -> Vec<Open> {
    /// What became of a command.
    enum Fate {
        Open(usize),
        Settled,
    }
    let mut fates: HashMap<(&str, Option<&str>), Fate> = HashMap::new();
    let mut by_fault: HashMap<&str, usize> = HashMap::new();
    let mut open: Vec<Open> = Vec::new();
    for (index, Found { entry, state }) in found.iter().enumerate() {
        if *state != State::Finished {
            continue;
        }
        let key = (&*entry.command, entry.cwd.as_deref());
        match fates.get(&key) {
            Some(Fate::Settled) => continue,
            Some(Fate::Open(place)) if has_failed(found, index) => {
                open[*place].times += 1;
                continue;
            }
            Some(Fate::Open(_)) => {
                fates.insert(key, Fate::Settled);
                continue;
            }
            None => {}
        }
        if entry.judgement() == Some(Judgement::Ok) {
            fates.insert(key, Fate::Settled);
            continue;
        }
        if !has_failed(found, index) {
            continue;
        }
        // The same fault by another command is the same failure.
        let same = entry.fault.as_deref().and_then(|fault| by_fault.get(fault));
        let place = match same {
            Some(place) => {
                open[*place].times += 1;
                *place
            }
            None => {
                open.push(Open { index, times: 1 });
                open.len() - 1
            }
        };
        if let Some(fault) = entry.fault.as_deref() {
            by_fault.insert(fault, place);
        }
        fates.insert(key, Fate::Open(place));
    }
    open
}

/// Whether a session failed, as far as its entry tells.
fn has_failed(found: &[Found], index: usize) -> bool {
    let entry = &found[index].entry;
    if let Some(judgement) = entry.judgement() {
        return Judgement::is_failure(Some(judgement));
    }
    let Some(outcome) = outcome(&found[index]) else {
        return false;
    };
    let run = Run {
        argv: &[],
        shell_line: Some(&entry.command),
        outcome: &outcome,
        output: "",
        errors: "",
    };
    match first_look(&run) {
        FirstLook::LookCloser => entry.exit_code != Some(0),
        FirstLook::Settled(Verdict::Fault(_) | Verdict::Suspect(_)) => true,
        FirstLook::Settled(_) => false,
    }
}

/// How a session ended, where anybody can know.
fn outcome(found: &Found) -> Option<Outcome> {
    let entry = &found.entry;
    let signal = || Signal::from_name(entry.signal.as_deref()?);
    Some(match entry.status? {
        Status::Exited => Outcome::Exited(entry.exit_code?),
        Status::Signaled => Outcome::Signaled(signal()?),
        Status::TimedOut => Outcome::TimedOut(signal()),
        Status::NotStarted => Outcome::NotStarted {
            code: entry.exit_code?,
            reason: String::new(),
        },
        Status::Interrupted => return None,
    })
}

/// The session's id, if it is one.
pub(super) fn id_of(found: &Found) -> Option<SessionId> {
    found.entry.id()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Entry;
    use crate::session::metadata::tests::minimal;

    /// Sessions as `(command, exit code, fault)`, the last first.
    fn open(sessions: &[(&str, i32, Option<&str>)]) -> Vec<(usize, u64)> {
        let found: Vec<Found> = sessions
            .iter()
            .map(|(command, code, fault)| {
                let mut metadata = minimal("a-20260305_132522-1-abcdef12");
                metadata.command = (*command).to_owned();
                metadata.exit_code = Some(*code);
                metadata.fault = fault.map(str::to_owned);
                Found {
                    entry: Entry::of(&metadata, 0).into_owned(),
                    state: State::Finished,
                }
            })
            .collect();
        let open = open_failures(&found);
        open.iter().map(|open| (open.index, open.times)).collect()
    }

    #[test]
    fn a_failure_is_open_until_the_same_command_succeeds() {
        for (sessions, expected) in [
            (&[("make", 2, None)][..], &[(0, 1)][..]),
            (&[("make", 0, None), ("make", 2, None)], &[]),
            (
                &[("make", 2, None), ("make", 0, None), ("make", 2, None)],
                &[(0, 1)],
            ),
            (
                &[("make", 2, None), ("ls", 0, None), ("make", 1, None)],
                &[(0, 2)],
            ),
            (&[("make all", 0, None), ("make", 2, None)], &[(1, 1)]),
            // Answers, and what somebody stopped.
            (
                &[
                    ("grep x y", 1, None),
                    ("diff a b", 1, None),
                    ("sleep 9", 130, None),
                ],
                &[],
            ),
            (&[("grep x y", 2, None)], &[(0, 1)]),
            // An interruption settles nothing.
            (&[("make", 130, None), ("make", 2, None)], &[(1, 1)]),
            // One fault, two commands.
            (
                &[
                    ("make", 2, Some("f")),
                    ("make all", 2, Some("f")),
                    ("make x", 2, Some("g")),
                ],
                &[(0, 2), (2, 1)],
            ),
        ] {
            assert_eq!(open(sessions), expected, "{sessions:?}");
        }
    }
}
