//! When each moment of a recording is due, from its times, the pace and the keys.
//!
//! Time comes from outside, as the real time since the replay began. What is shown late doesn't delay
//! what comes after it.

use std::time::Duration;

use super::Key;

/// Slowest and fastest that keys can ask for.
const SPEED_LIMITS: (f64, f64) = (1.0 / 64.0, 1024.0);

/// How a recording is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// How many times as fast as it was.
    pub speed: f64,
    /// The longest pause between two moments, in the recording's time.
    pub idle_limit: Option<Duration>,
    /// What came before this time is shown at once.
    pub from: Duration,
    /// What came after it is not shown.
    pub to: Option<Duration>,
}

/// How long to wait for the next moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Not at all.
    Done,
    /// So long.
    For(Duration),
    /// Until a key is pressed.
    ForKey,
}

/// Whether it plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Playing,
    /// Paused at this real time; one more moment may be due all the same.
    Paused {
        since: Duration,
        steps: bool,
    },
}

/// Plays a recording.
#[derive(Debug)]
pub struct Player {
    pace: Pace,
    state: State,
    /// Real time that was spent in pauses, without the present one.
    paused: Duration,
    /// The recording's time that has been reached.
    reached: Duration,
    /// When the next moment is due, in real time without pauses.
    due: Duration,
}

impl Player {
    /// Begins.
    #[must_use]
    pub fn new(pace: Pace) -> Self {
        Self {
            pace,
            state: State::Playing,
            paused: Duration::ZERO,
            reached: pace.from,
            due: Duration::ZERO,
        }
    }

    /// Announces the next moment, by the recording's time; returns whether it is still to be shown.
    pub fn announce(&mut self, at: Duration) -> bool {
        if self.pace.to.is_some_and(|to| at > to) {
            return false;
        }
        let pause = at.saturating_sub(self.reached);
        self.reached = self.reached.max(at);
        let pause = self.pace.idle_limit.map_or(pause, |limit| pause.min(limit));
        self.due = self
            .due
            .saturating_add(scaled(pause, 1.0 / self.pace.speed));
        true
    }

    /// How long to wait before showing what was announced. `elapsed` is the real time since the
    /// beginning.
    #[must_use]
    pub fn wait(&self, elapsed: Duration) -> Wait {
        match self.state {
            State::Paused { steps: true, .. } => Wait::Done,
            State::Paused { .. } => Wait::ForKey,
            State::Playing => match self.due.saturating_sub(self.played(elapsed)) {
                Duration::ZERO => Wait::Done,
                left => Wait::For(left),
            },
        }
    }

    /// What was announced is shown.
    pub fn shown(&mut self, elapsed: Duration) {
        if let State::Paused { steps, .. } = &mut self.state
            && *steps
        {
            *steps = false;
            // The next pause begins with it.
            self.due = self.played(elapsed);
        }
    }

    /// A key was pressed.
    pub fn press(&mut self, key: Key, elapsed: Duration) {
        match (key, self.state) {
            (Key::Pause, State::Playing) => self.pause(elapsed, false),
            (Key::Pause, State::Paused { since, .. }) => {
                self.paused += elapsed.saturating_sub(since);
                self.state = State::Playing;
            }
            (Key::Step, State::Playing) => self.pause(elapsed, true),
            (Key::Step, State::Paused { since, .. }) => {
                self.state = State::Paused { since, steps: true };
            }
            (Key::Faster, _) => self.change_speed(2.0, elapsed),
            (Key::Slower, _) => self.change_speed(0.5, elapsed),
            (Key::Quit | Key::Interrupt | Key::Suspend, _) => {}
        }
    }

    fn pause(&mut self, since: Duration, steps: bool) {
        self.state = State::Paused { since, steps };
    }

    fn change_speed(&mut self, factor: f64, elapsed: Duration) {
        let before = self.pace.speed;
        let (slowest, fastest) = SPEED_LIMITS;
        self.pace.speed = (before * factor).clamp(slowest.min(before), fastest.max(before));
        let played = self.played(elapsed);
        let left = self.due.saturating_sub(played);
        self.due = played.saturating_add(scaled(left, before / self.pace.speed));
    }

