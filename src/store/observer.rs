//! Who is told how far the store is with what takes long where there are many sessions.

use std::fmt::Debug;

/// What takes long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// The index is made from the sidecars.
    Indexing,
    /// Every sidecar is read.
    Checking,
}

/// Is told how far a task is. Several threads may tell it, each what it knows: numbers may come out
/// of order.
pub trait Observer: Debug + Send + Sync {
    /// So many of so many sessions are done; the whole number may change while it goes on.
    fn reached(&self, task: Task, done: usize, total: usize);

    /// The task is over.
    fn ended(&self);
}
