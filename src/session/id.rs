//! Session ids: `{AGENT}-{YYYYMMDD_HHMMSS}-{PID}-{HEXID}`.
//!
//! An id becomes a file name, so nothing is an id that was not matched against this one form.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// The longest agent name, in bytes.
const AGENT_MAX_BYTES: usize = 64;

/// The name for an agent that did not say who it is.
pub const DEFAULT_AGENT: &str = "ai-agent";

/// An agent's name: `[a-z0-9._-]`, 1 to 64 bytes, never starting with `-` or `.`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentName(String);

impl AgentName {
    /// Makes a name from any text: what a name can't hold is replaced by `-`, never refused.
    #[must_use]
    pub fn from_any(text: &str) -> Self {
        let mut name = String::new();
        for character in text.trim().chars() {
            let lower = character.to_ascii_lowercase();
            let allowed = lower.is_ascii_lowercase() || lower.is_ascii_digit();
            let allowed = allowed || matches!(lower, '.' | '_' | '-');
            name.push(if allowed { lower } else { '-' });
            if name.len() == AGENT_MAX_BYTES {
                break;
            }
        }
        let name = name.trim_start_matches(['-', '.']);
        if name.is_empty() {
            Self(DEFAULT_AGENT.to_owned())
        } else {
            Self(name.to_owned())
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_valid(text: &str) -> bool {
        !text.is_empty()
            && text.len() <= AGENT_MAX_BYTES
            && !text.starts_with(['-', '.'])
            && text
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
    }
}

impl fmt::Display for AgentName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A session's id; its text is safe as a file name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId {
    text: String,
    agent_bytes: usize,
}

/// Why a text is no session id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a session id (AGENT-YYYYMMDD_HHMMSS-PID-HEX): {0:?}")]
pub struct InvalidId(pub String);

impl SessionId {
    /// Puts an id together.
    ///
    /// `local_time` is the session's start as `YYYYMMDD_HHMMSS` in local time, `process` aido's
    /// own process id, `random` eight hex digits' worth of chance.
    #[must_use]
    pub fn new(agent: &AgentName, local_time: &str, process: u32, random: u32) -> Self {
        Self {
            text: format!("{agent}-{local_time}-{process}-{random:08x}"),
            agent_bytes: agent.as_str().len(),
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The agent's name in it.
    #[must_use]
    pub fn agent(&self) -> &str {
        &self.text[..self.agent_bytes]
    }

    /// The start, `YYYYMMDD_HHMMSS` in the local time of the recorder.
    #[must_use]
    pub fn local_time(&self) -> &str {
        &self.text[self.agent_bytes + 1..self.agent_bytes + 16]
    }

    /// The recorder's process id; none of a number that no process has.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        self.text.rsplit('-').nth(1)?.parse().ok()
    }

    /// The hex ending, which is what people type.
    #[must_use]
    pub fn hex(&self) -> &str {
        self.text.rsplit('-').next().unwrap_or_default()
    }
}

impl FromStr for SessionId {
    type Err = InvalidId;

    /// Parses from the right, since an agent's name may hold dashes.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let mut parts = text.rsplitn(4, '-');
        let (hex, process, time, agent) = (parts.next(), parts.next(), parts.next(), parts.next());
        let hex_is_valid = hex.is_some_and(|hex| {
            (6..=8).contains(&hex.len())
                && hex
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        });
        let process_is_valid = process.is_some_and(|process| {
            (1..=10).contains(&process.len()) && process.bytes().all(|byte| byte.is_ascii_digit())
        });
        let time_is_valid = time.is_some_and(|time| {
            time.len() == 15
                && time.bytes().enumerate().all(|(index, byte)| match index {
                    8 => byte == b'_',
                    _ => byte.is_ascii_digit(),
                })
        });
        match agent {
            Some(agent)
                if AgentName::is_valid(agent)
                    && hex_is_valid
                    && process_is_valid
                    && time_is_valid =>
            {
                Ok(Self {
                    text: text.to_owned(),
                    agent_bytes: agent.len(),
                })
            }
            _ => Err(InvalidId(text.to_owned())),
        }
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_the_format_is_an_id() {
        let id: SessionId = "ai-agent-20260305_132522-3216-2f587606".parse().unwrap();
        assert_eq!(id.agent(), "ai-agent");
        assert_eq!(id.local_time(), "20260305_132522");
        assert_eq!(id.hex(), "2f587606");
    }

    #[test]
    fn six_hex_digits_are_read_too() {
        assert!("a-20260305_132522-1-abcdef".parse::<SessionId>().is_ok());
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "a",
            "../a-20260305_132522-1-abcdef12",
            "-a-20260305_132522-1-abcdef12",
            ".a-20260305_132522-1-abcdef12",
            "A-20260305_132522-1-abcdef12",
            "a/b-20260305_132522-1-abcdef12",
            "a-20260305-132522-1-abcdef12",
            "a-20260305_132522-x-abcdef12",
            "a-20260305_132522-1-ABCDEF12",
            "a-20260305_132522-1-abcdef123",
            "a-20260305_132522-1-abcde",
            "a-2026030５_132522-1-abcdef",
            "a\n-20260305_132522-1-abcdef12",
            "-20260305_132522-1-abcdef12",
        ] {
            assert!(text.parse::<SessionId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_agents_name_has_at_most_64_bytes() {
        let id = |length| format!("{}-20260305_132522-1-abcdef12", "a".repeat(length));
        assert!(id(AGENT_MAX_BYTES).parse::<SessionId>().is_ok());
        assert!(id(AGENT_MAX_BYTES + 1).parse::<SessionId>().is_err());
    }

    #[test]
    fn agent_names_are_made_of_anything() {
        for (text, name) in [
            ("Claude Code", "claude-code"),
            ("../../etc", "etc"),
            ("--x", "x"),
            ("", DEFAULT_AGENT),
            ("...", DEFAULT_AGENT),
            ("ä€b", "b"),
            ("a/b", "a-b"),
        ] {
            assert_eq!(AgentName::from_any(text).as_str(), name, "{text:?}");
        }
        assert_eq!(AgentName::from_any(&"x".repeat(900)).as_str().len(), 64);
    }

    proptest! {
        #[test]
        fn an_id_made_of_any_agent_parses_back(agent in ".*", process: u32, random: u32) {
            let agent = AgentName::from_any(&agent);
            prop_assert!(AgentName::is_valid(agent.as_str()));
            let id = SessionId::new(&agent, "20260305_132522", process, random);
            let parsed: SessionId = id.as_str().parse().unwrap();
            prop_assert_eq!(parsed.agent(), agent.as_str());
            prop_assert_eq!(&parsed, &id);
        }
    }

    #[test]
    fn an_id_tells_the_recorders_process_if_there_can_be_one() {
        for (process, told) in [("3216", Some(3216)), ("0", Some(0)), ("9999999999", None)] {
            let text = format!("a-b-20260305_132522-{process}-2f587606");
            let id: SessionId = text.parse().unwrap();
            assert_eq!(id.process(), told);
            assert_eq!(id.to_string(), text);
        }
    }
}
