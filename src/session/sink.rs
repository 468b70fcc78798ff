//! What can be told the events of a session.

use std::io;
use std::time::Duration;

use super::Event;

/// Something that wants to know what happens, in order.
pub trait Sink {
    /// Takes note of an event, `at` after the start.
    ///
    /// # Errors
    /// When it can't go on; it is not called again then.
    fn event(&mut self, at: Duration, event: &Event<'_>) -> io::Result<()>;

    /// When this sink wants [`Sink::rest`] to be called if nothing happens before.
    fn rest_at(&self) -> Option<Duration> {
        None
    }

    /// Finishes what was held back in the hope of more to come.
    ///
    /// # Errors
    /// As [`Sink::event`].
    fn rest(&mut self, at: Duration) -> io::Result<()> {
        let _ = at;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds nothing back.
    struct Deaf;

    impl Sink for Deaf {
        fn event(&mut self, _: Duration, _: &Event<'_>) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_sink_that_holds_nothing_back_never_asks_to_be_woken() {
        assert_eq!(Deaf.rest_at(), None);
    }
}