    /// Real time without pauses.
    fn played(&self, elapsed: Duration) -> Duration {
        let until = match self.state {
            State::Playing => elapsed,
            State::Paused { since, .. } => since,
        };
        until.saturating_sub(self.paused)
    }
}

/// A duration times a factor; what is out of all reason is the longest.
fn scaled(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace {
        speed: 1.0,
        idle_limit: None,
        from: Duration::ZERO,
        to: None,
    };

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn moments_are_due_when_they_happened() {
        let mut player = Player::new(PACE);
        assert!(player.announce(ms(500)));
        assert_eq!(player.wait(ms(0)), Wait::For(ms(500)));
        assert_eq!(player.wait(ms(500)), Wait::Done);
        // Shown 100 ms late: the next one is in time all the same.
        player.shown(ms(600));
        player.announce(ms(1000));
        assert_eq!(player.wait(ms(600)), Wait::For(ms(400)));
    }

    #[test]
    fn speed_and_idle_limit_shorten_pauses() {
        let mut player = Player::new(Pace {
            speed: 4.0,
            idle_limit: Some(ms(2000)),
            ..PACE
        });
        player.announce(ms(1000));
        assert_eq!(player.wait(ms(0)), Wait::For(ms(250)));
        player.announce(ms(3_601_000));
        assert_eq!(player.wait(ms(0)), Wait::For(ms(750)));
    }

    #[test]
    fn what_lies_outside_of_from_and_to_is_shown_at_once_or_not_at_all() {
        let mut player = Player::new(Pace {
            from: ms(5000),
            to: Some(ms(7000)),
            ..PACE
        });
        assert!(player.announce(ms(4000)));
        assert_eq!(player.wait(ms(0)), Wait::Done);
        assert!(player.announce(ms(6000)));
        assert_eq!(player.wait(ms(0)), Wait::For(ms(1000)));
        assert!(!player.announce(ms(7001)));
    }

    #[test]
    fn a_pause_lasts_until_it_is_taken_back() {
        let mut player = Player::new(PACE);
        player.announce(ms(1000));
        player.press(Key::Pause, ms(400));
        assert_eq!(player.wait(ms(90_000)), Wait::ForKey);
        player.press(Key::Pause, ms(90_000));
        assert_eq!(player.wait(ms(90_000)), Wait::For(ms(600)));
    }

    #[test]
    fn a_step_shows_one_moment_and_pauses() {
        let mut player = Player::new(PACE);
        player.announce(ms(1000));
        player.press(Key::Step, ms(100));
        assert_eq!(player.wait(ms(100)), Wait::Done);
        player.shown(ms(100));
        player.announce(ms(1500));
        assert_eq!(player.wait(ms(100)), Wait::ForKey);
        player.press(Key::Pause, ms(5000));
        assert_eq!(player.wait(ms(5000)), Wait::For(ms(500)));
    }

    #[test]
    fn another_speed_counts_from_now_on() {
        let mut player = Player::new(PACE);
        player.announce(ms(1000));
        player.press(Key::Faster, ms(200));
        assert_eq!(player.wait(ms(200)), Wait::For(ms(400)));
        player.press(Key::Slower, ms(200));
        assert_eq!(player.wait(ms(200)), Wait::For(ms(800)));
        for _ in 0..99 {
            player.press(Key::Slower, ms(200));
        }
        assert_eq!(player.wait(ms(200)), Wait::For(ms(800 * 64)));
    }

    #[test]
    fn absurd_times_are_no_panic() {
        let mut player = Player::new(Pace {
            speed: f64::MIN_POSITIVE,
            ..PACE
        });
        player.announce(Duration::MAX);
        assert_eq!(player.wait(ms(0)), Wait::For(Duration::MAX));
        player.press(Key::Pause, ms(1));
        player.press(Key::Faster, ms(2));
        player.press(Key::Pause, ms(3));
    }
}
