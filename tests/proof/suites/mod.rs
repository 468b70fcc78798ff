//! The suites, by the names that the reliability table gives them.

use super::Bench;
use super::verdict::Verdict;

mod aftermath;
mod s10_fuzz;
mod s11_soak;
mod s12_sockets;
mod s13_instructions;
mod s14_empty_root;
mod s1_parallel;
mod s2_kill;
mod s2b_kill_each_call;
mod s3_fail_each_call;
mod s4_limits;
mod s5_big_output;
mod s6_hostile;
mod s6b_links;
mod s7_power_cut;
mod s8_bit_flips;
mod s9_signals;
mod variant;

/// A promise, and what tries it.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    /// What must hold.
    pub(crate) claim: &'static str,
    pub(crate) run: fn(&Bench) -> anyhow::Result<Verdict>,
}

/// All of them, in the order in which they run.
pub(crate) const SUITES: &[Suite] = &[
    Suite {
        name: "S1",
        claim: "parallel recorders lose and mix up nothing",
        run: s1_parallel::run,
    },
    Suite {
        name: "S2",
        claim: "kill -9 at any moment leaves nothing half-written",
        run: s2_kill::run,
    },
    Suite {
        name: "S2b",
        claim: "kill -9 at every system call leaves nothing half-written",
        run: s2b_kill_each_call::run,
    },
    Suite {
        name: "S3",
        claim: "a failing system call costs the recording at most, and is said",
        run: s3_fail_each_call::run,
    },
    Suite {
        name: "S4",
        claim: "a full or limited store costs the recording at most, and is said",
        run: s4_limits::run,
    },
    Suite {
        name: "S5",
        claim: "any amount of output passes in little memory",
        run: s5_big_output::run,
    },
    Suite {
        name: "S6",
        claim: "hostile names, files and environments do no harm",
        run: s6_hostile::run,
    },
    Suite {
        name: "S6b",
        claim: "no link is followed, however fast it comes",
        run: s6b_links::run,
    },
    Suite {
        name: "S7",
        claim: "a power cut takes nothing at full, and makes no false alarm at normal",
        run: s7_power_cut::run,
    },
    Suite {
        name: "S8",
        claim: "verify notices every flipped bit and every forgery",
        run: s8_bit_flips::run,
    },
    Suite {
        name: "S9",
        claim: "signals end what they should, and no forged marker is believed",
        run: s9_signals::run,
    },
    Suite {
        name: "S10",
        claim: "no parser of foreign bytes panics, hangs, or breaks its word",
        run: s10_fuzz::run,
    },
    Suite {
        name: "S11",
        claim: "recording, killing and cleaning up for long leave nothing behind",
        run: s11_soak::run,
    },
    Suite {
        name: "S12",
        claim: "no word makes a socket but a local one",
        run: s12_sockets::run,
    },
    Suite {
        name: "S13",
        claim: "a start takes no more instructions than its budget",
        run: s13_instructions::run,
    },
    Suite {
        name: "S14",
        claim: "the binary runs in an empty root",
        run: s14_empty_root::run,
    },
];
