//! What every parser of foreign bytes must bear: one function a target, for any bytes.
//!
//! The same functions are run by `cargo fuzz` (`fuzz/`, with nightly and coverage) and by suite S10 of the
//! proof (on stable, over the corpus and what chance makes of it). They panic where something does not
//! hold: that nothing else panics is only the first of it.

use std::hash::{DefaultHasher, Hash, Hasher};

mod agents;
mod foreign;
mod index;
mod naming;
mod recording;
mod redaction;
mod rules;
mod terminal;

/// A parser, and what it is given.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its corpus.
    pub name: &'static str,
    /// What holds for any bytes, besides that nothing panics.
    pub claim: &'static str,
    /// Tries it.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target {
        name: "events",
        claim: "events come out alike however they arrive, and are written as they were read",
        run: recording::events,
    },
    Target {
        name: "transcript",
        claim: "every recorded byte is handed over once, in order, at times that never go back",
        run: recording::transcript,
    },
    Target {
        name: "sidecar",
        claim: "what is read is written and read again as the same, and its id is safe as a name",
        run: recording::sidecar,
    },
    Target {
        name: "index",
        claim: "read from either end it has the same lines, newest first, and endings are found",
        run: index::index,
    },
    Target {
        name: "selector",
        claim: "an id is its text, and no text leads out of the store",
        run: naming::selector,
    },
    Target {
        name: "hook",
        claim: "what is answered is JSON, with the host's input unchanged but for the line",
        run: agents::hook,
    },
    Target {
        name: "agent_settings",
        claim: "put in twice it is there once, and taken out it is gone",
        run: agents::settings,
    },
    Target {
        name: "shell_line",
        claim: "a rewritten line without aido is the line",
        run: agents::shell_line,
    },
    Target {
        name: "redact_rules",
        claim: "what can't be used is told, and what can leaves no piece of text out of place",
        run: rules::redact_rules,
    },
    Target {
        name: "fault_rules",
        claim: "what can't be used is told, and the rest gives the same answer twice",
        run: rules::fault_rules,
    },
    Target {
        name: "asciicast",
        claim: "times never go back, and no more comes out than is in the file",
        run: foreign::asciicast,
    },
    Target {
        name: "typescript",
        claim: "no more comes out than is in the file, with and without timing",
        run: foreign::typescript,
    },
    Target {
        name: "original",
        claim: "what is taken over is of limited size, and ids and digests have their form",
        run: foreign::original,
    },
    Target {
        name: "renderer",
        claim: "any pieces give the same lines, and none acts on a terminal",
        run: terminal::renderer,
    },
    Target {
        name: "screen",
        claim: "any pieces give the same screen, and drawing it makes another one the same",
        run: terminal::screen,
    },
    Target {
        name: "sanitiser",
        claim: "nothing acts on a terminal or hides, and nothing is left to do the second time",
        run: terminal::sanitiser,
    },
    Target {
        name: "redactor",
        claim: "any pieces give the same result, in valid UTF-8 if it was, and a mask keeps its place",
        run: redaction::redactor,
    },
];

/// The line between two files in one input.
const BORDER: &[u8] = b"%%\n";

/// Two files of one input: what is before the border and what is after it.
fn two_files(input: &[u8]) -> (&[u8], &[u8]) {
    let found = input
        .windows(BORDER.len())
        .enumerate()
        .find(|(at, window)| *window == BORDER && (*at == 0 || input[at - 1] == b'\n'));
    match found {
        Some((at, _)) => (&input[..at], &input[at + BORDER.len()..]),
        None => (input, &[]),
    }
}

/// Cuts bytes into pieces of sizes that depend on them alone.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let (mut chance, mut rest) = (hasher.finish(), bytes);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        chance = chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        // Often a few bytes, sometimes many.
        let most = [1, 2, 7, 100, 5000][(chance >> 40) as usize % 5];
        let (piece, after) = rest.split_at(rest.len().min(1 + (chance >> 33) as usize % most));
        rest = after;
        Some(piece)
    })
}
