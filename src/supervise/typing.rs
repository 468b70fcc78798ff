//! What is to be typed: requests one after the other, each in one piece, each looked at right before.

use std::collections::VecDeque;
use std::time::Duration;

use regex::Regex;
use rustix::io::Errno;

use super::waiting::{Watch, any_line};
use crate::screen::{Line, Screen};
use crate::sys::pty::{LINE_MAX_BYTES, Pty, Typing as Modes, typing};
use crate::wire::keys::{CursorKeys, bytes_of};
use crate::wire::{Input, Refusal, Reply, Sending};

/// The most that waits to be typed.
const WAITING_BYTES: usize = 1024 * 1024;
/// How long a program must be quiet before Enter is typed after text: it may take what comes at once
/// for something pasted.
const SETTLE: Duration = Duration::from_millis(80);
/// How long it may take to become quiet.
const SETTLE_MOST: Duration = Duration::from_millis(1500);

/// How long a program may take nothing of what is typed, before a request is given up.
const STUCK_AFTER: Duration = Duration::from_secs(5);
/// How often it is tried whether a terminal takes more.
const TRY_EVERY: Duration = Duration::from_millis(10);

/// A request to type.
struct Job {
    from: u64,
    kind: Kind,
}

enum Kind {
    /// Keys of an attached client, as they are.
    Keys(Vec<u8>),
    /// A request whose conditions are still to be looked at.
    Asked(Sending, Option<Regex>),
    /// One that is being typed.
    Begun(VecDeque<Step>),
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Write(Vec<u8>),
    Settle,
}

/// What was refused, and why.
type Refused = (Refusal, String);

/// What is to be typed.
#[derive(Default)]
pub(super) struct Typing {
    jobs: VecDeque<Job>,
    /// What the terminal has not taken yet.
    pending: VecDeque<u8>,
    /// Since when it takes nothing.
    blocked: Option<Duration>,
    waiting_bytes: usize,
    /// Since when it is waited for the program to become quiet.
    settling: Option<Duration>,
    /// When to look again.
    due: Option<Duration>,
    /// How much output there was when something was typed last.
    mark: u64,
}

impl Typing {
    /// How much output there was when something was typed last, in bytes.
    pub(super) fn mark(&self) -> u64 {
        self.mark
    }

    /// Adds a request.
    pub(super) fn add(&mut self, from: u64, sending: Sending) -> Result<(), Refused> {
        let bytes: usize = sending.input.iter().map(size).sum();
        if self.waiting_bytes + self.pending.len() + bytes > WAITING_BYTES {
            let detail = "the command takes nothing, and 1 MiB waits already".to_owned();
            return Err((Refusal::Full, detail));
        }
        let pattern = match &sending.if_screen {
            Some(pattern) => Some(Regex::new(pattern).map_err(invalid)?),
            None => None,
        };
        self.waiting_bytes += bytes;
        let kind = Kind::Asked(sending, pattern);
        self.jobs.push_back(Job { from, kind });
        Ok(())
    }

    /// Adds what somebody types.
    pub(super) fn add_keys(&mut self, from: u64, bytes: Vec<u8>) {
        if self.waiting_bytes + self.pending.len() + bytes.len() <= WAITING_BYTES {
            self.waiting_bytes += bytes.len();
            let kind = Kind::Keys(bytes);
            self.jobs.push_back(Job { from, kind });
        }
    }

    /// Adds the terminal's own answers, which come before all else.
    pub(super) fn answer(&mut self, answers: Vec<u8>) {
        if self.pending.len() + answers.len() <= WAITING_BYTES {
            self.pending.extend(answers);
        }
    }

