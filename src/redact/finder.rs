//! Finds secrets in bytes that arrive in any pieces.
//!
//! The bytes are looked at twice: as they are, and, where they hold escape sequences, as the text that
//! a terminal would show. The first look makes sure that no secret that stands there in one piece is
//! missed, in a title or a link for instance; the second finds those that colours and cursor movements
//! split.
//!
//! Invariants: what is found around a keyword depends on [`BEHIND_BYTES`] before and [`AHEAD_BYTES`]
//! after it, and on nothing else, so it is the same in any pieces and at any place in the input; memory
//! is bounded, and so is the work on a block, whatever stands there; the pieces handed on are the input,
//! in order.

mod cuts;
mod frame;

use super::Redactor;
use super::class::Class;
use super::detect::{self, Depth, token};
use super::search::{Hit, LAST_RANK, RuleName};
use super::strip::{self, State, Visible};
use super::view::{Text, View};
pub(super) use cuts::Piece;
use cuts::{Cuts, Opens};
use frame::{Frame, character_start};

/// How much is looked at before a keyword.
pub(super) const BEHIND_BYTES: usize = 4 * 1024;
/// How much is looked at after a keyword.
pub(super) const AHEAD_BYTES: usize = 8 * 1024;
/// How much input is collected before it is looked at.
const BLOCK_BYTES: usize = 64 * 1024;

/// Finds secrets; made for one input.
pub(super) struct Finder<'r> {
    redactor: &'r Redactor,
    /// The width of the terminal that the input was written to, if known.
    columns: Option<u16>,
    /// Input that is still needed. Every offset below counts from its beginning.
    raw: Vec<u8>,
    /// The state in which its visible text begins.
    state: State,
    visible: Visible,
    /// Keywords before this are done.
    searched: usize,
    /// What is secret, not handed on yet.
    cuts: Cuts,
    /// Secrets that reached the end of what was looked at.
    unfinished: Vec<Unfinished>,
}

/// A secret that reached the end of what was looked at.
#[derive(Clone, Copy, Debug)]
struct Unfinished {
    name: RuleName,
    rank: u32,
    class: Class,
    /// Where it begins, as far as it is known here.
    from: usize,
    /// Up to where it was looked at.
    offset: usize,
    is_visible: bool,
}

impl<'r> Finder<'r> {
    pub(super) fn new(redactor: &'r Redactor) -> Self {
        Self {
            redactor,
            columns: redactor.columns,
            raw: Vec::new(),
            state: State::default(),
            visible: Visible::default(),
            searched: 0,
            cuts: Cuts::default(),
            unfinished: Vec::new(),
        }
    }

    /// Sets the width of the terminal that the input was written to.
    pub(super) fn set_columns(&mut self, columns: Option<u16>) {
        self.columns = columns;
    }

