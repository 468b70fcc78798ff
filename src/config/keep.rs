//! What one source says of how much is kept.

use std::time::Duration;

use crate::session::Policy;

/// Limits as they were given: 0 is no limit, and none is nothing said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Keep {
    pub(super) days: Option<u64>,
    pub(super) bytes: Option<u64>,
    pub(super) sessions: Option<u64>,
}

impl Keep {
    /// What holds where nothing was said.
    fn of_default() -> Self {
        let policy = Policy::default();
        let days = policy
            .max_age
            .map(|age| age.as_secs() / Policy::DAY_SECONDS);
        Self {
            days: Some(days.unwrap_or(0)),
            bytes: Some(policy.max_total_bytes.unwrap_or(0)),
            sessions: Some(policy.max_sessions.unwrap_or(0)),
        }
    }

    /// These limits, and the others where these say nothing.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            days: self.days.or(other.days),
            bytes: self.bytes.or(other.bytes),
            sessions: self.sessions.or(other.sessions),
        }
    }

    /// Takes out each limit that is stricter than the user's, and gives its name and value: what a
    /// stranger's repository did has to stay on record for as long as without its file.
    pub(super) fn no_less_than(&mut self, user: &Self) -> Vec<(&'static str, u64)> {
        let floor = user.or(Self::of_default());
        let mut taken = Vec::new();
        for (name, own, least) in [
            ("keep_days", &mut self.days, floor.days),
            ("keep_bytes", &mut self.bytes, floor.bytes),
            ("keep_sessions", &mut self.sessions, floor.sessions),
        ] {
            let least = least.filter(|limit| *limit > 0).unwrap_or(u64::MAX);
            let is_stricter = |limit: &mut u64| *limit > 0 && *limit < least;
            taken.extend(own.take_if(is_stricter).map(|limit| (name, limit)));
        }
        taken
    }

    /// The policy, with defaults where nothing was said.
    pub(super) fn into_policy(self) -> Policy {
        let all = self.or(Self::of_default());
        let limit = |given: Option<u64>| given.filter(|limit| *limit > 0);
        let seconds = |days: u64| days.saturating_mul(Policy::DAY_SECONDS);
        Policy {
            max_age: limit(all.days).map(|days| Duration::from_secs(seconds(days))),
            max_total_bytes: limit(all.bytes),
            max_sessions: limit(all.sessions),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Keep = Keep {
        days: None,
        bytes: None,
        sessions: None,
    };

    #[test]
    fn zero_is_no_limit_and_nothing_said_is_the_default() {
        assert_eq!(NOTHING.into_policy(), Policy::default());
        let zero = Keep {
            days: Some(0),
            bytes: Some(0),
            sessions: Some(0),
        };
        assert_eq!(zero.into_policy(), Policy::KEEP_ALL);
        let some = Keep {
            days: Some(7),
            bytes: Some(1),
            sessions: Some(1000),
        };
        let expected = Policy {
            max_age: Some(Duration::from_secs(604_800)),
            max_total_bytes: Some(1),
            max_sessions: Some(1000),
        };
        assert_eq!(some.into_policy(), expected);
    }

    #[test]
    fn a_repository_may_only_keep_more_than_the_user_does() {
        let days = |days| Keep {
            days: Some(days),
            ..NOTHING
        };
        let bytes = |bytes| Keep {
            bytes: Some(bytes),
            ..NOTHING
        };
        let sessions = |sessions| Keep {
            sessions: Some(sessions),
            ..NOTHING
        };
        for (user, repository, name) in [
            // Against the defaults: 30 days, 5 GiB, any number.
            (NOTHING, days(29), Some("keep_days")),
            (NOTHING, days(30), None),
            (NOTHING, days(0), None),
            (NOTHING, bytes(1024), Some("keep_bytes")),
            (NOTHING, bytes(6 << 30), None),
            (NOTHING, sessions(1_000_000), Some("keep_sessions")),
            (NOTHING, sessions(0), None),
            // Against what the user says.
            (days(7), days(7), None),
            (days(7), days(6), Some("keep_days")),
            (days(0), days(9999), Some("keep_days")),
            (sessions(10), sessions(11), None),
            (sessions(10), sessions(9), Some("keep_sessions")),
        ] {
            let mut left = repository;
            let taken = left.no_less_than(&user);
            let names: Vec<&str> = taken.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, Vec::from_iter(name), "{user:?} {repository:?}");
            let expected = if name.is_some() { NOTHING } else { repository };
            assert_eq!(left, expected, "{user:?} {repository:?}");
        }
    }
}
