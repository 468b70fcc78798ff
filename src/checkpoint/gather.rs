//! What a checkpoint is made of: aido's index is brought up to the files as they are.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Problem;
use super::changes::REPOSITORY;
use super::edits::Edits;
use super::git::Git;
use super::home::{Home, Index};
use super::listing::parts;
use super::modes::Modes;
use super::seed::{Seed, Source};
use super::select::{Decision, Found, Reason, decide};
use super::survey::{Known, Survey};
use crate::place;
use crate::sys::tree::{Entry, Tree};

/// How often it is tried when files go while they are read.
const TRIES: usize = 3;
/// So many files may be read each time, because they are as young as the index, before it is worth the trouble
/// to note that they are as they were.
const MOST_READ_AGAIN: usize = 100;
/// The longest path that the system takes, in bytes.
const MOST_PATH_BYTES: usize = 4095;

/// A checkpoint that is being taken.
pub(super) struct Taking<'h> {
    pub(super) home: &'h Home,
    pub(super) git: Git,
    pub(super) index: Index,
    pub(super) tree: Tree,
    pub(super) most_bytes: u64,
    pub(super) left_out: Vec<(Vec<u8>, Reason)>,
}

/// What belongs to a checkpoint, now that the index is as the files are.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) files: Vec<Known>,
    /// Whether some entries are taken for unchanged.
    pub(super) has_assumed: bool,
    /// Whether the next checkpoint may begin with the index.
    pub(super) is_plain: bool,
    /// The tree that was made of the index, if one was and nothing is different.
    pub(super) tree: Option<String>,
}