    /// A client is gone: what it asked for and was not begun is not typed.
    pub(super) fn forget(&mut self, from: u64) {
        let waiting_bytes = &mut self.waiting_bytes;
        self.jobs.retain(|job| {
            let is_asked = job.from == from && matches!(job.kind, Kind::Asked(..));
            if let (true, Kind::Asked(sending, _)) = (is_asked, &job.kind) {
                *waiting_bytes -= sending.input.iter().map(size).sum::<usize>();
            }
            !is_asked
        });
    }

    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// Types what can be typed now; returns what is to be said to whom.
    pub(super) fn go_on(
        &mut self,
        terminal: &Pty,
        screen: &Screen,
        watch: &mut Watch,
        now: Duration,
    ) -> Vec<(u64, Reply)> {
        let mut replies = Vec::new();
        self.due = None;
        loop {
            if !self.write(terminal, now) {
                // Nothing tells when a terminal takes more again, without waking for all that it takes.
                self.due = Some(now + TRY_EVERY);
                let blocked = self.blocked.map(|since| now.saturating_sub(since));
                if blocked.is_some_and(|blocked| blocked >= STUCK_AFTER) {
                    replies.extend(self.give_up());
                }
                return replies;
            }
            if let Some(since) = self.settling {
                let quiet = watch.quiet_since().max(since) + SETTLE;
                let most = since + SETTLE_MOST;
                let has_answered = watch.quiet_since() > since;
                let end = if has_answered { quiet.min(most) } else { most };
                if now < end {
                    self.due = Some(end);
                    return replies;
                }
                self.settling = None;
            }
            let Some(job) = self.jobs.front_mut() else {
                return replies;
            };
            match &mut job.kind {
                Kind::Keys(keys) => {
                    self.waiting_bytes -= keys.len();
                    self.pending.extend(keys.drain(..));
                    self.jobs.pop_front();
                    self.mark = screen.stamp();
                    watch.typed(now);
                }
                Kind::Asked(sending, pattern) => {
                    self.waiting_bytes -= sending.input.iter().map(size).sum::<usize>();
                    let steps = check(sending, pattern.as_ref(), screen, watch, now)
                        .and_then(|()| steps(sending, typing(terminal), screen));
                    match steps {
                        Ok(steps) => job.kind = Kind::Begun(steps),
                        Err((why, detail)) => {
                            replies.push((job.from, Reply::Refused { why, detail }));
                            self.jobs.pop_front();
                        }
                    }
                }
                Kind::Begun(steps) => match steps.pop_front() {
                    Some(Step::Write(bytes)) => {
                        self.pending.extend(bytes);
                        self.mark = screen.stamp();
                        watch.typed(now);
                    }
                    Some(Step::Settle) => self.settling = Some(now),
                    None => {
                        let sequence = self.mark;
                        replies.push((job.from, Reply::Done { sequence }));
                        self.jobs.pop_front();
                    }
                },
            }
        }
    }

    /// Writes what waits; false if the terminal doesn't take all of it now.
    fn write(&mut self, terminal: &Pty, now: Duration) -> bool {
        while !self.pending.is_empty() {
            let (piece, _) = self.pending.as_slices();
            match rustix::io::write(terminal, piece) {
                Ok(count) => {
                    self.pending.drain(..count);
                    self.blocked = None;
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.blocked.get_or_insert(now);
                    return false;
                }
                // The terminal is gone, and nobody is left to type to.
                Err(_) => self.pending.clear(),
            }
        }
        self.blocked = None;
        true
    }

    /// Gives up requests to a program that reads nothing: they would be typed at some other time, to
    /// whatever reads then. What somebody who is attached typed stays, as in any terminal.
    fn give_up(&mut self) -> Vec<(u64, Reply)> {
        let refused = |from, why, detail: String| (from, Reply::Refused { why, detail });
        let mut replies = Vec::new();
        for job in std::mem::take(&mut self.jobs) {
            match job.kind {
                Kind::Keys(_) => self.jobs.push_back(job),
                Kind::Asked(sending, _) => {
                    self.waiting_bytes -= sending.input.iter().map(size).sum::<usize>();
                    let detail = "the command reads nothing".to_owned();
                    replies.push(refused(job.from, Refusal::Full, detail));
                }
                Kind::Begun(steps) => {
                    let later = steps.iter().map(|step| match step {
                        Step::Write(bytes) => bytes.len(),
                        Step::Settle => 0,
                    });
                    let left = self.pending.len() + later.sum::<usize>();
                    self.pending.clear();
                    let detail =
                        format!("the command reads nothing: its last {left} bytes were not typed");
                    replies.push(refused(job.from, Refusal::Stuck, detail));
                }
            }
        }
        replies
    }
}

