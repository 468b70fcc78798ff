//! What is to be changed: decided from the files as they are, before anything is written.

use std::path::{Path, PathBuf};

use super::record::Records;
use super::whole;
use crate::agents::block::{AGENTS, Block, GITIGNORE, SKILL};
use crate::agents::host::{Content, Homes, Scope};
use crate::agents::server::{self, Registration};
use crate::agents::{Host, Mode, edit};
use crate::environment::Environment;
use crate::place::Place;
use crate::sys::file::read_small;
use crate::sys::replace::reason_to_keep;

/// The largest file that is changed.
const FILE_BYTES: u64 = 4 * 1024 * 1024;
/// Where agents look for skills: that of an open standard, and that of the one that doesn't follow it.
const SKILL_PLACES: [&str; 2] = [
    ".agents/skills/aido/SKILL.md",
    ".claude/skills/aido/SKILL.md",
];

/// What belongs into a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A host's hooks.
    Hooks(Host),
    /// A host's entry for `aido mcp`.
    Server(Host),
    /// Both, where they are in one file.
    Both(Host),
    /// A block of lines.
    Lines(Block),
    /// The skill.
    Skill,
}

/// A file, and what is to be done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// As people know it.
    pub shown: PathBuf,
    /// Links followed.
    pub path: PathBuf,
    /// What it holds; none if it isn't there.
    pub before: Option<String>,
    /// What it is to hold; none if it is to go.
    pub after: Option<String>,
    /// What it holds without aido, for later; none if it wasn't there.
    pub without: Option<String>,
}

impl Change {
    /// What people call the file, and where it is if a link leads there.
    #[must_use]
    pub fn name(&self) -> String {
        match self.path == self.shown {
            true => self.shown.display().to_string(),
            false => format!("{} -> {}", self.shown.display(), self.path.display()),
        }
    }
}

/// What is decided about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is as it should be.
    Done(PathBuf),
    /// It is to be changed.
    Change(Change),
    /// It can't be changed: why, and what to put into it by hand.
    Refused {
        /// The file.
        shown: PathBuf,
        /// Why.
        why: String,
        /// What belongs into it.
        snippet: String,
    },
}

/// Where everything is.
pub struct Site<'a> {
    /// The repository, and the user's directories.
    pub place: &'a Place,
    /// Where hosts may have their homes.
    pub environment: &'a Environment,
}

impl Site<'_> {
    /// The file of a host's hooks.
    #[must_use]
    pub fn file(&self, host: Host, scope: Scope) -> Option<PathBuf> {
        let homes = Homes {
            root: self.place.root.as_deref(),
            variable: &|name| self.environment.absolute_path(name),
        };
        host.file(scope, &homes)
    }

    /// The file of a host's entry for `aido mcp`.
    #[must_use]
    pub fn server_file(&self, host: Host, scope: Scope) -> Option<PathBuf> {
        let homes = Homes {
            root: self.place.root.as_deref(),
            variable: &|name| self.environment.absolute_path(name),
        };
        server::file(host, scope, &homes)
    }

    /// The hosts that are used here, or installed.
    #[must_use]
    pub fn hosts(&self) -> Vec<Host> {
        let is_used = |host: &&Host| {
            let root = self.place.root.as_deref();
            let mut traces = host.traces().iter();
            let path = self.environment.value("PATH").unwrap_or_default();
            let mut directories = std::env::split_paths(path);
            root.is_some_and(|root| traces.any(|trace| root.join(trace).exists()))
                || directories.any(|directory| {
                    let mut programs = host.programs().iter();
                    programs.any(|program| directory.join(program).is_file())
                })
        };
        Host::ALL.iter().filter(is_used).copied().collect()
    }

    /// Every file that anything of these scopes can be in.
    #[must_use]
    pub fn all(&self, scopes: &[Scope]) -> Vec<(Piece, PathBuf)> {
        let mut all = Vec::new();
        for host in Host::ALL {
            for scope in scopes {
                let hooks = self.file(*host, *scope);
                let server = self.server_file(*host, *scope);
                if hooks.is_some() && hooks == server {
                    all.extend(hooks.map(|file| (Piece::Both(*host), file)));
                    continue;
                }
                all.extend(hooks.map(|file| (Piece::Hooks(*host), file)));
                all.extend(server.map(|file| (Piece::Server(*host), file)));
            }
        }
        if let (Some(root), true) = (&self.place.root, !scopes.contains(&Scope::User)) {
            for place in SKILL_PLACES {
                all.push((Piece::Skill, root.join(place)));
            }
            all.push((Piece::Lines(AGENTS), root.join("AGENTS.md")));
            all.push((Piece::Lines(GITIGNORE), root.join(".gitignore")));
        }
        let mut once: Vec<(Piece, PathBuf)> = Vec::new();
        for (piece, path) in all {
            if once.iter().all(|(_, known)| *known != path) {
                once.push((piece, path));
            }
        }
        once
    }

    /// Where the skill goes: to the only agent that is used, or to where most look.
    #[must_use]
    pub fn skill(&self, hosts: &[Host]) -> Option<PathBuf> {
        let place = SKILL_PLACES[usize::from(hosts == [Host::Claude])];
        Some(self.place.root.as_ref()?.join(place))
    }
}