impl Taking<'_> {
    /// Begins with what knows most, and with the next best where that is of no use.
    pub(super) fn gather_from_best(
        &mut self,
        head: Option<&str>,
        also: Option<&str>,
    ) -> Result<(Gathered, Seed), Problem> {
        for source in [Source::Kept, Source::Repository] {
            let found = self.seed(source, head).and_then(|seed| {
                let Some(seed) = seed else { return Ok(None) };
                let gathered = self.gather_in_peace(&seed, also)?;
                // Of submodules and the like only the repository's index knows what it is to.
                let is_usable = source != Source::Kept || gathered.is_plain;
                Ok(is_usable.then_some((gathered, seed)))
            });
            match found {
                Ok(Some(found)) => return Ok(found),
                Err(problem @ (Problem::TooLong(_) | Problem::NoGit)) => return Err(problem),
                // Such as an index that can't be used by itself, being split.
                Ok(None) | Err(_) => _ = std::fs::remove_file(&self.index.path),
            }
        }
        if let Some(head) = head {
            let read = self.git.print("read-tree", &["read-tree", head], b"");
            match read {
                // Its objects aren't there: a file that is not whole is taken as a new one.
                Ok(_) | Err(Problem::Git { .. }) => {}
                Err(problem) => return Err(problem),
            }
        }
        let seed = Seed::new(Source::Head);
        Ok((self.gather_in_peace(&seed, also)?, seed))
    }

    /// Brings the index up to the files as they are, again if some of them went meanwhile.
    pub(super) fn gather_in_peace(
        &mut self,
        seed: &Seed,
        also: Option<&str>,
    ) -> Result<Gathered, Problem> {
        let mut tries = 1;
        loop {
            match self.gather(seed, also) {
                Err(Problem::Git { .. }) if tries < TRIES => tries += 1,
                Ok(mut gathered) => {
                    // A try that failed may have changed it, too.
                    gathered.tree.take_if(|_| tries > 1);
                    return Ok(gathered);
                }
                failed => return failed,
            }
        }
    }

    /// Brings the index up to the files as they are.
    fn gather(&mut self, seed: &Seed, also: Option<&str>) -> Result<Gathered, Problem> {
        let theirs = self.home.repository.git_directory.join("index");
        let tracked = (seed.source != Source::Head).then_some(theirs.as_path());
        let survey = Survey::take(self.home, &self.git, &self.index, &mut self.tree, tracked)?;
        self.left_out.clone_from(&survey.closed);
        let known = survey.known();
        let mut wanted: HashSet<&[u8]> = survey.wanted().collect();
        let is_same = also.is_some() && also == seed.tree.as_deref();
        let listed = match also {
            Some(tree) if !is_same => {
                let what = "ls-tree";
                let arguments = [what, "-r", "-z", "--name-only", tree];
                self.git.print(what, &arguments, b"")?
            }
            _ => Vec::new(),
        };
        wanted.extend(parts(&listed));
        let new = wanted.iter().filter(|path| !known.contains(**path));
        let mut paths: BTreeSet<&[u8]> = new.copied().collect();
        paths.extend(
            survey
                .different
                .iter()
                .chain(&survey.hidden)
                .chain(&seed.staged)
                .map(Vec::as_slice),
        );
        let mut edits = Edits::new(self.home.format.nothing());
        // What is neither tracked any more nor, being ignored now, untracked.
        let keeps_all = is_same || !survey.knows_tracked;
        for entry in &survey.entries {
            if !keeps_all && !wanted.contains(entry.path.as_slice()) {
                edits.drop(&entry.path);
            }
        }
        for path in paths {
            let (name, found) = self.look(path)?;
            if edits.is_done(name) {
                continue;
            }
            let is_known = known.contains(name);
            let decision = match name.len() > MOST_PATH_BYTES {
                true => Decision::LeaveOut(Reason::PathRefused),
                false => decide(found, self.most_bytes),
            };
            if decision == Decision::LeaveOut(Reason::Repository) && survey.is_submodule(name) {
                if let Some(commit) = self.commit_of(name) {
                    edits.point(name, &commit);
                }
                self.left_out.push((name.to_owned(), Reason::Repository));
                continue;
            }
            let is_anew = seed.staged.contains(path) || survey.hidden.contains(path);
            if is_known && (decision != Decision::Take || is_anew) {
                edits.drop(name);
            }
            match decision {
                Decision::Take => edits.take(name, found.entry),
                Decision::Drop => {}
                Decision::LeaveOut(reason) => self.left_out.push((name.to_owned(), reason)),
            }
        }
        let refused = self.carry_out(&mut edits)?;
        let refused = refused.into_iter().map(|path| (path, Reason::PathRefused));
        self.left_out.extend(refused);
        let (has_assumed, is_plain) = (survey.has_assumed, survey.is_plain());
        let tree = seed.tree.as_ref();
        let tree = tree
            .filter(|_| seed.is_current && edits.is_empty())
            .cloned();
        if survey.read_again > MOST_READ_AGAIN {
            self.refresh()?;
        }
        let mut files = survey.entries;
        files.retain(|file| !edits.is_done(&file.path));
        files.extend(edits.into_taken());
        Ok(Gathered {
            files,
            has_assumed,
            is_plain,
            tree,
        })
    }

    /// Has git note what it has read, so that it need not do so the next time. It complains of what is not as
    /// the index has it.
    fn refresh(&self) -> Result<(), Problem> {
        let arguments = ["update-index", "-q", "--refresh", "--force-write-index"];
        match self.git.print("update-index", &arguments, b"") {
            Ok(_) | Err(Problem::Git { .. }) => Ok(()),
            Err(problem) => Err(problem),
        }
    }

    /// Changes the index; gives the paths that git didn't take, of which it only warns.
    fn carry_out(&self, edits: &mut Edits) -> Result<Vec<Vec<u8>>, Problem> {
        if let Some(named) = edits.named() {
            let arguments = ["update-index", "-z", "--index-info"];
            self.git.print("update-index", &arguments, named)?;
        }
        let (Some(paths), Some(told)) = (edits.taken(), edits.told()) else {
            return Ok(Vec::new());
        };
        let arguments = [
            "update-index",
            "--verbose",
            "-z",
            "--add",
            "--replace",
            "--stdin",
        ];
        // What only the repository has may go from there: nothing is to be taken for there.
        let printed = self.git.alone().print("update-index", &arguments, &paths)?;
        if printed == told {
            return Ok(Vec::new());
        }
        let printed = self.git.print("ls-files", &["ls-files", "-z"], b"")?;
        let there: HashSet<&[u8]> = parts(&printed).collect();
        Ok(edits.refuse(&|path| there.contains(path)))
    }

    /// The commit that a submodule has checked out, if that can be told.
    fn commit_of(&self, path: &[u8]) -> Option<String> {
        let dot_git = self.home.repository.root.join(OsStr::from_bytes(path));
        let directory = place::git_directory(&dot_git.join(".git"))?;
        let commit = place::read_git(&directory)?.commit?;
        let is_like_ours = commit.len() == self.home.format.nothing().len();
        is_like_ours.then_some(commit)
    }

    /// What stands at a path as git named it: an untracked repository ends in a slash.
    fn look<'p>(&mut self, path: &'p [u8]) -> Result<(&'p [u8], Found), Problem> {
        let name = path.strip_suffix(b"/").unwrap_or(path);
        let place = Path::new(OsStr::from_bytes(name));
        let entry = self.tree.look(place);
        let entry = match entry {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(Entry::File {
                size_bytes: 0,
                permissions: 0,
            }),
            entry => entry,
        };
        let entry = entry.map_err(Problem::file(place))?;
        let is_repository = entry == Entry::Directory
            && (name.len() < path.len()
                || !matches!(self.tree.look(&place.join(".git")), Ok(Entry::Missing)));
        let is_file = matches!(entry, Entry::File { .. });
        let found = Found {
            entry,
            is_readable: is_file && self.tree.is_readable(place),
            is_repository,
        };
        Ok((name, found))
    }

    /// The permissions of all files that are taken; submodules are noted as left out on the way.
    pub(super) fn modes(&mut self, files: &[Known]) -> Modes {
        let mut permissions: Vec<(&[u8], u32, u32)> = Vec::with_capacity(files.len());
        for file in files {
            if file.mode == REPOSITORY {
                self.left_out.push((file.path.clone(), Reason::Repository));
            } else if let Some(found) = file.permissions {
                permissions.push((&file.path, file.mode, found));
            }
        }
        Modes::of_files(&permissions)
    }
}
