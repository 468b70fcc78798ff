//! The logs that agents' programs keep of their conversations: where they are, what their first lines tell,
//! and how each conversation is resumed. What is in the conversations is nobody's business here.

use std::path::{Path, PathBuf};

use super::json::{self, Node};

/// A program that keeps logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// Claude Code: a file a conversation, in a directory named after the work's.
    Claude,
    /// Codex: a file a conversation, in a directory a day.
    Codex,
    /// Gemini CLI: a file a conversation, in a directory named after the digest of the work's.
    Gemini,
    /// Cursor's agent: a directory a conversation, in one named after the work's.
    Cursor,
    /// Aider: one file for all of them, in the repository.
    Aider,
}

/// A store whose form is not one to be read in passing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The program.
    pub name: &'static str,
    /// Its store, below the user's home.
    pub path: &'static str,
    /// Why it isn't read.
    pub why: &'static str,
}

/// Stores that are named as not understood, where they are.
pub const CLOSED: &[Closed] = &[
    Closed {
        name: "github-copilot",
        path: ".copilot/session-state",
        why: "its names don't say which repository a conversation is of",
    },
    Closed {
        name: "opencode",
        path: ".local/share/opencode",
        why: "a database",
    },
    Closed {
        name: "goose",
        path: ".local/share/goose",
        why: "a database",
    },
];

/// What the beginning of a log tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The conversation's id.
    pub id: Option<String>,
    /// The directory that it was held in.
    pub cwd: Option<PathBuf>,
}

impl Keeper {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Claude,
        Self::Codex,
        Self::Gemini,
        Self::Cursor,
        Self::Aider,
    ];

    /// The agent's name in a session's id.
    #[must_use]
    pub fn agent(self) -> &'static str {
        match self {
            Self::Claude => "claude-code",
            Self::Codex => "codex",
            Self::Gemini => "gemini",
            Self::Cursor => "cursor",
            Self::Aider => "aider",
        }
    }

    /// What the first lines of a log tell; a line that was cut counts for nothing.
    #[must_use]
    pub fn told(self, beginning: &str) -> Told {
        let lines = beginning.lines();
        match self {
            Self::Claude => {
                let mut told = Told::default();
                for root in lines.filter_map(|line| json::parse(line).ok()) {
                    told.id = told.id.or_else(|| id(root.get("sessionId")));
                    told.cwd = told.cwd.or_else(|| path(root.get("cwd")));
                    if told.id.is_some() && told.cwd.is_some() {
                        break;
                    }
                }
                told
            }
            Self::Codex => {
                let first = lines.into_iter().next();
                let root = first.and_then(|line| json::parse(line).ok());
                let payload = root.as_ref().and_then(|root| root.get("payload"));
                Told {
                    id: payload.and_then(|payload| id(payload.get("id"))),
                    cwd: payload.and_then(|payload| path(payload.get("cwd"))),
                }
            }
            // A log of its older form is one object, of which only the beginning is read.
            Self::Gemini => Told {
                id: beginning
                    .split_once("\"sessionId\"")
                    .and_then(|(_, rest)| rest.trim_start().strip_prefix(':'))
                    .and_then(|rest| rest.trim_start().strip_prefix('"')?.split_once('"'))
                    .map(|(id, _)| id.to_owned())
                    .filter(|id| is_id(id)),
                cwd: None,
            },
            Self::Cursor | Self::Aider => Told::default(),
        }
    }

    /// The command that resumes a conversation.
    #[must_use]
    pub fn resume(self, id: &str) -> Vec<String> {
        let words: &[&str] = match self {
            Self::Claude => &["claude", "--resume", id],
            Self::Codex => &["codex", "resume", id],
            Self::Gemini => &["gemini", "--resume", id],
            Self::Cursor => &["cursor-agent", "--resume", id],
            Self::Aider => &["aider", "--restore-chat-history"],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }
}

/// The name that Claude Code gives to a directory's logs; Cursor's has no dash before it. Others may have the
/// same name, so what a log says counts.
#[must_use]
pub fn dashed(path: &Path) -> String {
    let dash = |letter: char| match letter.is_ascii_alphanumeric() {
        true => letter,
        false => '-',
    };
    path.to_string_lossy().chars().map(dash).collect()
}

/// Whether a text can be a conversation's id: nothing that a shell or a path would take for more.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=100).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(is_letter)
}

fn id(node: Option<&Node>) -> Option<String> {
    let text = node?.text()?;
    is_id(text).then(|| text.to_owned())
}

fn path(node: Option<&Node>) -> Option<PathBuf> {
    let path = PathBuf::from(node?.text()?);
    path.is_absolute().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_lines_tell_which_conversation_and_where() {
        let claude = "{\"type\":\"summary\",\"summary\":\"x\"}\nno json\n{\"cwd\":\"/w/a\",\"sessionId\":\"6f0c-1\",\"message\":{}}\n{\"cut";
        let told = |keeper: Keeper, text: &str| {
            let told = keeper.told(text);
            (told.id.unwrap_or_default(), told.cwd.unwrap_or_default())
        };
        assert_eq!(
            told(Keeper::Claude, claude),
            ("6f0c-1".into(), "/w/a".into())
        );
        let codex = "{\"type\":\"session_meta\",\"payload\":{\"id\":\"0199\",\"cwd\":\"/w\"}}\n{}";
        assert_eq!(told(Keeper::Codex, codex), ("0199".into(), "/w".into()));
        let gemini = "{\n  \"sessionId\": \"ab-1\",\n  \"messages\": [";
        assert_eq!(told(Keeper::Gemini, gemini).0, "ab-1");
        for text in [
            "",
            "{",
            "[]",
            "{\"payload\":{\"id\":\"a;b\",\"cwd\":\"rel\"}}",
            "{\"sessionId\": \"$(x)\"}",
        ] {
            for keeper in Keeper::ALL {
                assert_eq!(keeper.told(text), Told::default(), "{keeper:?}: {text}");
            }
        }
        assert_eq!(dashed(Path::new("/home/u/my.repo")), "-home-u-my-repo");
    }
}