/// A file as it is.
struct Found {
    path: PathBuf,
    text: Option<String>,
}

fn find(shown: &Path) -> Result<Found, String> {
    if let Some(why) = reason_to_keep(shown) {
        return Err(why.to_owned());
    }
    let Ok(path) = shown.canonicalize() else {
        // The directory may be a link, or not be there yet.
        let parent = shown.ancestors().find(|path| path.exists());
        let real = parent.and_then(|parent| {
            let below = shown.strip_prefix(parent).ok()?;
            Some(parent.canonicalize().ok()?.join(below))
        });
        let path = real.unwrap_or_else(|| shown.to_owned());
        return Ok(Found { path, text: None });
    };
    let bytes = read_small(&path, FILE_BYTES).map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| "it is no UTF-8".to_owned())?;
    Ok(Found {
        path,
        text: Some(text),
    })
}

/// What is to be done so that a piece is in a file.
#[must_use]
pub fn install(piece: &Piece, shown: &Path, mode: Mode, records: Option<&Records>) -> Step {
    let refused = |why: String| Step::Refused {
        shown: shown.to_owned(),
        why,
        snippet: with(piece, None, mode).unwrap_or_default(),
    };
    let found = match find(shown) {
        Ok(found) => found,
        Err(why) => return refused(why),
    };
    if let Some(why) = leads_out(piece, shown, &found.path) {
        return refused(why.to_owned());
    }
    let before = found.text.as_deref();
    let known = records.and_then(|records| records.of(&found.path));
    let known = known.filter(|known| before.is_some_and(|text| known.is_unchanged(text)));
    if let (Some(text), true, None) = (before, is_whole(piece), &known)
        && !whole::texts(piece).iter().any(|own| own == text)
    {
        return refused("it is there, and not as aido writes it".to_owned());
    }
    let after = match with(piece, before, mode) {
        Ok(after) => after,
        Err(why) => return refused(why),
    };
    if before == Some(after.as_str()) {
        return Step::Done(shown.to_owned());
    }
    let without = match known {
        Some(known) => known.before,
        None => before.and_then(|text| without(piece, text)),
    };
    Step::Change(Change {
        shown: shown.to_owned(),
        path: found.path,
        after: Some(after),
        without,
        before: found.text,
    })
}

/// What is to be done so that nothing of a piece is in a file; none if nothing is.
#[must_use]
pub fn uninstall(piece: &Piece, shown: &Path, records: Option<&Records>) -> Option<Step> {
    if shown.symlink_metadata().is_err() {
        return None;
    }
    let refused = |why: String| {
        Some(Step::Refused {
            shown: shown.to_owned(),
            why,
            snippet: String::new(),
        })
    };
    let text = read_small(shown, FILE_BYTES).ok();
    let text = text.and_then(|bytes| String::from_utf8(bytes).ok())?;
    let real = shown.canonicalize().ok();
    let known = records
        .zip(real)
        .and_then(|(records, real)| records.of(&real));
    let is_unchanged = known.as_ref().is_some_and(|it| it.is_unchanged(&text));
    if !is_in(piece, &text) && !is_unchanged {
        return match known {
            Some(_) if is_whole(piece) => refused(
                "it isn't what aido wrote any more: take out by hand what isn't yours".to_owned(),
            ),
            _ => None,
        };
    }
    let found = match find(shown) {
        Ok(found) => found,
        Err(why) => return refused(why),
    };
    if let Some(why) = leads_out(piece, shown, &found.path) {
        return refused(why.to_owned());
    }
    let was_made = known.as_ref().is_some_and(|known| known.before.is_none());
    let after = match known.filter(|known| known.is_unchanged(&text)) {
        Some(known) => known.before,
        // Somebody changed it since: what is theirs stays.
        None => without(piece, &text).filter(|left| {
            let is_empty = match piece {
                Piece::Hooks(_) | Piece::Both(_) => edit::is_bare(left),
                Piece::Server(_) => left.trim().is_empty() || edit::is_bare(left),
                Piece::Lines(_) | Piece::Skill => left.is_empty(),
            };
            !(was_made && is_empty)
        }),
    };
    if after.as_deref() == Some(text.as_str()) {
        return refused(
            "it is no plain JSON: take out by hand what names `aido hook` or `aido mcp`".to_owned(),
        );
    }
    Some(Step::Change(Change {
        shown: shown.to_owned(),
        path: found.path,
        without: after.clone(),
        after,
        before: found.text,
    }))
}

