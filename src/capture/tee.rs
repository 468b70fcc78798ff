//! Tells every sink what happens, and goes on without those that fail.

use std::io;
use std::time::Duration;

use crate::session::{Event, Sink};

/// Hands events to every sink that still works.
pub struct Tee<'a> {
    live: Vec<&'a mut dyn Sink>,
    lost: Vec<io::Error>,
}

impl<'a> Tee<'a> {
    /// A tee with these sinks, called in this order.
    #[must_use]
    pub fn new(sinks: Vec<&'a mut dyn Sink>) -> Self {
        Self {
            live: sinks,
            lost: Vec::new(),
        }
    }

    /// Hands an event to every live sink. A sink that fails is dropped and its error kept: the run
    /// goes on.
    pub fn send(&mut self, at: Duration, event: &Event<'_>) {
        let lost = &mut self.lost;
        self.live.retain_mut(|sink| {
            sink.event(at, event)
                .map_err(|error| lost.push(error))
                .is_ok()
        });
    }

    /// The earliest time at which a sink wants to rest.
    #[must_use]
    pub fn rest_at(&self) -> Option<Duration> {
        self.live.iter().filter_map(|sink| sink.rest_at()).min()
    }

    /// Lets every sink rest whose time has come.
    pub fn rest(&mut self, at: Duration) {
        let lost = &mut self.lost;
        self.live.retain_mut(|sink| {
            let due = sink.rest_at().is_some_and(|due| due <= at);
            !due || sink.rest(at).map_err(|error| lost.push(error)).is_ok()
        });
    }

    /// The errors of the sinks that were dropped.
    #[must_use]
    pub fn into_lost(self) -> Vec<io::Error> {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Stream;

    struct Counting {
        seen: usize,
        fails_at: usize,
    }

    impl Sink for Counting {
        fn event(&mut self, _at: Duration, _event: &Event<'_>) -> io::Result<()> {
            self.seen += 1;
            if self.seen == self.fails_at {
                return Err(io::Error::other("full"));
            }
            Ok(())
        }
    }

    #[test]
    fn a_sink_that_fails_is_dropped_and_the_others_go_on() {
        let mut failing = Counting {
            seen: 0,
            fails_at: 2,
        };
        let mut working = Counting {
            seen: 0,
            fails_at: 0,
        };
        let mut tee = Tee::new(vec![&mut failing, &mut working]);
        for _ in 0..4 {
            tee.send(
                Duration::ZERO,
                &Event::Output {
                    stream: Stream::Stdout,
                    bytes: b"x",
                },
            );
        }
        assert_eq!(tee.into_lost().len(), 1);
        assert_eq!((failing.seen, working.seen), (2, 4));
    }
}
