//! Responsible for searching many sessions on two threads, and for results that come in the order of
//! the sessions, each as soon as it is its turn.
//!
//! Both threads take the next session from the same [`Desk`]. The caller's thread also hands the
//! results on, between two sessions or two buffers of what it searches itself, so whoever receives
//! them needs to be on one thread only. Results of a session whose turn has not come wait in its
//! slot of the [`Queue`]; a thread that is too far ahead waits too.
//!
//! Invariant: the session at the front never waits for any other, and whoever waits is woken by it.

use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::Plan;
use super::facts::Sessions;
use super::queue::{Item, Next, Queue};
use super::rows::Rows;
use super::session::Searcher;
use crate::session::SessionId;
use crate::store::StoreError;

/// Who is told what was found. Any answer but [`ControlFlow::Continue`] ends the search.
pub trait Receiver {
    /// Some rows of a session; all of its rows come before its end, and before any other session's.
    fn rows(&mut self, id: &SessionId, rows: &Rows) -> ControlFlow<()>;

    /// A session was searched: how many of its lines match, as far as they were looked for.
    fn end(&mut self, id: &SessionId, matches: u64) -> ControlFlow<()>;

    /// A session can't be read, or not to its end.
    fn unreadable(&mut self, id: &SessionId, error: &StoreError) -> ControlFlow<()>;
}

/// Searches sessions in the order of `ids`.
pub fn search<S: Sessions>(
    plan: &Plan,
    sessions: &S,
    ids: impl Iterator<Item = SessionId> + Send,
    receiver: &mut dyn Receiver,
) {
    let desk = Desk {
        state: Mutex::new(State {
            queue: Queue::new(ids),
            sleepers: 0,
        }),
        changed: Condvar::new(),
    };
    thread::scope(|scope| {
        let help = || {
            let _alarm = Alarm(&desk);
            desk.help(&mut Searcher::new(plan, sessions));
        };
        // Without a second thread it takes longer.
        let _ = thread::Builder::new().spawn_scoped(scope, help);
        let _alarm = Alarm(&desk);
        desk.lead(&mut Searcher::new(plan, sessions), receiver);
    });
}

/// Ends the search if a thread panics, which the other one would wait for in vain.
struct Alarm<'a, I: Iterator<Item = SessionId>>(&'a Desk<I>);

impl<I: Iterator<Item = SessionId>> Drop for Alarm<'_, I> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end(&mut self.0.lock());
        }
    }
}

struct State<I> {
    queue: Queue<I>,
    /// Threads that wait for a change.
    sleepers: usize,
}

/// Where both threads meet.
struct Desk<I> {
    state: Mutex<State<I>>,
    changed: Condvar,
}

impl<I: Iterator<Item = SessionId>> Desk<I> {
    fn lock(&self) -> MutexGuard<'_, State<I>> {
        // A thread that panicked is told by the scope; what it left is plain data.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, mut state: MutexGuard<'a, State<I>>) -> MutexGuard<'a, State<I>> {
        state.sleepers += 1;
        let woken = self.changed.wait(state);
        let mut state = woken.unwrap_or_else(PoisonError::into_inner);
        state.sleepers -= 1;
        state
    }

    /// Waking nobody would cost a system call.
    fn wake(&self, state: &State<I>) {
        if state.sleepers > 0 {
            self.changed.notify_all();
        }
    }

    fn end(&self, state: &mut State<I>) {
        state.queue.end();
        self.wake(state);
    }

    /// The helping thread: searches as long as there is something to search.
    fn help<S: Sessions>(&self, searcher: &mut Searcher<'_, S>) {
        let mut state = self.lock();
        loop {
            match state.queue.next() {
                Next::Nothing => return,
                Next::Wait => state = self.wait(state),
                Next::Search(job) => {
                    drop(state);
                    let number = job.number;
                    let mut between = |rows| {
                        let mut state = self.lock();
                        let spare = state.queue.put(number, rows);
                        self.wake(&state);
                        while !state.queue.is_over() && state.queue.is_too_far(number) {
                            state = self.wait(state);
                        }
                        match state.queue.is_over() {
                            true => ControlFlow::Break(()),
                            false => ControlFlow::Continue(spare),
                        }
                    };
                    let (rows, outcome) = searcher.search(&job.id, job.spare, &mut between);
                    state = self.lock();
                    state.queue.finish(number, rows, outcome);
                    self.wake(&state);
                }
            }
        }
    }

    /// The caller's thread: searches, and hands on what is there in order.
    fn lead<S: Sessions>(&self, searcher: &mut Searcher<'_, S>, receiver: &mut dyn Receiver) {
        let mut items = Vec::new();
        let mut state = self.lock();
        loop {
            state.queue.take(&mut items);
            if !items.is_empty() {
                self.wake(&state);
                drop(state);
                if self.hand_on(&mut items, receiver).is_break() {
                    return;
                }
                state = self.lock();
            }
            match state.queue.next() {
                Next::Nothing if state.queue.is_over() || state.queue.is_empty() => return,
                Next::Nothing | Next::Wait => state = self.wait_for_front(state),
                Next::Search(job) => {
                    drop(state);
                    let number = job.number;
                    let mut between = |rows| {
                        let mut state = self.lock();
                        let spare = state.queue.put(number, rows);
                        drop(state);
                        self.hand_on_until_near(number, &mut items, receiver)?;
                        ControlFlow::Continue(spare)
                    };
                    let (rows, outcome) = searcher.search(&job.id, job.spare, &mut between);
                    state = self.lock();
                    state.queue.finish(number, rows, outcome);
                }
            }
        }
    }

    /// Hands on what is there, and waits as long as the caller's own session is too far ahead.
    fn hand_on_until_near(
        &self,
        number: usize,
        items: &mut Vec<Item>,
        receiver: &mut dyn Receiver,
    ) -> ControlFlow<(), ()> {
        let mut state = self.lock();
        loop {
            state.queue.take(items);
            if state.queue.is_over() {
                return ControlFlow::Break(());
            }
            if items.is_empty() && !state.queue.is_too_far(number) {
                return ControlFlow::Continue(());
            }
            if items.is_empty() {
                state = self.wait_for_front(state);
            } else {
                self.wake(&state);
                drop(state);
                self.hand_on(items, receiver)?;
                state = self.lock();
            }
        }
    }

    /// Waits until the session at the front, which the helping thread has, has something to hand on.
    fn wait_for_front<'a>(&self, mut state: MutexGuard<'a, State<I>>) -> MutexGuard<'a, State<I>> {
        while !state.queue.is_ready() && !state.queue.is_over() {
            state = self.wait(state);
        }
        state
    }

    fn hand_on(&self, items: &mut Vec<Item>, receiver: &mut dyn Receiver) -> ControlFlow<()> {
        for item in &*items {
            let told = match item {
                Item::Rows(id, rows) => receiver.rows(id, rows),
                Item::End(id, Ok(matches)) => receiver.end(id, *matches),
                Item::End(id, Err(error)) => receiver.unreadable(id, error),
            };
            if told.is_break() {
                self.end(&mut self.lock());
                // Whoever calls again has nothing to hand on twice.
                items.clear();
                return ControlFlow::Break(());
            }
        }
        let mut state = self.lock();
        for item in items.drain(..) {
            if let Item::Rows(_, rows) = item {
                state.queue.keep(rows);
            }
        }
        ControlFlow::Continue(())
    }
}