fn size(input: &Input) -> usize {
    match input {
        Input::Text(text) | Input::Paste(text) => text.len(),
        Input::Keys(keys) => keys.iter().map(|key| key.len().max(8)).sum(),
        Input::Enter => 1,
    }
}

fn invalid(error: regex::Error) -> Refused {
    (Refusal::Invalid, error.to_string())
}

/// Whether it may be typed now, as far as the request itself says.
fn check(
    sending: &Sending,
    pattern: Option<&Regex>,
    screen: &Screen,
    watch: &Watch,
    now: Duration,
) -> Result<(), Refused> {
    if let Some(idle_ms) = sending.if_idle_ms {
        let quiet = now.saturating_sub(watch.quiet_since());
        if quiet < Duration::from_millis(idle_ms) {
            let detail = format!("something happened {} ms ago", quiet.as_millis());
            return Err((Refusal::Busy, detail));
        }
    }
    if let Some(pattern) = pattern {
        let is_match =
            |line: &Line| pattern.is_match(&line.text) || pattern.is_match(line.text.trim_end());
        let shown: Vec<Line> = screen.lines().collect();
        if !any_line(shown.iter(), is_match) {
            let detail = format!("no line on the screen matches {pattern}");
            return Err((Refusal::Screen, detail));
        }
    }
    Ok(())
}

/// What is to be done, one after the other.
fn steps(
    sending: &Sending,
    modes: Option<Modes>,
    screen: &Screen,
) -> Result<VecDeque<Step>, Refused> {
    let modes = modes.unwrap_or_default();
    if modes.by_line && !modes.echoes && !sending.secret {
        let detail = "it asks for a password: what is typed is not shown".to_owned();
        return Err((Refusal::Password, detail));
    }
    let mut steps = VecDeque::new();
    let mut all = Vec::new();
    for (index, input) in sending.input.iter().enumerate() {
        let bytes = bytes(input, screen)?;
        all.extend_from_slice(&bytes);
        if matches!(input, Input::Enter) && index > 0 {
            steps.push_back(Step::Settle);
        }
        steps.push_back(Step::Write(bytes));
    }
    let mut lines = all.split(|byte| matches!(byte, b'\r' | b'\n'));
    if modes.by_line && lines.any(|line| line.len() > LINE_MAX_BYTES) {
        let detail =
            format!("a line is longer than the {LINE_MAX_BYTES} bytes that the terminal takes");
        return Err((Refusal::TooLong, detail));
    }
    Ok(steps)
}

