//! What clients wait for, and since when it is so.
//!
//! Invariant: nothing that was so before the point from which on something counts as new is told as
//! news.

use std::time::Duration;

use regex::Regex;
use rustix::process::Pid;

use crate::screen::{Line, Screen};
use crate::sys::pty::Typing;
use crate::sys::{process, waits};
use crate::wire::{Condition, Waiting};

/// The largest piece of output of which every line is still kept when it is looked at.
pub(super) const PIECE_BYTES: usize = 1000;
/// How many rows before those that are new are looked at again, since a line goes on from there.
const JOINED_ROWS: u64 = 64;
/// A line that is longer than this is looked at in pieces.
const JOINED_BYTES: usize = 16 * 1024;
/// How long a program is quiet before it is looked whether it reads.
const READS_AFTER: Duration = Duration::from_millis(300);
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// When something happened last.
#[derive(Debug, Default)]
pub(super) struct Watch {
    command: Option<Pid>,
    output_at: Duration,
    typed_at: Option<Duration>,
    /// When the text on the screen changed last, and what it was.
    text_at: Duration,
    text: Option<u64>,
    /// When it was looked last whether the command reads, and what was found.
    looked_at: Option<Duration>,
    reads: bool,
    /// The terminal gathers lines and shows none of what is typed.
    hides: bool,
}

impl Watch {
    pub(super) fn look_at(&mut self, command: Pid) {
        self.command = Some(command);
    }

    /// The program wrote something.
    pub(super) fn output(&mut self, screen: &Screen, now: Duration, compares: bool) {
        self.output_at = now;
        let text = compares.then(|| digest(screen));
        if text.is_none() || text != self.text {
            self.text_at = now;
        }
        self.text = text;
    }

    /// What the terminal does with what is typed.
    pub(super) fn at_terminal(&mut self, modes: Option<Typing>) {
        self.hides = modes.is_some_and(|modes| modes.by_line && !modes.echoes);
    }

    /// Something was typed.
    pub(super) fn typed(&mut self, now: Duration) {
        self.typed_at = Some(now);
    }

    pub(super) fn typed_at(&self) -> Option<Duration> {
        self.typed_at
    }

    /// When something was written or typed last.
    pub(super) fn quiet_since(&self) -> Duration {
        self.output_at.max(self.typed_at.unwrap_or_default())
    }

    fn stable_since(&self) -> Duration {
        self.text_at.max(self.typed_at.unwrap_or_default())
    }

    fn reads_due(&self) -> Duration {
        let again = self.looked_at.map(|looked| looked + LOOK_EVERY);
        (self.quiet_since() + READS_AFTER).max(again.unwrap_or_default())
    }

    /// Whether the program has been quiet and waits for something to be typed.
    fn reads(&mut self, now: Duration) -> bool {
        if now < self.quiet_since() + READS_AFTER {
            return false;
        }
        // Who asks for a password often can't be looked into.
        if self.hides {
            return true;
        }
        if now >= self.reads_due() {
            self.looked_at = Some(now);
            // It may have started another in its foreground, in the same session.
            let below = process::descendants(rustix::process::getpid());
            let mut all = below.iter().map(|process| process.as_raw_nonzero().get());
            self.reads = self.command.is_some()
                && all.any(|process| {
                    waits::reads_terminal(process).is_some_and(waits::Reads::takes_keys)
                });
        }
        self.reads && self.looked_at >= Some(self.quiet_since())
    }
}

/// Somebody who waits.
pub(super) struct Waiter {
    waiting: Waiting,
    pattern: Option<Regex>,
    after: u64,
    /// How much output there was when the text was looked at last, and how many rows had left.
    looked: Option<u64>,
    seen_rows: u64,
}

impl Waiter {
    /// `mark` is how much output there was when something was typed last.
    pub(super) fn new(waiting: Waiting, mark: u64) -> Result<Self, String> {
        let pattern = waiting.text.as_deref().map(Regex::new).transpose();
        Ok(Self {
            pattern: pattern.map_err(|error| error.to_string())?,
            after: waiting.after.unwrap_or(mark),
            waiting,
            looked: None,
            seen_rows: 0,
        })
    }

    pub(super) fn wants_text(&self) -> bool {
        self.pattern.is_some()
    }

    pub(super) fn wants_input(&self) -> bool {
        self.waiting.input
    }

    pub(super) fn wants_stable(&self) -> bool {
        self.waiting.stable_ms.is_some()
    }

    /// When to look again if nothing happens.
    pub(super) fn due(&self, watch: &Watch) -> Option<Duration> {
        let idle = self.waiting.idle_ms.map(Duration::from_millis);
        let stable = self.waiting.stable_ms.map(Duration::from_millis);
        let due = [
            idle.map(|idle| watch.quiet_since() + idle),
            stable.map(|stable| watch.stable_since() + stable),
            self.waiting.input.then(|| watch.reads_due()),
        ];
        due.into_iter().flatten().min()
    }

