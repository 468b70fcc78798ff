//! Whether a session is over.

/// Whether a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its sidecar exists.
    Finished,
    /// Its recorder lives.
    Running,
    /// Its recorder was killed and nobody has finished it.
    Interrupted,
}
