//! Finding logs: names and first lines only, and not more of them than is done in a moment, unless all are
//! asked for.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::repository::Repository;
use crate::agents::conversation::{CLOSED, Form, Keeper, Told, dashed, is_id, workspace};
use crate::environment::Environment;
use crate::session::Timestamp;
use crate::session::quote::{printable_line, shell_line};
use crate::view::conversations::Conversation;
use crate::view::sanitize;

/// How much of a log's beginning is read.
const BEGINNING_BYTES: u64 = 64 * 1024;
/// How many logs of a program are looked at, the newest first, and how many directories.
pub const LOGS_MAX: usize = 1000;
/// How many logs of a directory are asked which directory theirs is.
const ASKED_MAX: usize = 3;

/// What was found.
#[derive(Default)]
pub struct Finding {
    /// The conversations, the newest first.
    pub conversations: Vec<Conversation>,
    /// What is there, and isn't understood.
    pub unread: Vec<Unread>,
    /// The programs of which only the newest logs were looked at.
    pub cut: Vec<&'static str>,
}

/// A store that is there, and isn't read, or not all of it.
pub struct Unread {
    /// Whose it is.
    pub agent: &'static str,
    /// Where it is.
    pub path: String,
    /// Why not.
    pub why: String,
}

/// How many logs are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The newest.
    Newest,
    /// All.
    All,
}

/// A log, before it was looked into, and what its place says of it.
struct Log {
    path: PathBuf,
    at: Timestamp,
    size_bytes: u64,
    place: Said,
}

/// What the place of a log says of the directory that it is about.
#[derive(Clone)]
enum Said {
    /// Nothing: the log must.
    Nothing,
    /// It is this one, which is in the repository.
    This(PathBuf),
}

/// The conversations about a repository, the newest first, and the stores that were not understood.
#[must_use]
pub fn find(repository: &Repository, environment: &Environment, reach: Reach) -> Finding {
    let mut finding = Finding::default();
    let home = environment.absolute_path("HOME");
    let home = |variable: &str, below: &str| {
        let own = environment.absolute_path(variable);
        own.or_else(|| Some(home.as_ref()?.join(below)))
    };
    for keeper in Keeper::ALL {
        let store = match keeper {
            Keeper::Claude => {
                home("CLAUDE_CONFIG_DIR", ".claude").map(|home| home.join("projects"))
            }
            Keeper::Codex => home("CODEX_HOME", ".codex").map(|home| home.join("sessions")),
            Keeper::Gemini => home("", ".gemini").map(|home| home.join("tmp")),
            Keeper::Cursor => home("", ".cursor").map(|home| home.join("projects")),
            Keeper::Aider => repository.roots.first().cloned(),
        };
        if let Some(store) = store.filter(|store| store.is_dir()) {
            let search = Search {
                keeper: *keeper,
                repository,
                reach,
            };
            search.run(&store, &mut finding);
        }
    }
    for closed in CLOSED {
        let path = home(closed.variable, closed.home).map(|home| home.join(closed.path));
        if let Some(path) = path.filter(|path| path.exists()) {
            let path = path.display().to_string();
            if finding.unread.iter().all(|unread| unread.path != path) {
                finding.unread.push(Unread {
                    agent: closed.name,
                    path,
                    why: closed.why.to_owned(),
                });
            }
        }
    }
    let conversations = &mut finding.conversations;
    conversations.sort_by_key(|conversation| std::cmp::Reverse(conversation.at.0));
    finding
}

/// A look at one program's logs.
struct Search<'a> {
    keeper: Keeper,
    repository: &'a Repository,
    reach: Reach,
}

