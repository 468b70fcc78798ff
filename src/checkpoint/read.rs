//! Reading checkpoints: what is in one, and what is different between two.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use super::Problem;
use super::batch::{Batch, Piece};
use super::changes::{Change, changes};
use super::git::Git;
use super::home::Home;
use super::listing::{Differing, Listed, differences, entries};
use super::modes::Modes;
use super::record::Record;
use crate::environment::Environment;

/// The longest that reading may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// A checkpoint as it is read.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// The commit.
    pub commit: String,
    /// Its tree.
    pub tree: String,
    /// What it says of itself.
    pub record: Record,
}

/// Reads checkpoints of one repository.
#[derive(Debug)]
pub struct Reading {
    pub(super) git: Git,
}

impl Home {
    /// Begins to read.
    #[must_use]
    pub fn read(&self, environment: &Environment) -> Reading {
        Reading {
            git: self.reading(environment, PATIENCE),
        }
    }
}

impl Reading {
    /// A checkpoint by its commit.
    ///
    /// # Errors
    /// When it is gone, or no checkpoint.
    pub fn checkpoint(&self, commit: &str) -> Result<Checkpoint, Problem> {
        let what = "cat-file";
        let printed = self.git.print(what, &[what, "commit", commit], b"")?;
        let (tree, record) = Record::of_commit(&printed).ok_or(Problem::Unreadable { what })?;
        Ok(Checkpoint {
            commit: commit.to_owned(),
            tree,
            record,
        })
    }

    /// Several of them; none in the place of one that is gone, or no checkpoint.
    ///
    /// # Errors
    /// When git fails.
    pub fn checkpoints(&self, commits: &[&str]) -> Result<Vec<Option<Checkpoint>>, Problem> {
        let found = self.contents(commits)?;
        let found = found.into_iter().map(|bytes| Record::of_commit(&bytes?));
        let found = found.zip(commits);
        let checkpoint = |(read, commit): (Option<(String, Record)>, &&str)| {
            let (tree, record) = read?;
            let commit = (*commit).to_owned();
            Some(Checkpoint {
                commit,
                tree,
                record,
            })
        };
        Ok(found.map(checkpoint).collect())
    }

    /// What these objects hold; none in the place of one that is gone. For small ones.
    ///
    /// # Errors
    /// When git fails.
    pub(super) fn contents(&self, objects: &[&str]) -> Result<Vec<Option<Vec<u8>>>, Problem> {
        let what = "cat-file";
        let input: String = objects.iter().map(|object| format!("{object}\n")).collect();
        let (mut found, mut open) = (Vec::with_capacity(objects.len()), Vec::new());
        let mut hand_over = |piece: Piece<'_>| -> io::Result<()> {
            match piece {
                Piece::Begin => open.clear(),
                Piece::Contents(bytes) => open.extend_from_slice(bytes),
                Piece::End => found.push(Some(std::mem::take(&mut open))),
                Piece::Missing => found.push(None),
            }
            Ok(())
        };
        if !objects.is_empty() {
            let mut batch = Batch::default();
            let arguments = [what, "--batch", "--buffer"];
            self.git
                .stream(what, &arguments, input.as_bytes(), &mut |bytes| {
                    batch.take(bytes, &mut hand_over).map(drop)
                })?;
        }
        Ok(found)
    }

    /// Of these objects, those that are nowhere.
    ///
    /// # Errors
    /// When git fails.
    pub(super) fn missing(&self, objects: &HashSet<String>) -> Result<HashSet<String>, Problem> {
        let what = "cat-file";
        let input: String = objects.iter().map(|object| format!("{object}\n")).collect();
        if objects.is_empty() {
            return Ok(HashSet::new());
        }
        let arguments = [what, "--batch-check", "--buffer"];
        let printed = self.git.print(what, &arguments, input.as_bytes())?;
        let printed = String::from_utf8_lossy(&printed);
        let missing = printed
            .lines()
            .filter_map(|line| line.strip_suffix(" missing"));
        Ok(missing.map(str::to_owned).collect())
    }

    /// Everything in a tree.
    ///
    /// # Errors
    /// When its objects are gone.
    pub fn entries(&self, tree: &str) -> Result<Vec<Listed>, Problem> {
        let what = "ls-tree";
        let printed = self.git.print(what, &[what, "-r", "-z", tree], b"")?;
        entries(&printed).ok_or(Problem::Unreadable { what })
    }

    /// What git itself knows to be different between two trees.
    ///
    /// # Errors
    /// When objects of either are gone.
    pub fn differing(&self, before: &str, after: &str) -> Result<Vec<Differing>, Problem> {
        if before == after {
            return Ok(Vec::new());
        }
        let what = "diff-tree";
        let options = ["-r", "--raw", "-z", "--no-renames", "--no-abbrev"];
        let words: Vec<&str> = [what]
            .into_iter()
            .chain(options)
            .chain([before, after])
            .collect();
        let printed = self.git.print(what, &words, b"")?;
        differences(&printed).ok_or(Problem::Unreadable { what })
    }

    /// The changes between two checkpoints, each a tree and what it says of itself, of which git itself knows
    /// these differences.
    ///
    /// # Errors
    /// As [`Reading::differing`].
    pub(super) fn changes_of(
        &self,
        differing: &[Differing],
        before: (&str, &Record),
        after: (&str, &Record),
    ) -> Result<Vec<Change>, Problem> {
        let (old, new) = self.comparable(before, after)?;
        let mut changes = changes(differing, &old, &new);
        changes.extend(self.directory_changes(before, after)?);
        changes.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(changes)
    }

    /// The permissions of both, in a form in which what is named on neither side is the same.
    pub(super) fn comparable(
        &self,
        before: (&str, &Record),
        after: (&str, &Record),
    ) -> Result<(Modes, Modes), Problem> {
        let (old, new) = (&before.1.modes, &after.1.modes);
        if old.has_usual_of(new) {
            return Ok((old.clone(), new.clone()));
        }
        let both = self.entries(before.0)?;
        let known: HashSet<&[u8]> = both.iter().map(|entry| entry.path.as_slice()).collect();
        let there = self.entries(after.0)?;
        let there: Vec<Listed> = there
            .into_iter()
            .filter(|entry| known.contains(entry.path.as_slice()))
            .collect();
        Ok((old.spelled_out(&there), new.spelled_out(&there)))
    }

    /// Hands over the differences between two trees as a patch, piece by piece; only of these paths,
    /// unless there are none.
    ///
    /// # Errors
    /// When objects are gone; and what `take` said.
    pub fn patch(
        &self,
        [before, after]: [&str; 2],
        paths: &[Vec<u8>],
        context_lines: u32,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), Problem> {
        let what = "diff-tree";
        let options = ["-r", "-p", "--no-renames", "--no-ext-diff", "--no-textconv"];
        let context = format!("-U{context_lines}");
        let words = [what].into_iter().chain(options);
        let words = words.chain([context.as_str()]);
        let words = words.chain([before, after, "--"]).map(OsStr::new);
        let paths = paths.iter().map(|path| OsStr::from_bytes(path));
        let words: Vec<&OsStr> = words.chain(paths).collect();
        self.git.stream(what, &words, b"", take)
    }
}
