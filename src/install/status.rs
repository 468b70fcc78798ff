//! What is installed, for `aido doctor`.

use std::path::{Path, PathBuf};

use super::plan::{Piece, Site, is_in};
use super::record::Records;
use crate::agents::host::{Content, Scope};
use crate::agents::{Host, Mode, edit};
use crate::environment::Environment;
use crate::place::Place;
use crate::sys::file::read_small;

/// The largest file that is looked at.
const FILE_BYTES: u64 = 4 * 1024 * 1024;

/// What keeps installed hooks from being run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// The host's settings say that it runs none.
    SwitchedOff,
    /// Somebody took some of them out.
    Missing,
    /// All that was installed is gone, or its file is.
    Gone,
}

/// A file with something of aido's in it, or that had something.
pub struct Status {
    /// The file.
    pub path: PathBuf,
    /// What is there.
    pub what: String,
    /// Whether it starts `aido mcp`.
    pub has_server: bool,
    /// Whether it is as aido wrote it; none where aido doesn't remember it.
    pub is_unchanged: Option<bool>,
    /// What keeps hooks in it from being run.
    pub hindrance: Option<Hindrance>,
}

/// Every file of the user's and of the repository's that has something of aido's.
#[must_use]
pub fn installed(place: &Place, environment: &Environment) -> Vec<Status> {
    let site = Site { place, environment };
    let mut all = site.all(&[Scope::Local, Scope::Project]);
    all.extend(site.all(&[Scope::User]));
    let records = place.state.as_deref();
    let records = records.and_then(|state| Records::open(state).ok().flatten());
    let switched_off: Vec<Host> = all
        .iter()
        .filter_map(|(piece, path)| off(piece, path))
        .collect();
    let look = |(piece, path): (Piece, PathBuf)| {
        let text = read(&path).unwrap_or_default();
        if !is_in(&piece, &text) {
            return gone(&piece, path, records.as_ref()?);
        }
        let hindrance = match piece {
            Piece::Hooks(host) | Piece::Both(host) if is_in(&Piece::Hooks(host), &text) => {
                match switched_off.contains(&host) {
                    true => Some(Hindrance::SwitchedOff),
                    false => (!are_all_in(host, &text)).then_some(Hindrance::Missing),
                }
            }
            _ => None,
        };
        let what = match piece {
            Piece::Server(host) => format!("the MCP server, for {}", host.name()),
            Piece::Both(host) if !is_in(&Piece::Hooks(host), &text) => {
                format!("the MCP server, for {}", host.name())
            }
            Piece::Hooks(host) | Piece::Both(host) => {
                let mode = match text.contains("aido hook --mode wrap ")
                    || text.contains("tool.execute.before")
                {
                    true => "wrap",
                    false => "observe",
                };
                let server = match piece == Piece::Both(host) && is_in(&Piece::Server(host), &text)
                {
                    true => ", and the MCP server",
                    false => "",
                };
                format!("hooks of {} ({mode}){server}", host.name())
            }
            Piece::Lines(_) => "a block".to_owned(),
            Piece::Skill => "the skill".to_owned(),
        };
        let real = path.canonicalize().ok()?;
        let known = records.as_ref().and_then(|records| records.of(&real));
        Some(Status {
            path,
            has_server: what.contains("the MCP server"),
            what,
            is_unchanged: known.map(|known| known.is_unchanged(&text)),
            hindrance,
        })
    };
    all.into_iter().filter_map(look).collect()
}

fn read(path: &Path) -> Option<String> {
    let bytes = read_small(path, FILE_BYTES).ok()?;
    String::from_utf8(bytes).ok()
}

/// The host of which this file says that it runs no hooks.
fn off(piece: &Piece, path: &Path) -> Option<Host> {
    match piece {
        Piece::Hooks(host) | Piece::Both(host) => {
            edit::are_hooks_off(&read(path)?).then_some(*host)
        }
        _ => None,
    }
}

/// Whether all the hooks of one of the modes are there.
fn are_all_in(host: Host, text: &str) -> bool {
    let modes = [Mode::Observe, Mode::Wrap].map(|mode| host.content(mode));
    modes.iter().any(|content| match content {
        Content::Whole(_) => true,
        Content::Entries { entries, .. } => edit::has_events(text, entries),
    })
}

/// What was installed in a file that has nothing of it any more.
fn gone(piece: &Piece, path: PathBuf, records: &Records) -> Option<Status> {
    let (Piece::Hooks(host) | Piece::Both(host)) = piece else {
        return None;
    };
    // The file may be gone, and its directory a link.
    let parent = path.parent()?.canonicalize().ok();
    let real = path.canonicalize().ok();
    let real = real.or_else(|| Some(parent?.join(path.file_name()?)));
    let known = real.and_then(|real| records.of(&real));
    known.or_else(|| records.of(&path))?;
    Some(Status {
        path,
        what: format!("hooks of {}", host.name()),
        has_server: false,
        is_unchanged: Some(false),
        hindrance: Some(Hindrance::Gone),
    })
}
