//! Searches the parts of one session.

use std::ops::ControlFlow;

use super::facts::{Facts, Sessions, transcript_error};
use super::line::Limits;
use super::rows::{Part, Rows};
use super::scan::{Halt, Scanner, Taker, Text, Wanted};
use super::{Marks, Plan};
use crate::session::SessionId;
use crate::store::StoreError;

/// What is held of a session that is searched.
pub(super) const LIMITS: Limits = Limits {
    buffer_bytes: 128 * 1024,
    window_bytes: 1024 * 1024,
    overlap_bytes: 64 * 1024,
    text_bytes: 8 * 1024,
    marks: 1024,
};

/// A thread that searches one session after the other.
pub(super) struct Searcher<'a, S> {
    plan: &'a Plan,
    sessions: &'a S,
    scanner: Scanner,
    bytes: Vec<u8>,
}

impl<'a, S: Sessions> Searcher<'a, S> {
    pub(super) fn new(plan: &'a Plan, sessions: &'a S) -> Self {
        // Each thread has its own copy of the pattern, so that they don't wait for each other.
        let limits = match plan.marks {
            Marks::Wanted => LIMITS,
            Marks::Unwanted => Limits { marks: 0, ..LIMITS },
        };
        let scanner = Scanner::new(plan.pattern.clone(), plan.wanted, limits);
        Self {
            plan,
            sessions,
            scanner,
            bytes: Vec::new(),
        }
    }

    /// Searches a session and tells how many lines match, with the last of their rows. `between` is
    /// called with those before, between two buffers; it gives other rows to go on with, and may
    /// tell to stop.
    pub(super) fn search(
        &mut self,
        id: &SessionId,
        spare: Rows,
        between: &mut dyn FnMut(Rows) -> ControlFlow<(), Rows>,
    ) -> (Rows, Result<u64, StoreError>) {
        let mut hand = Hand {
            id,
            sessions: self.sessions,
            facts: None,
            rows: spare,
            bytes: std::mem::take(&mut self.bytes),
            between,
        };
        let result = self.search_parts(&mut hand);
        self.bytes = hand.bytes;
        (hand.rows, result)
    }

    fn search_parts(&mut self, hand: &mut Hand<'_, S>) -> Result<u64, StoreError> {
        let id = hand.id;
        let most = match self.plan.wanted {
            Wanted::Any => 1,
            Wanted::Rows(_) | Wanted::Count => self.plan.most,
        };
        let mut matches = 0;
        for part in &self.plan.parts {
            if matches == most {
                break;
            }
            match self.search_part(*part, most - matches, hand) {
                Ok(count) => matches += count,
                Err(Halt::Told) => break,
                Err(Halt::Session(error)) => return Err(error),
                Err(Halt::Read(error)) => return Err(transcript_error(id, error)),
            }
        }
        Ok(matches)
    }

    fn search_part(&mut self, part: Part, most: u64, hand: &mut Hand<'_, S>) -> Result<u64, Halt> {
        let text = match part {
            Part::Command => Some(hand.facts()?.command.clone()),
            Part::Notes => hand.facts()?.notes.clone(),
            Part::Transcript => return self.search_transcript(most, hand),
        };
        let Some(text) = text else { return Ok(0) };
        let size_bytes = Some(text.len() as u64);
        let text = Text {
            source: &mut text.as_bytes(),
            size_bytes,
            end_bytes: size_bytes,
        };
        self.scanner.scan(part, text, most, hand)
    }

    fn search_transcript(&mut self, most: u64, hand: &mut Hand<'_, S>) -> Result<u64, Halt> {
        let (mut transcript, size_bytes) = match self.sessions.transcript(hand.id) {
            Ok(transcript) => transcript,
            // Removed since it was chosen.
            Err(_) if !self.sessions.contains(hand.id) => return Ok(0),
            Err(error) => return Err(Halt::Session(error)),
        };
        let known = hand.facts.as_ref().map(end_bytes);
        let part = Part::Transcript;
        let text = Text {
            source: &mut transcript,
            size_bytes,
            end_bytes: known,
        };
        self.scanner.scan(part, text, most, hand)
    }
}

fn end_bytes(facts: &Facts) -> u64 {
    facts.output_bytes.unwrap_or(u64::MAX)
}

/// Takes what is found in one session.
struct Hand<'a, S> {
    id: &'a SessionId,
    sessions: &'a S,
    facts: Option<Facts>,
    rows: Rows,
    bytes: Vec<u8>,
    between: &'a mut dyn FnMut(Rows) -> ControlFlow<(), Rows>,
}

impl<S: Sessions> Hand<'_, S> {
    fn facts(&mut self) -> Result<&Facts, Halt> {
        if self.facts.is_none() {
            let facts = match self.sessions.facts(self.id, &mut self.bytes) {
                Err(_) if !self.sessions.contains(self.id) => Facts::default(),
                result => result.map_err(Halt::Session)?,
            };
            return Ok(self.facts.insert(facts));
        }
        Ok(self.facts.get_or_insert_default())
    }
}

impl<S: Sessions> Taker for Hand<'_, S> {
    fn end_bytes(&mut self) -> Result<u64, StoreError> {
        match self.facts() {
            Ok(facts) => Ok(end_bytes(facts)),
            Err(Halt::Session(error)) => Err(error),
            Err(_) => Ok(0),
        }
    }

    fn rows(&mut self) -> &mut Rows {
        &mut self.rows
    }

    fn advance(&mut self) -> ControlFlow<()> {
        match (self.between)(std::mem::take(&mut self.rows)) {
            ControlFlow::Continue(rows) => self.rows = rows,
            ControlFlow::Break(()) => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    }
}