fn bytes(input: &Input, screen: &Screen) -> Result<Vec<u8>, Refused> {
    let modes = screen.modes();
    let typed = |text: &str| text.replace("\r\n", "\r").replace('\n', "\r");
    Ok(match input {
        Input::Enter => b"\r".to_vec(),
        Input::Text(text) if !(modes.bracketed_paste && text.contains('\n')) => {
            typed(text).into_bytes()
        }
        Input::Text(text) | Input::Paste(text) if modes.bracketed_paste => {
            // What is pasted must not end the paste.
            let text = typed(text)
                .replace("\x1b[201~", "")
                .replace("\x1b[200~", "");
            format!("\x1b[200~{text}\x1b[201~").into_bytes()
        }
        Input::Text(text) | Input::Paste(text) => typed(text).into_bytes(),
        Input::Keys(keys) => {
            let cursor = match modes.application_cursor {
                true => CursorKeys::Application,
                false => CursorKeys::Normal,
            };
            let mut all = Vec::new();
            for key in keys {
                let Some(bytes) = bytes_of(key, cursor) else {
                    return Err((Refusal::Invalid, format!("there is no key {key:?}")));
                };
                all.extend(bytes);
            }
            all
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Size;

    fn screen(bytes: &[u8]) -> Screen {
        let mut screen = Screen::new(Size {
            columns: 80,
            rows: 24,
        });
        screen.feed(bytes);
        screen
    }

    const PLAIN: Modes = Modes {
        by_line: true,
        echoes: true,
    };

    fn sending(input: Vec<Input>) -> Sending {
        Sending {
            input,
            ..Sending::default()
        }
    }

    #[test]
    fn enter_is_typed_by_itself_after_a_pause() {
        let text = Input::Text("one\ntwo".to_owned());
        let steps_of = |input: Vec<Input>, shown: &[u8]| {
            steps(&sending(input), Some(PLAIN), &screen(shown)).unwrap()
        };
        let enter = || Step::Write(b"\r".to_vec());
        let plain = Step::Write(b"one\rtwo".to_vec());
        assert_eq!(
            steps_of(vec![text.clone(), Input::Enter], b""),
            [plain, Step::Settle, enter()]
        );
        assert_eq!(steps_of(vec![Input::Enter], b""), [enter()]);
        let pasted = Step::Write(b"\x1b[200~one\rtwo\x1b[201~".to_vec());
        assert_eq!(steps_of(vec![text], b"\x1b[?2004h"), [pasted]);
    }

    #[test]
    fn what_is_pasted_does_not_end_the_paste() {
        let text = Input::Paste("a\x1b[201~b".to_owned());
        let pasted = bytes(&text, &screen(b"\x1b[?2004h")).unwrap();
        assert_eq!(pasted, b"\x1b[200~ab\x1b[201~");
    }

    #[test]
    fn passwords_and_lines_that_would_be_cut_are_refused() {
        let shown = screen(b"");
        let why = |sending: &Sending, modes| {
            steps(sending, Some(modes), &shown)
                .err()
                .map(|(why, _)| why)
        };
        let hidden = Modes {
            echoes: false,
            ..PLAIN
        };
        let raw = Modes::default();
        let mut word = sending(vec![Input::Text("x".repeat(LINE_MAX_BYTES)), Input::Enter]);
        assert_eq!(why(&word, PLAIN), None);
        assert_eq!(why(&word, hidden), Some(Refusal::Password));
        word.secret = true;
        assert_eq!(why(&word, hidden), None);
        let long = sending(vec![Input::Text("x".repeat(LINE_MAX_BYTES + 1))]);
        assert_eq!(why(&long, PLAIN), Some(Refusal::TooLong));
        assert_eq!(why(&long, raw), None);
    }

    #[test]
    fn conditions_are_looked_at_when_it_is_typed() {
        let shown = screen(b"proceed? [y/N] ");
        let watch = Watch::default();
        let mut wanted = sending(vec![Input::Text("y".to_owned())]);
        wanted.if_idle_ms = Some(500);
        let second = Duration::from_secs(1);
        assert!(check(&wanted, None, &shown, &watch, second).is_ok());
        assert!(check(&wanted, None, &shown, &watch, second / 3).is_err());
        let pattern = Regex::new("proceed").unwrap();
        assert!(check(&wanted, Some(&pattern), &shown, &watch, second).is_ok());
        // As whoever waits for text has it: line by line, with the blanks at its end and without.
        for pattern in [r"^proceed\? \[y/N\] $", "N.$"] {
            let pattern = Regex::new(pattern).unwrap();
            assert!(check(&wanted, Some(&pattern), &shown, &watch, second).is_ok());
        }
        let pattern = Regex::new("delete").unwrap();
        assert!(check(&wanted, Some(&pattern), &shown, &watch, second).is_err());
    }
}
