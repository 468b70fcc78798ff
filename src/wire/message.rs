//! What is said: requests of a client, and replies of a supervisor. Fields are only ever added.

use serde::{Deserialize, Serialize};

use crate::screen::Snapshot;
use crate::session::{Size, Status};

/// What a client wants. One request a connection, but for those that say otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Who is there; comes first.
    Hello {
        /// The highest version that is understood.
        protocol: u32,
        /// The client's version.
        aido: String,
    },
    /// Type something.
    Send(Sending),
    /// Tell what is on the screen.
    Capture {
        /// How many lines of what left it, at most.
        scrollback: usize,
    },
    /// Tell when something is so; without a condition, when the session is over.
    Wait(Waiting),
    /// End the command and whatever it started.
    Stop {
        /// How long they may take, before they are killed.
        grace_ms: u64,
    },
    /// Show the screen from now on, and take what is typed.
    Attach {
        /// The client's window.
        size: Size,
        /// Only show it.
        read_only: bool,
    },
    /// The attached client's window has another size.
    Resize {
        /// The client's window.
        size: Size,
    },
    /// Note which conversation of its own an agent in the session is in. Not answered.
    Conversation {
        /// The agent program.
        agent: String,
        /// Its own id of the conversation.
        id: String,
    },
    /// Of a later version.
    #[serde(other)]
    Unknown,
}

/// Something to be typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// Text, as if typed.
    Text(String),
    /// Text, as if pasted.
    Paste(String),
    /// Keys by their names.
    Keys(Vec<String>),
    /// The Enter key, on its own, once the program has taken what was before.
    Enter,
}

/// What is to be typed, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sending {
    /// What, in order.
    pub input: Vec<Input>,
    /// Only if the screen's text matches this regular expression.
    #[serde(default)]
    pub if_screen: Option<String>,
    /// Only if nothing was written or typed for this long.
    #[serde(default)]
    pub if_idle_ms: Option<u64>,
    /// It may be typed where it isn't shown: at a password prompt.
    #[serde(default)]
    pub secret: bool,
}

/// What is waited for: any of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Text that matches this regular expression, with something new in it.
    #[serde(default)]
    pub text: Option<String>,
    /// Nothing written or typed for this long.
    #[serde(default)]
    pub idle_ms: Option<u64>,
    /// The same text on the screen for this long.
    #[serde(default)]
    pub stable_ms: Option<u64>,
    /// It rings.
    #[serde(default)]
    pub bell: bool,
    /// It reads from its terminal.
    #[serde(default)]
    pub input: bool,
    /// New is what came after so many bytes of output; without it, what came after something was
    /// typed last.
    #[serde(default)]
    pub after: Option<u64>,
}

impl Waiting {
    /// Whether only the session's end is waited for.
    #[must_use]
    pub fn is_for_end(&self) -> bool {
        self.text.is_none()
            && self.idle_ms.is_none()
            && self.stable_ms.is_none()
            && !self.bell
            && !self.input
    }
}

/// What was waited for and is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Text that matches.
    Text,
    /// Nothing happens.
    Idle,
    /// The screen stays the same.
    Stable,
    /// It rang.
    Bell,
    /// It reads from its terminal.
    Input,
}

/// Why something was not done. Nothing was typed then, but for what says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The screen is not as was asked for.
    Screen,
    /// Something happened just now.
    Busy,
    /// The terminal shows nothing of what is typed.
    Password,
    /// A line is longer than the terminal takes.
    TooLong,
    /// The command takes nothing, and too much waits already.
    Full,
    /// The command takes no more, and only a part was typed.
    Stuck,
    /// A pattern or a key that is none.
    Invalid,
    /// The command has ended.
    Over,
    /// Of a later version.
    #[serde(other)]
    Other,
}

/// What a supervisor says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reply {
    /// Who is there; comes first.
    Hello {
        /// The highest version that is understood.
        protocol: u32,
        /// The supervisor's version.
        aido: String,
    },
    /// It was done.
    Done {
        /// How much output there was then, in bytes: what comes after is an answer.
        sequence: u64,
    },
    /// It was not done.
    Refused {
        /// Why.
        why: Refusal,
        /// The same for people.
        detail: String,
    },
    /// What is on the screen.
    Screen(Box<Snapshot>),
    /// What was waited for is so.
    Met {
        /// Which of it.
        condition: Condition,
        /// How much output there was then, in bytes.
        sequence: u64,
    },
    /// The session is over, and its files are complete. The last that is said.
    Ended {
        /// As a shell would show it; none where nobody knows.
        exit_code: Option<i32>,
        /// How it ended.
        status: Status,
        /// Processes of the session that could not be ended.
        #[serde(default)]
        left: Vec<i32>,
    },
    /// The supervisor is older than the request.
    Unsupported,
    /// Of a later version.
    #[serde(other)]
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_version_says_is_read_as_far_as_it_is_known() {
        let request: Request = serde_json::from_str(r#"{"type":"dance","how":1}"#).unwrap();
        assert_eq!(request, Request::Unknown);
        let stop = r#"{"type":"stop","grace_ms":5,"kindly":true}"#;
        let request: Request = serde_json::from_str(stop).unwrap();
        assert_eq!(request, Request::Stop { grace_ms: 5 });
        let refused = r#"{"type":"refused","why":"moon","detail":"full"}"#;
        let reply: Reply = serde_json::from_str(refused).unwrap();
        let detail = "full".to_owned();
        let why = Refusal::Other;
        assert_eq!(reply, Reply::Refused { why, detail });
        let waiting: Waiting = serde_json::from_str("{}").unwrap();
        assert!(waiting.is_for_end());
    }
}
