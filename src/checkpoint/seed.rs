//! What a checkpoint begins with: an index that knows which files are unchanged. The repository's own is
//! copied, never opened to write.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use super::Problem;
use super::changes::REPOSITORY;
use super::gather::Taking;
use super::listing::differences;
use super::survey::Paths;
use crate::sys::stamp::{set_modified, stamp};

/// An index that has more than this otherwise than HEAD spares less than it costs: the repository's own was
/// just written by whoever changed HEAD.
const MOST_DIFFERENT: usize = 1000;

/// What a checkpoint begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The index of the last checkpoint.
    Kept,
    /// The repository's index.
    Repository,
    /// HEAD's tree.
    Head,
}

/// What a checkpoint began with.
#[derive(Debug)]
pub(super) struct Seed {
    pub(super) source: Source,
    /// Paths to be read in any case: their contents stand in no commit that is checked out, and maybe not
    /// in aido's objects either.
    pub(super) staged: Paths,
    /// The tree that was made of it, if one was.
    pub(super) tree: Option<String>,
    /// Whether HEAD led then where it leads now.
    pub(super) is_current: bool,
}

impl Seed {
    pub(super) fn new(source: Source) -> Self {
        Self {
            source,
            staged: Paths::new(),
            tree: None,
            is_current: false,
        }
    }
}

impl Taking<'_> {
    /// Puts an index that knows what is unchanged in aido's place, and tells the paths whose contents may
    /// stand in the repository alone, and in no commit that is checked out: what git would throw away one
    /// day is taken from the files again.
    pub(super) fn seed(
        &mut self,
        source: Source,
        head: Option<&str>,
    ) -> Result<Option<Seed>, Problem> {
        let mut seed = Seed::new(source);
        let theirs = self.home.repository.git_directory.join("index");
        match source {
            // What is tracked has to be told by somebody.
            _ if theirs.symlink_metadata().is_err() => return Ok(None),
            Source::Kept => {
                let Some(kept) = self.home.resume(&self.index) else {
                    return Ok(None);
                };
                seed.is_current = kept.head.as_deref() == head;
                if !seed.is_current {
                    // Without a commit everything is to stand in aido's own objects.
                    let Some(head) = head else { return Ok(None) };
                    seed.staged = self.staged(head)?;
                    if seed.staged.len() > MOST_DIFFERENT {
                        return Ok(None);
                    }
                }
                seed.tree = Some(kept.tree);
            }
            Source::Repository => {
                // Without a commit everything is read.
                if let Some(head) = head {
                    copy(&theirs, &self.index.path).map_err(Problem::file(theirs))?;
                    seed.staged = self.staged(head)?;
                }
            }
            Source::Head => {}
        }
        Ok(Some(seed))
    }

    /// Paths that the index has otherwise than HEAD, unmerged ones too.
    fn staged(&self, head: &str) -> Result<Paths, Problem> {
        let what = "diff-index";
        let options = ["--cached", "--raw", "-z", "--no-renames", "--no-abbrev"];
        let arguments: Vec<&str> = [what].into_iter().chain(options).chain([head]).collect();
        let printed = self.git.print(what, &arguments, b"")?;
        let found = differences(&printed).ok_or(Problem::Unreadable { what })?;
        let is_repository = |mode: Option<u32>| mode == Some(REPOSITORY);
        let staged = found.into_iter().filter(|one| {
            let mode = one.after.as_ref().map(|object| object.mode);
            !is_repository(mode) && (mode.is_some() || one.before.is_none())
        });
        Ok(staged.map(|one| one.path).collect())
    }
}

/// Copies an index with its time: files that changed right before it was written are told by that.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    let written = stamp(&source)?;
    let mut target = File::create_new(to)?;
    io::copy(&mut source, &mut target)?;
    target.flush()?;
    set_modified(&target, written.modified_ns)
}
