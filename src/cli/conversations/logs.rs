//! Finding logs: names and first lines only, and not more of them than is done in a moment.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::agents::conversation::{CLOSED, Keeper, dashed, is_id};
use crate::environment::Environment;
use crate::session::Timestamp;
use crate::session::quote::shell_line;
use crate::view::conversations::Conversation;

/// How much of a log's beginning is read.
const BEGINNING_BYTES: u64 = 64 * 1024;
/// How many logs of a program are looked at, the newest first.
const LOGS_MAX: usize = 1000;
/// How many entries of a directory are looked at.
const ENTRIES_MAX: usize = 10_000;

/// A store that is there, and isn't read.
pub(super) struct Unread {
    pub(super) agent: &'static str,
    pub(super) path: String,
    pub(super) why: &'static str,
}

/// A log, before it was looked into.
struct Log {
    path: PathBuf,
    at: Timestamp,
    size_bytes: u64,
}

/// The conversations about a repository, the newest first, and the stores that were not understood.
pub(super) fn find(root: &Path, environment: &Environment) -> (Vec<Conversation>, Vec<Unread>) {
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    let home = environment.absolute_path("HOME");
    let home = |variable: &str, below: &str| {
        let own = environment.absolute_path(variable);
        own.or_else(|| Some(home.as_ref()?.join(below)))
    };
    for keeper in Keeper::ALL {
        let agent = keeper.agent();
        let store = match keeper {
            Keeper::Claude => {
                home("CLAUDE_CONFIG_DIR", ".claude").map(|home| home.join("projects"))
            }
            Keeper::Codex => home("CODEX_HOME", ".codex").map(|home| home.join("sessions")),
            Keeper::Gemini => home("", ".gemini").map(|home| home.join("tmp")),
            Keeper::Cursor => home("", ".cursor").map(|home| home.join("projects")),
            Keeper::Aider => Some(root.to_owned()),
        };
        let Some(store) = store.filter(|store| store.is_dir()) else {
            continue;
        };
        let logs = logs(*keeper, &store, root);
        let of_here = logs.len();
        let taken = logs.into_iter().filter_map(|log| look(*keeper, log, root));
        let taken: Vec<Conversation> = taken.collect();
        // Logs by the names that are known, of which none says what it should: their form has moved on.
        if taken.is_empty() && of_here > 0 && *keeper != Keeper::Codex {
            unread.push(Unread {
                agent,
                path: store.display().to_string(),
                why: "its logs are of a form that isn't known",
            });
        }
        found.extend(taken);
    }
    for closed in CLOSED {
        if let Some(path) = home("", closed.path).filter(|path| path.exists()) {
            unread.push(Unread {
                agent: closed.name,
                path: path.display().to_string(),
                why: closed.why,
            });
        }
    }
    found.sort_by_key(|conversation| std::cmp::Reverse(conversation.at.0));
    (found, unread)
}

/// The logs that may be about the repository, by their names, the newest first.
fn logs(keeper: Keeper, store: &Path, root: &Path) -> Vec<Log> {
    let mut paths = Vec::new();
    match keeper {
        Keeper::Claude => {
            let name = dashed(root);
            let below = format!("{name}-");
            for directory in entries(store) {
                let here = directory.file_name().and_then(|name| name.to_str());
                if here.is_some_and(|here| here == name || here.starts_with(&below)) {
                    paths.extend(
                        entries(&directory)
                            .into_iter()
                            .filter(|path| has_end(path, "jsonl")),
                    );
                }
            }
        }
        Keeper::Codex => {
            // A year, a month, a day: the newest come first, and the oldest not at all.
            let sorted = |directory: &Path| {
                let mut found = entries(directory);
                found.sort_unstable();
                found.reverse();
                found
            };
            let days = sorted(store).into_iter();
            let days = days
                .flat_map(|year| sorted(&year))
                .flat_map(|month| sorted(&month));
            for log in days
                .flat_map(|day| sorted(&day))
                .filter(|path| has_end(path, "jsonl"))
            {
                paths.push(log);
                if paths.len() == LOGS_MAX {
                    break;
                }
            }
        }
        Keeper::Gemini => {
            let digest = hex::encode(Sha256::digest(root.to_string_lossy().as_bytes()));
            let chats = entries(&store.join(digest).join("chats")).into_iter();
            paths.extend(chats.filter(|path| has_end(path, "json") || has_end(path, "jsonl")));
        }
        Keeper::Cursor => {
            let name = dashed(root);
            let directory = store
                .join(name.trim_start_matches('-'))
                .join("agent-transcripts");
            for conversation in entries(&directory) {
                let name = conversation.file_name().unwrap_or_default().to_owned();
                paths.push(conversation.join(name).with_extension("jsonl"));
            }
        }
        Keeper::Aider => paths.push(store.join(".aider.chat.history.md")),
    }
    let mut logs: Vec<Log> = paths.into_iter().filter_map(log).collect();
    logs.sort_by_key(|log| std::cmp::Reverse(log.at.0));
    logs.truncate(LOGS_MAX);
    logs
}

fn has_end(path: &Path, end: &str) -> bool {
    path.extension().is_some_and(|found| found == end)
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    entries
        .take(ENTRIES_MAX)
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect()
}

fn log(path: PathBuf) -> Option<Log> {
    let status = path
        .symlink_metadata()
        .ok()
        .filter(std::fs::Metadata::is_file)?;
    Some(Log {
        at: Timestamp(chrono::DateTime::from(status.modified().ok()?)),
        size_bytes: status.len(),
        path,
    })
}

/// Looks into a log; none if it is about something else, or isn't understood.
fn look(keeper: Keeper, log: Log, root: &Path) -> Option<Conversation> {
    let mut bytes = Vec::new();
    let file = File::open(&log.path).ok()?;
    file.take(BEGINNING_BYTES).read_to_end(&mut bytes).ok()?;
    let told = keeper.told(&String::from_utf8_lossy(&bytes));
    let named = log.path.file_stem().and_then(|name| name.to_str());
    let id = match keeper {
        Keeper::Claude => {
            // The name is the id; what is inside says that it is of the form that is known.
            told.id.as_ref()?;
            Some(named.filter(|name| is_id(name))?.to_owned())
        }
        Keeper::Codex | Keeper::Gemini => Some(told.id?),
        Keeper::Cursor => Some(named.filter(|name| is_id(name))?.to_owned()),
        Keeper::Aider => None,
    };
    let is_of_here = match (&told.cwd, keeper) {
        (Some(cwd), _) => cwd.starts_with(root),
        (None, Keeper::Claude | Keeper::Codex) => false,
        (None, _) => true,
    };
    if !is_of_here {
        return None;
    }
    let words = keeper.resume(id.as_deref().unwrap_or_default());
    let words: Vec<std::ffi::OsString> = words.into_iter().map(Into::into).collect();
    // A conversation is found again only where it was held.
    let directory = told.cwd.unwrap_or_else(|| root.to_owned());
    let there = shell_line(&["cd".into(), directory.into_os_string()]);
    Some(Conversation {
        agent: keeper.agent(),
        log_file: log.path.to_string_lossy().into_owned(),
        at: log.at,
        size_bytes: log.size_bytes,
        sessions: Vec::new(),
        resume: format!("{there} && {}", shell_line(&words)),
        id,
    })
}
