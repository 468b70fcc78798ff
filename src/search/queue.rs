//! The order in which sessions are searched and their results handed on: plain data, without threads.
//!
//! Invariant: what is taken is in the order of the sessions, and nothing is lost or taken twice.

use std::collections::VecDeque;

use super::rows::Rows;
use crate::session::SessionId;
use crate::store::StoreError;

/// Memory of results that wait for their turn, or for being handed on; more only by what one buffer
/// gives.
const WAITING_BYTES: usize = 8 * 1024 * 1024;
/// Sessions that are searched ahead of the one whose turn it is.
const WAITING_SESSIONS: usize = 4096;
/// Rows that were handed on, and whose room is used again.
const SPARE_ROWS: usize = 256;
/// The most memory of theirs.
const SPARE_BYTES: usize = 4 * 1024 * 1024;

/// A session to search.
pub(super) struct Job {
    pub(super) number: usize,
    pub(super) id: SessionId,
    /// Where its rows go.
    pub(super) spare: Rows,
}

/// What a session's search has come to.
struct Slot {
    id: SessionId,
    rows: VecDeque<Rows>,
    rows_bytes: usize,
    outcome: Option<Result<u64, StoreError>>,
}

/// What is handed on.
pub(super) enum Item {
    Rows(SessionId, Rows),
    End(SessionId, Result<u64, StoreError>),
}

/// What a thread may do next.
pub(super) enum Next {
    Search(Job),
    Wait,
    Nothing,
}

pub(super) struct Queue<I> {
    ids: I,
    /// Sessions that were begun and not handed on to their end, in order.
    slots: VecDeque<Slot>,
    /// The number of the first slot.
    first: usize,
    waiting_bytes: usize,
    /// Rows without content.
    spare: Vec<Rows>,
    spare_bytes: usize,
    is_over: bool,
}

impl<I: Iterator<Item = SessionId>> Queue<I> {
    pub(super) fn new(ids: I) -> Self {
        Self {
            ids,
            slots: VecDeque::new(),
            first: 0,
            waiting_bytes: 0,
            spare: Vec::new(),
            spare_bytes: 0,
            is_over: false,
        }
    }

    /// Ends the search: nothing more is begun or taken.
    pub(super) fn end(&mut self) {
        self.is_over = true;
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether every session that was begun is handed on.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The next session to search.
    pub(super) fn next(&mut self) -> Next {
        if self.is_over {
            return Next::Nothing;
        }
        if self.slots.len() >= WAITING_SESSIONS || self.waiting_bytes > WAITING_BYTES {
            return Next::Wait;
        }
        let Some(id) = self.ids.next() else {
            return Next::Nothing;
        };
        self.slots.push_back(Slot {
            id: id.clone(),
            rows: VecDeque::new(),
            rows_bytes: 0,
            outcome: None,
        });
        Next::Search(Job {
            number: self.first + self.slots.len() - 1,
            id,
            spare: self.take_spare(),
        })
    }

    fn slot(&mut self, number: usize) -> Option<&mut Slot> {
        let index = number.checked_sub(self.first)?;
        self.slots.get_mut(index)
    }

    /// Puts rows in their slot, and gives others to go on with.
    pub(super) fn put(&mut self, number: usize, rows: Rows) -> Rows {
        if rows.is_empty() {
            return rows;
        }
        let bytes = rows.size_bytes();
        if let Some(slot) = self.slot(number) {
            slot.rows.push_back(rows);
            slot.rows_bytes += bytes;
            self.waiting_bytes += bytes;
        }
        self.take_spare()
    }

    fn take_spare(&mut self) -> Rows {
        let spare = self.spare.pop().unwrap_or_default();
        self.spare_bytes -= spare.size_bytes();
        spare
    }

    /// Ends a session's search, with its last rows.
    pub(super) fn finish(&mut self, number: usize, rows: Rows, outcome: Result<u64, StoreError>) {
        let spare = self.put(number, rows);
        self.keep(spare);
        if let Some(slot) = self.slot(number) {
            slot.outcome = Some(outcome);
        }
    }

    /// Keeps rows that were handed on, to be used again.
    pub(super) fn keep(&mut self, mut rows: Rows) {
        let spare_bytes = self.spare_bytes + rows.size_bytes();
        if self.spare.len() < SPARE_ROWS && spare_bytes <= SPARE_BYTES {
            self.spare_bytes = spare_bytes;
            rows.clear();
            self.spare.push(rows);
        }
    }

    /// Takes everything that is next in order and there.
    pub(super) fn take(&mut self, items: &mut Vec<Item>) {
        while let Some(slot) = self.slots.front_mut().filter(|_| !self.is_over) {
            for rows in slot.rows.drain(..) {
                self.waiting_bytes -= rows.size_bytes();
                items.push(Item::Rows(slot.id.clone(), rows));
            }
            slot.rows_bytes = 0;
            let Some(outcome) = slot.outcome.take() else {
                return;
            };
            if let Some(slot) = self.slots.pop_front() {
                items.push(Item::End(slot.id, outcome));
            }
            self.first += 1;
        }
    }

    /// Whether there is something to hand on.
    pub(super) fn is_ready(&self) -> bool {
        let front = self.slots.front();
        front.is_some_and(|slot| !slot.rows.is_empty() || slot.outcome.is_some())
    }

    /// Whether the thread that searches this session has to wait until others are handed on.
    pub(super) fn is_too_far(&self, number: usize) -> bool {
        if number == self.first {
            let own = self.slots.front().map_or(0, |slot| slot.rows_bytes);
            return own > WAITING_BYTES;
        }
        self.waiting_bytes > WAITING_BYTES
    }
}