    /// Which of what is waited for is so.
    pub(super) fn look(
        &mut self,
        screen: &Screen,
        watch: &mut Watch,
        now: Duration,
    ) -> Option<Condition> {
        let is_over = |time_ms: Option<u64>, since: Duration| {
            time_ms.is_some_and(|time| now >= since + Duration::from_millis(time))
        };
        if self.waiting.bell && screen.bells() > 0 && screen.bell_stamp() > self.after {
            return Some(Condition::Bell);
        }
        if self.shows_text(screen) {
            return Some(Condition::Text);
        }
        if is_over(self.waiting.idle_ms, watch.quiet_since()) {
            return Some(Condition::Idle);
        }
        if is_over(self.waiting.stable_ms, watch.stable_since()) {
            return Some(Condition::Stable);
        }
        (self.waiting.input && watch.reads(now)).then_some(Condition::Input)
    }

    /// Whether some line matches, and with something new.
    fn shows_text(&mut self, screen: &Screen) -> bool {
        let Some(pattern) = &self.pattern else {
            return false;
        };
        if self.looked.replace(screen.stamp()) == Some(screen.stamp()) {
            return false;
        }
        let shown: Vec<Line> = screen.lines().collect();
        let seen = std::mem::replace(&mut self.seen_rows, screen.rows_left());
        // A screen that began anew has fewer.
        let fresh = screen.rows_left().checked_sub(seen);
        let fresh = fresh.unwrap_or(screen.rows_left());
        let left = fresh_rows(screen.scrollback(), fresh);
        let rows = left.into_iter().rev().chain(&shown);
        any_line(rows, |line| is_new_match(pattern, line, self.after))
    }
}

/// The rows that left last, so many of them, and those before that the first of them goes on with; the
/// newest first.
fn fresh_rows<'l>(rows: impl DoubleEndedIterator<Item = &'l Line>, count: u64) -> Vec<&'l Line> {
    let mut fresh: Vec<&Line> = Vec::new();
    let mut before = 0;
    for (row, index) in rows.rev().zip(0_u64..) {
        if index >= count {
            // Looked at already, and it never changes.
            if !row.wrapped || before >= JOINED_ROWS {
                break;
            }
            before += 1;
        }
        fresh.push(row);
    }
    fresh
}

/// Whether something is so of any line as it was written, whatever the width of the window. A very long
/// one is looked at in pieces.
pub(super) fn any_line<'l>(
    rows: impl Iterator<Item = &'l Line>,
    mut is_so: impl FnMut(&Line) -> bool,
) -> bool {
    let mut whole = Line::default();
    for row in rows {
        whole.append(row);
        if !row.wrapped || whole.text.len() > JOINED_BYTES {
            if is_so(&whole) {
                return true;
            }
            whole = Line::default();
        }
    }
    is_so(&whole)
}

fn is_new_match(pattern: &Regex, line: &Line, after: u64) -> bool {
    // The end of a line is where it was written to, and where the last thing to be seen is.
    let is_new = |text: &str| {
        let mut found = pattern.find_iter(text);
        found.any(|found| line.is_newer(found.range(), after))
    };
    line.is_newer(0..line.text.len(), after) && (is_new(&line.text) || is_new(line.text.trim_end()))
}