    /// Takes input, and hands on what can't change any more.
    pub(super) fn push(&mut self, mut bytes: &[u8], receive: &mut dyn FnMut(Piece<'_>)) {
        const FULL: usize = BEHIND_BYTES + BLOCK_BYTES + AHEAD_BYTES;
        while !bytes.is_empty() {
            let room = FULL.saturating_sub(self.raw.len()).max(1);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.raw.extend_from_slice(now);
            bytes = later;
            if self.raw.len() >= FULL {
                let limit = self.raw.len() - AHEAD_BYTES;
                self.search(limit, false);
                self.hand_on(limit - BEHIND_BYTES, receive);
            }
        }
    }

    /// Hands on the rest.
    pub(super) fn finish(mut self, receive: &mut dyn FnMut(Piece<'_>)) {
        let end = self.raw.len();
        self.search(end, true);
        self.hand_on(end, receive);
    }

    /// Looks at every keyword before `limit` that was not looked at.
    fn search(&mut self, limit: usize, is_last: bool) {
        let raw = std::mem::take(&mut self.raw);
        let mut visible = std::mem::take(&mut self.visible);
        let plain = Frame {
            raw: &raw,
            text: Text {
                bytes: &raw,
                stretches: &[],
                echoes: &[],
            },
            is_last,
            is_visible: false,
        };
        self.search_text(&plain, limit);
        // Without escapes both texts are the same.
        let mut shown = Frame {
            is_visible: true,
            ..plain
        };
        if self.state != State::default() || strip::has_invisible(&raw) {
            visible.clear();
            let kept_from = character_start(&raw, limit.saturating_sub(BEHIND_BYTES));
            let (before, after) = raw.split_at(kept_from);
            let state = visible.add(self.state, before, 0);
            visible.add(state, after, before.len());
            self.state = state;
            shown.text = Text {
                bytes: &visible.bytes,
                stretches: &visible.stretches,
                echoes: &visible.echoes,
            };
            self.search_text(&shown, limit);
        }
        if self.redactor.search.depth() == Depth::Strict {
            self.search_runs(&shown, limit);
        }
        self.go_on_all(&plain, &shown, limit);
        self.raw = raw;
        self.visible = visible;
        self.searched = limit;
    }

    fn search_text(&mut self, frame: &Frame<'_>, limit: usize) {
        let redactor = self.redactor;
        let text = frame.text;
        let (from, to) = (text.index(self.searched), text.index(limit));
        for gate in redactor.search.gates() {
            gate.visit(text.bytes, from, to, &mut |number, at| {
                let Some(word) = gate.word(number) else {
                    return;
                };
                let mut view = frame.view(self.columns, at);
                view.joint = self.joint(frame, at);
                redactor.search.inspect(word, &view, at, &mut |hit| {
                    self.take(frame, &view, hit, None);
                });
            });
        }
    }

    /// Looks at every run of bytes that begins before `limit`, in the visible text only: there are no
    /// escape sequences in it, whose parameters would be a part of a run.
    fn search_runs(&mut self, frame: &Frame<'_>, limit: usize) {
        let text = frame.text;
        let (from, to) = (text.index(self.searched), text.index(limit));
        for at in (from..to).filter(|at| detect::random::begins(text.bytes, *at)) {
            let view = frame.view(self.columns, at);
            if let Some(found) = detect::random::find(&view, at) {
                let hit = Hit {
                    name: RuleName::BuiltIn("high-entropy"),
                    rank: LAST_RANK,
                    found,
                };
                self.take(frame, &view, hit, None);
            }
        }
    }

    /// Where the last secret before a keyword ends.
    fn joint(&self, frame: &Frame<'_>, at: usize) -> Option<usize> {
        let end = self.cuts.end_before(frame.text.offset(at))?;
        Some(frame.text.index(end))
    }

    /// Follows what is not finished up to `limit`. Each step takes a secret as far as is looked at, so
    /// there are few.
    fn go_on_all(&mut self, plain: &Frame<'_>, shown: &Frame<'_>, limit: usize) {
        let is_due = |one: &Unfinished| plain.is_last || one.offset < limit;
        loop {
            let (mut due, later): (Vec<_>, Vec<_>) = self.unfinished.drain(..).partition(is_due);
            self.unfinished = later;
            if due.is_empty() {
                return;
            }
            due.sort_by_key(|one| one.offset);
            for one in due {
                self.go_on(if one.is_visible { shown } else { plain }, one);
            }
        }
    }

    fn go_on(&mut self, frame: &Frame<'_>, one: Unfinished) {
        let at = frame.text.index(one.offset);
        let view = frame.view_at(self.columns, one.offset);
        if let Some(found) = token::go_on(one.class, &view, at) {
            let hit = Hit {
                name: one.name,
                rank: one.rank,
                found,
            };
            self.take(frame, &view, hit, Some(one.offset));
        }
    }

    /// Notes the bytes of a secret, unless it is allowed. What goes on with another has the offset
    /// where that one was cut.
    fn take(&mut self, frame: &Frame<'_>, view: &View<'_>, hit: Hit, goes_on: Option<usize>) {
        let found = hit.found;
        let bytes = view.slice(found.from, found.to);
        if !frame.is_visible && strip::has_controls(bytes) {
            // Found again without them in the visible text.
            return;
        }
        let from = goes_on.unwrap_or_else(|| frame.text.offset(found.from));
        let may_be_allowed = goes_on.is_none() && self.redactor.has_exceptions();
        if may_be_allowed && self.redactor.is_allowed(&strip::in_one_line(bytes)) {
            return;
        }
        // What begins inside of another is a part of that one, and has no tag of its own.
        let tag = match goes_on.is_some() || self.cuts.is_inside(from) {
            true => None,
            false => self.redactor.tag(&strip::in_one_line(bytes)),
        };
        let to = match found.open {
            Some(class) => {
                self.leave_unfinished(Unfinished {
                    name: hit.name,
                    rank: hit.rank,
                    class,
                    from,
                    offset: view.end_offset,
                    is_visible: frame.is_visible,
                });
                view.end_offset
            }
            None => frame.text.offset(found.to.saturating_sub(1)) + 1,
        };
        let opens = Opens {
            name: hit.name,
            rank: hit.rank,
            tag,
            from,
            to,
            goes_on: goes_on.is_some(),
        };
        // Only what no other secret in the same text has covered, but for the first byte: a text of
        // keywords alone would be noted once for each of them.
        let (first, rest) = match self.cuts.reach(frame.is_visible, from, to) {
            Some(covered) => (
                frame.stretches(found.from, (found.from + 1).min(found.to)),
                frame.text.index(covered).max(found.from),
            ),
            None => (Vec::new(), found.from),
        };
        let rest = frame.stretches(rest.min(found.to), found.to);
        self.cuts.add(opens, first, rest);
    }

    /// Notes that a secret reached the end of what was looked at. One that reached less far, with bytes
    /// of the same class, and lies in this one up to there, is followed by following this one.
    fn leave_unfinished(&mut self, one: Unfinished) {
        self.unfinished.retain(|other| {
            let is_part = other.class == one.class
                && other.is_visible == one.is_visible
                && (one.from..=one.offset).contains(&other.offset);
            !is_part
        });
        self.unfinished.push(one);
    }

    /// Hands on everything before `safe`, and forgets it: no keyword that comes later has a secret
    /// begin there.
    fn hand_on(&mut self, safe: usize, receive: &mut dyn FnMut(Piece<'_>)) {
        let safe = character_start(&self.raw, safe);
        self.cuts.hand_on(&self.raw, safe, receive);
        self.cuts.forget(safe);
        self.raw.drain(..safe);
        self.searched = self.searched.saturating_sub(safe);
        for one in &mut self.unfinished {
            one.from = one.from.saturating_sub(safe);
            one.offset = one.offset.saturating_sub(safe);
        }
    }

    /// How much is noted besides the input that is held.
    #[cfg(test)]
    pub(super) fn noted(&self) -> usize {
        self.unfinished.len() + self.cuts.noted()
    }
}
