//! How people name sessions.

use std::convert::Infallible;
use std::str::FromStr;

use super::SessionId;

/// A name for one session: `last`, `last~2`, `last:failed`, `@agent`, an id, a unique prefix or a
/// unique hex ending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// The newest session, `back` sessions before it.
    Last {
        /// 0 is the newest.
        back: usize,
    },
    /// The newest session that failed.
    LastFailed,
    /// The newest session of this agent.
    Agent(String),
    /// This very session.
    Id(SessionId),
    /// The one session whose id starts or ends with this text.
    Part(String),
}

impl FromStr for Selector {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        if text == "last" {
            return Ok(Self::Last { back: 0 });
        }
        if matches!(text, "last:failed" | "last:fail") {
            return Ok(Self::LastFailed);
        }
        if let Some(back) = text
            .strip_prefix("last~")
            .and_then(|back| back.parse().ok())
        {
            return Ok(Self::Last { back });
        }
        if let Some(agent) = text.strip_prefix('@') {
            return Ok(Self::Agent(agent.to_ascii_lowercase()));
        }
        Ok(match text.parse() {
            Ok(id) => Self::Id(id),
            Err(_) => Self::Part(text.to_owned()),
        })
    }
}

impl Selector {
    /// Whether an id fits a [`Selector::Part`] or [`Selector::Id`].
    #[must_use]
    pub fn fits(&self, id: &SessionId) -> bool {
        match self {
            Self::Id(wanted) => id == wanted,
            Self::Part(part) => {
                !part.is_empty()
                    && (id.as_str().starts_with(part) || id.hex().ends_with(part.as_str()))
            }
            Self::Agent(agent) => id.agent() == agent,
            Self::Last { .. } | Self::LastFailed => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_from_ids_and_parts() {
        for (text, selector) in [
            ("last", Selector::Last { back: 0 }),
            ("last~2", Selector::Last { back: 2 }),
            ("last:failed", Selector::LastFailed),
            ("@Codex", Selector::Agent("codex".to_owned())),
            ("2f58", Selector::Part("2f58".to_owned())),
            ("last~x", Selector::Part("last~x".to_owned())),
        ] {
            assert_eq!(text.parse::<Selector>().unwrap(), selector, "{text}");
        }
    }

    #[test]
    fn a_part_fits_from_either_end() {
        let id: SessionId = "codex-20260305_132522-3216-2f587606".parse().unwrap();
        for (part, fits) in [
            ("codex-2026", true),
            ("7606", true),
            ("2f587606", true),
            ("3216", false),
            ("", false),
        ] {
            assert_eq!(Selector::Part(part.to_owned()).fits(&id), fits, "{part}");
        }
    }

    #[test]
    fn an_agent_fits_its_own_sessions_alone() {
        let id: SessionId = "codex-20260305_132522-3216-2f587606".parse().unwrap();
        for (agent, fits) in [("codex", true), ("cod", false), ("gemini", false)] {
            assert_eq!(Selector::Agent(agent.to_owned()).fits(&id), fits, "{agent}");
        }
    }

    #[test]
    fn a_whole_id_fits_itself_alone() {
        let id: SessionId = "codex-20260305_132522-3216-2f587606".parse().unwrap();
        let other: SessionId = "codex-20260305_132522-3216-2f587607".parse().unwrap();
        let selector = Selector::Id(id.clone());
        assert!(selector.fits(&id) && !selector.fits(&other));
    }
}
