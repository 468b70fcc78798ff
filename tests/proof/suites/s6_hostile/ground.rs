//! The ground for one case: a place with canaries around the store.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::Bench;
use crate::place::{Kept, Place};
use crate::sessions;

/// What stands in every canary.
pub(super) const CANARY: &str = "canary: nobody may touch this";

/// What aido may make and change, relative to the place.
const OWN: &[&str] = &[
    "work/nexus/.aisessions",
    // Of a task, whose name was made harmless.
    "work/nexus/.airuns",
    "work/nexus/faults",
    "home/.local/state/aido",
    "home/state/aido",
    "temporary/started",
];
/// Directories that aido may make on the way there.
const ON_THE_WAY: &[&str] = &[
    "work/nexus",
    "home/.local",
    "home/.local/state",
    "home/state",
];

/// A place with canaries.
pub(super) struct Ground {
    pub(super) place: Place,
}

impl Ground {
    pub(super) fn new(bench: &Bench, name: &str) -> io::Result<Self> {
        let place = Place::new(bench, name, Kept::InRepository)?;
        fs::create_dir_all(place.path("outside/directory"))?;
        for name in [
            "outside/file",
            "outside/directory/file",
            "work/file",
            "home/file",
        ] {
            fs::write(place.path(name), CANARY)?;
        }
        fs::set_permissions(
            place.path("outside/file"),
            fs::Permissions::from_mode(0o644),
        )?;
        symlink("file", place.path("outside/link"))?;
        Ok(Self { place })
    }

    /// A canary's path.
    pub(super) fn canary(&self) -> PathBuf {
        self.place.path("outside/file")
    }

    /// Everything but what is aido's own, entry by entry.
    pub(super) fn picture(&self) -> io::Result<BTreeMap<PathBuf, String>> {
        let mut found = BTreeMap::new();
        self.look(Path::new(""), &mut found)?;
        Ok(found)
    }

    fn look(&self, relative: &Path, found: &mut BTreeMap<PathBuf, String>) -> io::Result<()> {
        let directory = self.place.root().join(relative);
        let entries = match fs::read_dir(&directory) {
            // What a case made too deep, or closed, is not looked at.
            Err(_) => return Ok(()),
            Ok(entries) => entries,
        };
        for entry in entries {
            let entry = entry?;
            let path = relative.join(entry.file_name());
            if OWN.iter().any(|own| path == Path::new(own)) {
                continue;
            }
            let Ok(status) = entry.path().symlink_metadata() else {
                continue;
            };
            let kind = status.file_type();
            if kind.is_dir() {
                self.look(&path, found)?;
                if ON_THE_WAY.iter().any(|way| path == Path::new(way)) {
                    continue;
                }
            }
            let content = if kind.is_file() {
                String::from_utf8_lossy(&fs::read(entry.path()).unwrap_or_default()).into_owned()
            } else {
                let target = fs::read_link(entry.path()).unwrap_or_default();
                target.to_string_lossy().into_owned()
            };
            found.insert(path, format!("{:o} {content}", status.mode()));
        }
        Ok(())
    }

    /// An id in the store that no agent's name may lead to.
    pub(super) fn odd_id(&self) -> Option<String> {
        let ids = sessions::finished_in(&self.place.sessions());
        ids.into_iter().find(|id| !is_plain(id))
    }

    /// The modes of the files and directories that are aido's own.
    pub(super) fn own_modes(&self) -> BTreeMap<PathBuf, u32> {
        let mut found = BTreeMap::new();
        let faults = self.place.sessions().with_file_name("faults");
        for own in [self.place.sessions(), faults, self.place.state()] {
            look_at_modes(&own, &mut found);
        }
        found
    }
}

fn look_at_modes(path: &Path, found: &mut BTreeMap<PathBuf, u32>) {
    let Ok(status) = path.symlink_metadata() else {
        return;
    };
    if status.is_symlink() {
        return;
    }
    found.insert(path.to_owned(), status.mode());
    if status.is_dir() {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            look_at_modes(&entry.path(), found);
        }
    }
}

/// What was made, or changed, and is not private now.
pub(super) fn not_private(
    before: &BTreeMap<PathBuf, u32>,
    after: &BTreeMap<PathBuf, u32>,
) -> Vec<String> {
    let mut found = Vec::new();
    for (path, mode) in after
        .iter()
        .filter(|(path, mode)| before.get(*path) != Some(mode))
    {
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        if mode & 0o7777 != expected {
            found.push(format!("mode {mode:o}: {}", path.display()));
        }
    }
    found
}

fn is_plain(id: &str) -> bool {
    let parts: Vec<&str> = id.rsplitn(4, '-').collect();
    let [hex, process, stamp, agent] = parts.as_slice() else {
        return false;
    };
    let letters =
        |text: &str, allowed: fn(char) -> bool| !text.is_empty() && text.chars().all(allowed);
    letters(hex, |letter| letter.is_ascii_hexdigit())
        && letters(process, |letter| letter.is_ascii_digit())
        && letters(stamp, |letter| letter.is_ascii_digit() || letter == '_')
        && letters(
            agent,
            |letter| matches!(letter, 'a'..='z' | '0'..='9' | '.' | '_' | '-'),
        )
        && agent.len() <= 73
        && !agent.starts_with(['-', '.'])
}

/// What is there now and was not, is not any more, or is otherwise.
pub(super) fn difference(
    before: &BTreeMap<PathBuf, String>,
    after: &BTreeMap<PathBuf, String>,
) -> Vec<String> {
    let mut found = Vec::new();
    for (path, was) in before {
        match after.get(path) {
            None => found.push(format!("gone: {}", path.display())),
            Some(is) if is != was => {
                found.push(format!("changed: {}: {was} to {is}", path.display()));
            }
            Some(_) => {}
        }
    }
    let new = after.keys().filter(|path| !before.contains_key(*path));
    found.extend(new.map(|path| format!("made outside the store: {}", path.display())));
    found
}
