//! What is installed, for `aido doctor`.

use std::path::PathBuf;

use super::plan::{Piece, Site, is_in};
use super::record::Records;
use crate::agents::host::Scope;
use crate::environment::Environment;
use crate::place::Place;
use crate::sys::file::read_small;

/// The largest file that is looked at.
const FILE_BYTES: u64 = 4 * 1024 * 1024;

/// A file with something of aido's in it.
pub(crate) struct Status {
    /// The file.
    pub(crate) path: PathBuf,
    /// What is there.
    pub(crate) what: String,
    /// Whether it starts `aido mcp`.
    pub(crate) has_server: bool,
    /// Whether it is as aido wrote it; none where aido doesn't remember it.
    pub(crate) is_unchanged: Option<bool>,
}

/// Every file of the user's and of the repository's that has something of aido's.
pub(crate) fn installed(place: &Place, environment: &Environment) -> Vec<Status> {
    let site = Site { place, environment };
    let mut all = site.all(&[Scope::Local, Scope::Project]);
    all.extend(site.all(&[Scope::User]));
    let records = place.state.as_deref();
    let records = records.and_then(|state| Records::open(state).ok().flatten());
    let look = |(piece, path): (Piece, PathBuf)| {
        let bytes = read_small(&path, FILE_BYTES).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        if !is_in(&piece, &text) {
            return None;
        }
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
        })
    };
    all.into_iter().filter_map(look).collect()
}
