//! Looking at the work tree: which files are not as aido's index has them, which paths belong to a
//! checkpoint at all, and what permissions files have.
//!
//! Two git processes walk at the same time, one over the index, one over the directories, and aido looks at
//! each file's permissions as the first one names it.

use std::collections::{BTreeSet, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::changes::REPOSITORY;
use super::closed::{LeftOut, closed};
use super::git::Git;
use super::home::{Home, INDEX_FILE, Index};
use super::listing::{Line, Pieces, line, parts};
use super::{Problem, excluded};
use crate::sys::stamp::stamp;
use crate::sys::tree::Tree;

/// Paths, in order.
pub(super) type Paths = BTreeSet<Vec<u8>>;

/// What marks an entry that is like any other.
const PLAIN: u8 = b'H';
/// What marks an entry whose file is not as the index has it.
const DIFFERENT: u8 = b'C';
/// What marks an entry that a sparse checkout leaves out.
const HIDDEN: u8 = b'S';
/// What marks a path that is no entry.
const OTHER: u8 = b'?';

/// An entry of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) path: Vec<u8>,
    /// Its mode, as git writes it.
    pub(super) mode: u32,
    /// The permissions of its file; none where there is no regular file.
    pub(super) permissions: Option<u32>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// The entries of the index, each path once.
    pub(super) entries: Vec<Known>,
    /// Those whose files are not as it has them.
    pub(super) different: Paths,
    /// Those that a sparse checkout leaves out: whatever the index says, no files.
    pub(super) hidden: Paths,
    /// Directories that git could not look into.
    pub(super) closed: Vec<LeftOut>,
    /// Whether some entries are taken for unchanged (`update-index --assume-unchanged`).
    pub(super) has_assumed: bool,
    /// How many files changed no earlier than the index was written, in whole seconds: git reads them to
    /// know whether they are different.
    pub(super) read_again: usize,
    /// When that was, in seconds since 1970.
    index_seconds: i64,
    /// What git printed of the work tree.
    walked: Vec<u8>,
    /// Whether that says what is tracked, and not only what else there is.
    pub(super) knows_tracked: bool,
}

impl Survey {
    /// Looks. What is tracked is told by the index `tracked`; without one, by aido's own.
    pub(super) fn take(
        home: &Home,
        git: &Git,
        index: &Index,
        tree: &mut Tree,
        tracked: Option<&Path>,
    ) -> Result<Self, Problem> {
        let what = "ls-files";
        let mut beside = git.clone();
        let mut words: Vec<OsString> = [what, "-z", "-s", "-v", "-o", "--exclude-standard"]
            .map(OsString::from)
            .into();
        if let Some(tracked) = tracked {
            beside.unset(INDEX_FILE);
            beside.set(INDEX_FILE, tracked);
            words.push("-c".into());
        }
        words.extend(excluded::words(home));
        let walking = beside.ask(what, &words)?;
        let written = File::open(&index.path).and_then(stamp);
        let written = written.map_or(i128::MAX, |stamp| stamp.modified_ns / 1_000_000_000);
        let mut survey = Self {
            index_seconds: written.try_into().unwrap_or(i64::MAX),
            knows_tracked: tracked.is_some(),
            ..Self::default()
        };
        let words = [what, "-z", "-s", "-v", "-c", "-m"];
        let mut pieces = Pieces::default();
        git.stream(what, &words, b"", &mut |bytes| {
            let is_read = pieces.take(bytes, &mut |part| survey.note(part, tree));
            match is_read {
                true => Ok(()),
                false => Err(io::Error::other("it printed what can't be read")),
            }
        })?;
        let (walked, said) = beside.answer(walking)?;
        survey.walked = walked;
        survey.closed = closed(home, git, tree, &said)?;
        if parts(&survey.walked).any(|part| line(part).is_none()) {
            return Err(Problem::Unreadable { what });
        }
        Ok(survey)
    }

    fn note(&mut self, part: &[u8], tree: &mut Tree) -> bool {
        let Some(line) = line(part) else {
            return false;
        };
        let Some(mode) = line.mode else { return false };
        self.has_assumed |= line.tag.is_ascii_lowercase();
        if line.tag.eq_ignore_ascii_case(&DIFFERENT) || line.stage > 0 {
            self.different.insert(line.path.to_owned());
        }
        if line.tag.eq_ignore_ascii_case(&HIDDEN) {
            self.hidden.insert(line.path.to_owned());
        }
        let is_there = self.entries.last().is_some_and(|it| it.path == line.path);
        if !line.tag.eq_ignore_ascii_case(&DIFFERENT) && !is_there {
            let found = tree.file(Path::new(OsStr::from_bytes(line.path)));
            let found = found.ok().flatten();
            if found.is_some_and(|found| found.changed_seconds >= self.index_seconds) {
                self.read_again += 1;
            }
            self.entries.push(Known {
                path: line.path.to_owned(),
                mode,
                permissions: found.map(|found| found.permissions),
            });
        }
        true
    }

    fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        parts(&self.walked).filter_map(line)
    }

    /// The paths that belong to a checkpoint: what is tracked, if that is known, and what is neither tracked
    /// nor ignored. A repository among the latter ends in a slash.
    pub(super) fn wanted(&self) -> impl Iterator<Item = &[u8]> {
        self.lines().map(|line| line.path)
    }

    /// Whether all that is tracked is an ordinary file: nothing unmerged, no submodule, nothing that the
    /// index says not to look at.
    pub(super) fn is_plain(&self) -> bool {
        let mut lines = self.lines();
        self.knows_tracked
            && lines.all(|line| {
                let is_entry =
                    line.tag == PLAIN && line.stage == 0 && line.mode != Some(REPOSITORY);
                line.tag == OTHER || is_entry
            })
    }

    /// Whether a path is a submodule.
    pub(super) fn is_submodule(&self, path: &[u8]) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|entry| entry.mode == REPOSITORY && entry.path == path)
    }

    /// The paths of the index.
    pub(super) fn known(&self) -> HashSet<&[u8]> {
        let paths = self.entries.iter().map(|entry| entry.path.as_slice());
        paths.collect()
    }
}