impl Search<'_> {
    fn run(&self, store: &Path, finding: &mut Finding) {
        let agent = self.keeper.agent();
        let (mut logs, mut is_cut) = (Vec::new(), false);
        // What is of this repository by its name, and says nothing of it.
        let mut unknown = 0;
        match self.keeper {
            Keeper::Claude => is_cut |= self.claude(store, &mut logs),
            Keeper::Codex => is_cut |= self.codex(store, &mut logs),
            Keeper::Gemini => self.gemini(store, &mut logs),
            Keeper::Cursor => self.cursor(store, &mut logs, &mut unknown),
            Keeper::Aider => {
                let place = Said::This(store.to_owned());
                logs.extend(log(store.join(".aider.chat.history.md"), &place));
            }
        }
        logs.sort_by_key(|log| std::cmp::Reverse(log.at.0));
        if self.reach == Reach::Newest && logs.len() > LOGS_MAX {
            logs.truncate(LOGS_MAX);
            is_cut = true;
        }
        if is_cut {
            finding.cut.push(agent);
        }
        let all = logs.len() + unknown;
        for log in logs {
            match self.look(log) {
                Looked::Of(conversation) => finding.conversations.push(*conversation),
                Looked::Elsewhere => {}
                Looked::Unknown => unknown += 1,
            }
        }
        if unknown > 0 {
            let why = match unknown == all {
                true => "its logs are of a form that isn't known".to_owned(),
                false => format!("{unknown} of {all} logs are of a form that isn't known"),
            };
            finding.unread.push(Unread {
                agent,
                path: store.display().to_string(),
                why,
            });
        }
    }

    /// A directory for each that was worked in, under a name that others may have, too.
    fn claude(&self, store: &Path, logs: &mut Vec<Log>) -> bool {
        let names: Vec<String> = self
            .repository
            .roots
            .iter()
            .map(|root| dashed(root))
            .collect();
        let mut asked = 0;
        for directory in entries(store) {
            let name = directory.file_name().and_then(|name| name.to_str());
            let is_named = |name: &str| {
                let mut names = names.iter();
                names.any(|own| {
                    let rest = name.strip_prefix(own.as_str());
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
                })
            };
            let found = ending_with(&directory, &["jsonl"]);
            if !name.is_some_and(is_named) {
                asked += 1;
                if self.reach == Reach::Newest && asked > LOGS_MAX {
                    return true;
                }
                // A link may lead here, by whose name it is called then.
                let mut told = found.iter().take(ASKED_MAX).filter_map(|path| {
                    let told = self.keeper.told(&beginning(path)?);
                    told.cwd
                });
                if !told.next().is_some_and(|cwd| self.repository.has(&cwd)) {
                    continue;
                }
            }
            logs.extend(
                found
                    .into_iter()
                    .filter_map(|path| log(path, &Said::Nothing)),
            );
        }
        false
    }

    /// A year, a month, a day: the newest come first.
    fn codex(&self, store: &Path, logs: &mut Vec<Log>) -> bool {
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
        for path in days.flat_map(|day| sorted(&day)) {
            if !has_end(&path, &["jsonl"]) {
                continue;
            }
            if self.reach == Reach::Newest && logs.len() == LOGS_MAX {
                return true;
            }
            logs.extend(log(path, &Said::Nothing));
        }
        false
    }

    /// A directory for each that was worked in: it has a file that names that one, or the digest of it as its
    /// name, or its logs say the digest.
    fn gemini(&self, store: &Path, logs: &mut Vec<Log>) {
        for directory in entries(store) {
            let chats = ending_with(&directory.join("chats"), &["json", "jsonl"]);
            if chats.is_empty() {
                continue;
            }
            let named = beginning(&directory.join(".project_root"));
            let named = named.map(|text| PathBuf::from(text.trim_end_matches(['\r', '\n'])));
            let name = directory.file_name().and_then(|name| name.to_str());
            let name = name.unwrap_or_default();
            let is_digest = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
            let place = match named.filter(|path| path.is_absolute()) {
                Some(path) if self.repository.has(&path) => Said::This(path),
                Some(_) => continue,
                None if is_digest => match self.of_digest(name) {
                    Some(root) => Said::This(root),
                    None => continue,
                },
                None => Said::Nothing,
            };
            logs.extend(chats.into_iter().filter_map(|path| log(path, &place)));
        }
    }

    /// A directory for each that was worked in, with a file that names that one.
    fn cursor(&self, store: &Path, logs: &mut Vec<Log>, unknown: &mut usize) {
        let plain = |name: &str| {
            let parts = name.split('-').filter(|part| !part.is_empty());
            parts.collect::<Vec<_>>().join("-")
        };
        let names: Vec<String> = self
            .repository
            .roots
            .iter()
            .map(|root| plain(&dashed(root)))
            .collect();
        for directory in entries(store) {
            let conversations = entries(&directory.join("agent-transcripts")).into_iter();
            let mut paths = conversations.filter_map(|conversation| {
                let name = conversation.file_name()?.to_owned();
                let path = conversation.join(name).with_extension("jsonl");
                path.is_file().then_some(path)
            });
            let named = beginning(&directory.join(".workspace-trusted"));
            match named.and_then(|text| workspace(&text)) {
                Some(path) if self.repository.has(&path) => {
                    let place = Said::This(path);
                    logs.extend(paths.filter_map(|path| log(path, &place)));
                }
                Some(_) => {}
                // Others have the same name, so it proves nothing.
                None => {
                    let name = directory.file_name().and_then(|name| name.to_str());
                    let is_named = name.is_some_and(|name| names.contains(&plain(name)));
                    *unknown += usize::from(is_named && paths.next().is_some());
                }
            }
        }
    }

    fn of_digest(&self, digest: &str) -> Option<PathBuf> {
        let mut roots = self.repository.roots.iter();
        let is_it = |root: &&PathBuf| {
            let bytes = root.to_string_lossy();
            hex::encode(Sha256::digest(bytes.as_bytes())).eq_ignore_ascii_case(digest)
        };
        roots.find(is_it).cloned()
    }

    /// Looks into a log.
    fn look(&self, log: Log) -> Looked {
        let Some(beginning) = beginning(&log.path) else {
            return Looked::Unknown;
        };
        let told = self.keeper.told(&beginning);
        match told.form {
            Form::Unknown => return Looked::Unknown,
            Form::Beside => return Looked::Elsewhere,
            Form::Conversation => {}
        }
        let named = log.path.file_stem().and_then(|name| name.to_str());
        let named = named.filter(|name| is_id(name)).map(str::to_owned);
        let id = match self.keeper {
            // The name is the id; what is inside says that it is of the form that is known.
            Keeper::Claude | Keeper::Cursor => named,
            Keeper::Codex | Keeper::Gemini => told.id.clone(),
            Keeper::Aider => None,
        };
        if id.is_none() && self.keeper != Keeper::Aider {
            return Looked::Unknown;
        }
        let directory = match self.directory(&log.place, told) {
            Where::Here(directory) => directory,
            Where::Elsewhere => return Looked::Elsewhere,
            Where::Unknown => return Looked::Unknown,
        };
        let words = self.keeper.resume(id.as_deref().unwrap_or_default());
        let words: Vec<OsString> = words.into_iter().map(Into::into).collect();
        Looked::Of(Box::new(Conversation {
            agent: self.keeper.agent(),
            log_file: log.path.to_string_lossy().into_owned(),
            at: log.at,
            size_bytes: log.size_bytes,
            ran: Vec::new(),
            // A conversation is found again only where it was held.
            resume: format!("{} && {}", cd(directory), shell_line(&words)),
            id,
        }))
    }

    /// Where a conversation was held.
    fn directory(&self, place: &Said, told: Told) -> Where {
        match (place, told.cwd, told.digest) {
            (Said::This(path), ..) => Where::Here(path.clone()),
            (Said::Nothing, Some(cwd), _) if self.repository.has(&cwd) => Where::Here(cwd),
            (Said::Nothing, Some(_), _) => Where::Elsewhere,
            (Said::Nothing, None, Some(digest)) => self
                .of_digest(&digest)
                .map_or(Where::Elsewhere, Where::Here),
            (Said::Nothing, None, None) => Where::Unknown,
        }
    }
}