/// What the screen's text comes to.
fn digest(screen: &Screen) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    for line in screen.lines() {
        line.text.trim_end().hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Size;

    fn screen() -> Screen {
        Screen::new(Size {
            columns: 20,
            rows: 5,
        })
    }

    fn waiter(text: &str, after: u64) -> Waiter {
        let waiting = Waiting {
            text: Some(text.to_owned()),
            ..Waiting::default()
        };
        Waiter::new(waiting, after).unwrap()
    }

    #[test]
    fn a_prompt_that_was_there_before_is_no_news() {
        let mut screen = screen();
        screen.feed(b">>> ");
        let mut waiter = waiter(">>> ", screen.stamp());
        let mut watch = Watch::default();
        let mut look = |screen: &Screen| waiter.look(screen, &mut watch, Duration::ZERO);
        assert_eq!(look(&screen), None);
        screen.feed(b"1+1\r\n");
        assert_eq!(look(&screen), None, "the echo behind the old prompt");
        screen.feed(b"2\r\n>>> ");
        assert_eq!(look(&screen), Some(Condition::Text));
    }

    #[test]
    fn text_is_found_across_rows_and_after_it_left_the_screen() {
        let mut screen = screen();
        let mut found = waiter("twenty columns are not enough", 0);
        screen.feed(b"this is so: twenty columns are not enough\r\n");
        for _ in 0..50 {
            screen.feed(b"more\r\n");
        }
        let look = found.look(&screen, &mut Watch::default(), Duration::ZERO);
        assert_eq!(look, Some(Condition::Text));
    }

    #[test]
    fn each_row_that_leaves_is_looked_at_once_and_none_is_missed() {
        let mut screen = screen();
        let mut found = waiter("needle in two rows", 0);
        let mut watch = Watch::default();
        let mut look = |screen: &Screen| found.look(screen, &mut watch, Duration::ZERO);
        for number in 0..3000 {
            screen.feed(format!("line {number}\r\n").as_bytes());
            assert_eq!(look(&screen), None, "{number}");
        }
        // The line begins in a row that has left when it is looked at next.
        screen.feed(b"a row's end and a needle");
        assert_eq!(look(&screen), None);
        screen.feed(b" in two rows\r\n1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n");
        assert_eq!(look(&screen), Some(Condition::Text));
        // Also after all that is known was forgotten.
        let mut next = waiter("^again$", screen.stamp());
        screen.feed(b"\x1b[3J\x1bcagain\r\n1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n");
        let met = next.look(&screen, &mut watch, Duration::ZERO);
        assert_eq!(met, Some(Condition::Text));
    }

    #[test]
    fn rows_are_looked_at_from_where_their_line_begins() {
        let row = |wrapped| Line {
            wrapped,
            ..Line::plain("x")
        };
        let rows = [
            row(false),
            row(true),
            row(true),
            row(false),
            row(true),
            row(false),
        ];
        for (fresh, looked_at) in [(0, 0), (1, 2), (2, 2), (3, 5), (5, 5), (9, 6)] {
            assert_eq!(fresh_rows(rows.iter(), fresh).len(), looked_at, "{fresh}");
        }
        let endless = vec![row(true); 1000];
        assert_eq!(fresh_rows(endless.iter(), 1).len(), 65);
    }

    #[test]
    fn what_is_quiet_was_quiet_since_something_was_typed() {
        let second = Duration::from_secs(1);
        let waiting = Waiting {
            idle_ms: Some(1000),
            ..Waiting::default()
        };
        let mut waiter = Waiter::new(waiting, 0).unwrap();
        let mut watch = Watch::default();
        let screen = screen();
        assert_eq!(
            waiter.look(&screen, &mut watch, second),
            Some(Condition::Idle)
        );
        watch.typed(10 * second);
        assert_eq!(waiter.look(&screen, &mut watch, 10 * second), None);
        assert_eq!(waiter.due(&watch), Some(11 * second));
        assert_eq!(
            waiter.look(&screen, &mut watch, 11 * second),
            Some(Condition::Idle)
        );
    }

    #[test]
    fn a_spinner_that_draws_the_same_is_stable_and_not_idle() {
        let second = Duration::from_secs(1);
        let (mut screen, mut watch) = (screen(), Watch::default());
        screen.feed(b"\r/");
        watch.output(&screen, second, true);
        screen.feed(b"\r/");
        watch.output(&screen, 3 * second, true);
        assert_eq!(
            (watch.quiet_since(), watch.stable_since()),
            (3 * second, second)
        );
        screen.feed(b"\r-");
        watch.output(&screen, 4 * second, true);
        assert_eq!(watch.stable_since(), 4 * second);
    }

    #[test]
    fn a_terminal_that_hides_what_is_typed_asks_for_something() {
        let waiting = Waiting {
            input: true,
            ..Waiting::default()
        };
        let mut waiter = Waiter::new(waiting, 0).unwrap();
        let (screen, mut watch) = (screen(), Watch::default());
        let second = Duration::from_secs(1);
        for (by_line, echoes, met) in [
            (true, false, Some(Condition::Input)),
            (true, true, None),
            (false, false, None),
        ] {
            watch.at_terminal(Some(Typing { by_line, echoes }));
            assert_eq!(waiter.look(&screen, &mut watch, second), met);
            assert_eq!(
                waiter.look(&screen, &mut watch, second / 5),
                None,
                "not quiet yet"
            );
        }
    }

    #[test]
    fn a_bell_rings_once_it_is_new() {
        let waiting = Waiting {
            bell: true,
            ..Waiting::default()
        };
        let (mut screen, mut watch) = (screen(), Watch::default());
        screen.feed(b"\x07");
        let mut waiter = Waiter::new(waiting, screen.stamp()).unwrap();
        assert_eq!(waiter.look(&screen, &mut watch, Duration::ZERO), None);
        screen.feed(b"\x1b]9;done\x07");
        let look = waiter.look(&screen, &mut watch, Duration::ZERO);
        assert_eq!(look, Some(Condition::Bell));
    }
}
