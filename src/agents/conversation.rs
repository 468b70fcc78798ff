//! The logs that agents' programs keep of their conversations: where they are, what their first lines tell,
//! and how each conversation is resumed. What is in the conversations is nobody's business here.

mod beginning;

use std::path::{Path, PathBuf};

use super::json::whole_characters;
use beginning::texts;

/// A program that keeps logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// Claude Code: a file a conversation, in a directory named after the work's.
    Claude,
    /// Codex: a file a conversation, in a directory a day.
    Codex,
    /// Gemini CLI: a file a conversation, in a directory that says which one the work's is, or is named after
    /// the digest of it.
    Gemini,
    /// Cursor's agent: a directory a conversation, in one that says which one the work's is.
    Cursor,
    /// Aider: one file for all of them, in the repository.
    Aider,
}

/// A store whose form is not one to be read in passing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The program.
    pub name: &'static str,
    /// The variable that names the directory which the store is in.
    pub variable: &'static str,
    /// That directory below the user's home, where the variable isn't set.
    pub home: &'static str,
    /// The store below it.
    pub path: &'static str,
    /// Why it isn't read.
    pub why: &'static str,
}

/// Stores that are named as not understood, where they are.
pub const CLOSED: &[Closed] = &[
    Closed {
        name: "github-copilot",
        variable: "COPILOT_HOME",
        home: ".copilot",
        path: "session-state",
        why: "its names don't say which repository a conversation is of",
    },
    Closed {
        name: "cursor",
        variable: "",
        home: ".cursor",
        path: "chats",
        why: "databases",
    },
    Closed {
        name: "cursor",
        variable: "XDG_CONFIG_HOME",
        home: ".config",
        path: "cursor/chats",
        why: "databases",
    },
    Closed {
        name: "opencode",
        variable: "XDG_DATA_HOME",
        home: ".local/share",
        path: "opencode",
        why: "a database",
    },
    Closed {
        name: "goose",
        variable: "XDG_DATA_HOME",
        home: ".local/share",
        path: "goose",
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
    /// The digest of that directory's path.
    pub digest: Option<String>,
    /// Whether it is of a form that is known.
    pub form: Form,
}

/// The form of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Another one than is known.
    #[default]
    Unknown,
    /// That of a conversation.
    Conversation,
    /// That of something which a program keeps beside its conversations.
    Beside,
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

    /// What the first lines of a log tell. The last of them may be cut, and what stands before the cut counts:
    /// a first line can be as long as what a model is told.
    #[must_use]
    pub fn told(self, beginning: &str) -> Told {
        let mut lines = beginning.lines().filter(|line| !line.trim().is_empty());
        let mut told = Told::default();
        match self {
            Self::Claude => {
                let mut are_beside = true;
                for line in lines.map(whole_characters) {
                    let [kind, session, cwd] = texts(&line, None, ["type", "sessionId", "cwd"]);
                    are_beside &= kind.is_some_and(|kind| BESIDE.contains(&kind.as_str()));
                    told.id = told.id.or_else(|| id(session));
                    told.cwd = told.cwd.or_else(|| path(cwd));
                    if told.id.is_some() && told.cwd.is_some() {
                        told.form = Form::Conversation;
                        return told;
                    }
                }
                if are_beside {
                    told.form = Form::Beside;
                }
            }
            Self::Codex => {
                let first = whole_characters(lines.next().unwrap_or_default());
                let [session, cwd] = texts(&first, Some("payload"), ["id", "cwd"]);
                (told.id, told.cwd) = (id(session), path(cwd));
                if told.id.is_some() && told.cwd.is_some() {
                    told.form = Form::Conversation;
                }
            }
            // A log of its older form is one object, of which only the beginning is read.
            Self::Gemini => {
                let whole = whole_characters(beginning);
                let [session, digest] = texts(&whole, None, ["sessionId", "projectHash"]);
                (told.id, told.digest) = (id(session), digest);
                if told.id.is_some() {
                    told.form = Form::Conversation;
                }
            }
            Self::Cursor => {
                let first = whole_characters(lines.next().unwrap_or_default());
                let [role] = texts(&first, None, ["role"]);
                if role.is_some() {
                    told.form = Form::Conversation;
                }
            }
            Self::Aider => told.form = Form::Conversation,
        }
        told
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

/// The directory that a file of Cursor's beside a directory's logs names.
#[must_use]
pub fn workspace(text: &str) -> Option<PathBuf> {
    let [workspace] = texts(&whole_characters(text), None, ["workspacePath"]);
    path(workspace)
}

/// What Claude Code keeps in files of the same kind, and is no conversation.
const BESIDE: &[&str] = &["summary", "file-history-snapshot"];

/// The name that Claude Code gives to a directory's logs. Others may have the same name, so what a log says
/// counts.
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

fn id(text: Option<String>) -> Option<String> {
    text.filter(|text| is_id(text))
}

fn path(text: Option<String>) -> Option<PathBuf> {
    text.map(PathBuf::from).filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_lines_tell_which_conversation_and_where() {
        let claude = "{\"type\":\"summary\",\"summary\":\"x\"}\nno json\n{\"cwd\":\"/w/a\",\"sessionId\":\"6f0c-1\",\"message\":{\"cut";
        let told = |keeper: Keeper, text: &str| {
            let told = keeper.told(text);
            assert_eq!(told.form, Form::Conversation, "{text}");
            (told.id.unwrap_or_default(), told.cwd.unwrap_or_default())
        };
        assert_eq!(
            told(Keeper::Claude, claude),
            ("6f0c-1".into(), "/w/a".into())
        );
        let codex = "{\"type\":\"session_meta\",\"payload\":{\"id\":\"0199\",\"cwd\":\"/w\"}}\n{}";
        assert_eq!(told(Keeper::Codex, codex), ("0199".into(), "/w".into()));
        // The rest of the line is what the model was told, and it is cut somewhere.
        let long = format!(
            "{}{}",
            codex.trim_end_matches("}}\n{}"),
            ",\"instructions\":\"\\ud83d xx"
        );
        assert_eq!(told(Keeper::Codex, &long), ("0199".into(), "/w".into()));
        let gemini = "{\n  \"sessionId\": \"ab-1\",\n  \"messages\": [";
        assert_eq!(told(Keeper::Gemini, gemini).0, "ab-1");
        // Only a member of the log itself names it, wherever that stands.
        let inner = "{\"messages\":[{\"sessionId\":\"other-id\"}],\"sessionId\":\"real-id\"}";
        assert_eq!(told(Keeper::Gemini, inner).0, "real-id");
        told(Keeper::Cursor, "{\"role\":\"user\",\"message\":{\"con");
        assert_eq!(dashed(Path::new("/home/u/my.repo")), "-home-u-my-repo");
        let trusted = "{\"trustedAt\": \"x\", \"workspacePath\": \"/c/my/repo\"}";
        assert_eq!(workspace(trusted), Some("/c/my/repo".into()));
    }

    #[test]
    fn what_is_of_another_form_tells_nothing() {
        for text in [
            "",
            "{",
            "[]",
            "garbage",
            "{\"payload\":{\"id\":\"a;b\",\"cwd\":\"rel\"}}",
            "{\"sessionId\": \"$(x)\"}",
            "{\"messages\":[{\"sessionId\":\"other-id\"},",
            "{\"sessionId\": \"a\", \"sessionId\": \"b\"}",
            "{\"sessionId\": \"cut",
        ] {
            for keeper in [
                Keeper::Claude,
                Keeper::Codex,
                Keeper::Gemini,
                Keeper::Cursor,
            ] {
                let told = keeper.told(text);
                assert_eq!((told.id, told.cwd), (None, None), "{keeper:?}: {text}");
                assert_ne!(told.form, Form::Conversation, "{keeper:?}: {text}");
            }
        }
        let beside = "{\"type\":\"summary\",\"summary\":\"x\"}\n";
        assert_eq!(Keeper::Claude.told(beside).form, Form::Beside);
        assert_eq!(Keeper::Claude.told("{\"a\": 1}").form, Form::Unknown);
    }
}