/// Where a conversation was held.
enum Where {
    Here(PathBuf),
    Elsewhere,
    Unknown,
}

/// What a log is.
enum Looked {
    Of(Box<Conversation>),
    Elsewhere,
    Unknown,
}

/// The command that goes to a directory, which can be printed as it is.
fn cd(directory: PathBuf) -> String {
    let words = ["cd".into(), directory.into_os_string()];
    let line = shell_line(&words);
    match *sanitize::line(&line) == *line {
        true => line,
        false => printable_line(&words),
    }
}

fn has_end(path: &Path, ends: &[&str]) -> bool {
    let end = path.extension().and_then(|end| end.to_str());
    end.is_some_and(|end| ends.contains(&end))
}

fn ending_with(directory: &Path, ends: &[&str]) -> Vec<PathBuf> {
    let mut found = entries(directory);
    found.retain(|path| has_end(path, ends));
    found
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect()
}

/// The first bytes of a regular file.
fn beginning(path: &Path) -> Option<String> {
    // A pipe would be waited for.
    path.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let mut bytes = Vec::new();
    let file = File::open(path).ok()?;
    file.take(BEGINNING_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn log(path: PathBuf, place: &Said) -> Option<Log> {
    let status = path
        .symlink_metadata()
        .ok()
        .filter(std::fs::Metadata::is_file)?;
    Some(Log {
        at: Timestamp(chrono::DateTime::from(status.modified().ok()?)),
        size_bytes: status.len(),
        path,
        place: place.clone(),
    })
}