/// Whether a piece is all that its file holds.
fn is_whole(piece: &Piece) -> bool {
    match piece {
        Piece::Hooks(host) => matches!(host.content(Mode::Observe), Content::Whole(_)),
        Piece::Skill => true,
        Piece::Lines(_) | Piece::Server(_) | Piece::Both(_) => false,
    }
}

/// Why a file is not to be written to that a link in the repository leads to: who made the repository may have
/// made the link. Settings of hosts are often kept elsewhere; where they are is shown.
fn leads_out(piece: &Piece, shown: &Path, real: &Path) -> Option<&'static str> {
    let depth = match piece {
        Piece::Lines(_) => 1,
        Piece::Skill => SKILL_PLACES[0].split('/').count(),
        _ => return None,
    };
    let root = shown.ancestors().nth(depth)?.canonicalize().ok()?;
    (!real.starts_with(root)).then_some("it is behind a link that leads out of the repository")
}

/// What the hooks in a file do, where that is more than the least.
#[must_use]
pub fn mode_in(shown: &Path) -> Option<Mode> {
    let text = read_small(shown, FILE_BYTES).ok();
    let text = text.and_then(|bytes| String::from_utf8(bytes).ok())?;
    let is_wrapping =
        text.contains("exec aido hook --mode wrap ") || text.contains("tool.execute.before");
    is_wrapping.then_some(Mode::Wrap)
}

/// Whether anything of a piece is in a text.
#[must_use]
pub fn is_in(piece: &Piece, text: &str) -> bool {
    match piece {
        Piece::Lines(block) => block.is_in(text),
        _ if is_whole(piece) => whole::added(piece, text).is_some(),
        Piece::Hooks(_) => edit::may_have_own(text),
        Piece::Server(host) => match server::registration(*host) {
            Registration::Lines(block) => block.is_in(text),
            Registration::Member { .. } => server::is_registered(text),
        },
        Piece::Both(host) => {
            is_in(&Piece::Hooks(*host), text) || is_in(&Piece::Server(*host), text)
        }
        Piece::Skill => false,
    }
}

fn with(piece: &Piece, text: Option<&str>, mode: Mode) -> Result<String, String> {
    match piece {
        Piece::Lines(block) => Ok(block.install(text.unwrap_or_default())),
        Piece::Skill => Ok(SKILL.to_owned()),
        Piece::Both(host) => {
            let text = with(&Piece::Hooks(*host), text, mode)?;
            with(&Piece::Server(*host), Some(&text), mode)
        }
        Piece::Server(host) => match server::registration(*host) {
            Registration::Lines(block) => {
                let after = block.install(text.unwrap_or_default());
                match toml::from_str::<toml::Table>(&after) {
                    Ok(_) => Ok(after),
                    Err(error) => Err(error.message().to_owned()),
                }
            }
            Registration::Member { list, entry } => {
                let text = text.filter(|text| !text.trim().is_empty());
                let installed = server::register(text.unwrap_or("{}\n"), list, entry);
                installed.map_err(|problem| problem.to_string())
            }
        },
        Piece::Hooks(host) => match host.content(mode) {
            Content::Whole(text) => Ok(text),
            Content::Entries { entries, version } => {
                let text = text.filter(|text| !text.trim().is_empty());
                let installed = edit::install(text.unwrap_or("{}\n"), &entries, version);
                installed.map_err(|problem| problem.to_string())
            }
        },
    }
}

/// The text without the piece; none if nothing is left of the file.
fn without(piece: &Piece, text: &str) -> Option<String> {
    match piece {
        Piece::Lines(block) => Some(block.uninstall(text)),
        _ if is_whole(piece) => whole::added(piece, text).filter(|left| !left.is_empty()),
        Piece::Server(host) => Some(match server::registration(*host) {
            Registration::Lines(block) => block.uninstall(text),
            Registration::Member { .. } => without_members(text),
        }),
        // An entry for the server may be beside the hooks.
        Piece::Hooks(_) | Piece::Both(_) => Some(without_members(text)),
        Piece::Skill => None,
    }
}

/// Settings without own hooks and without an own entry for the server.
fn without_members(text: &str) -> String {
    let without = edit::uninstall(text).and_then(|text| server::unregister(&text));
    without.unwrap_or_else(|_| text.to_owned())
}
