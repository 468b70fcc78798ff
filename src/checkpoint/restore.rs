//! Restoring a checkpoint: what stands there is saved first, then the plan is carried out. A file takes its
//! place whole, so that whoever is killed leaves each file as it was or as it should be.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::Problem;
use super::batch::{Batch, Piece};
use super::changes::LINK;
use super::directories::Directories;
use super::home::Home;
use super::ignored::above;
use super::plan::{OWNERS, Step, Way, Why};
use super::planning::Marks;
use super::read::{Checkpoint, Reading};
use super::refs::Phase;
use super::snapshot::Snapshot;
use crate::session::SessionId;
use crate::sys::tree::{NewFile, Tree};

/// A longer target of a link is none.
const LINK_BYTES: usize = 64 * 1024;

/// What restoring would do.
#[derive(Debug)]
pub struct Restoring {
    pub(super) home: Home,
    pub(super) reading: Reading,
    /// What is restored.
    pub target: Checkpoint,
    /// The files as they are now.
    pub now: Snapshot,
    /// What is done, path by path.
    pub steps: Vec<Step>,
    /// How many files are not in the checkpoint because they were ignored then: they stay.
    pub ignored: usize,
    /// What stood there when it had been saved.
    pub(super) marks: Marks,
}

/// What is to be restored.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Only these paths, with everything below them; none is all.
    pub paths: &'a [Vec<u8>],
    /// Directories of aido's own that may stand in the work tree: the store.
    pub own: &'a [PathBuf],
}

/// What became of it.
#[derive(Debug)]
pub struct Report {
    /// The checkpoint that was taken first.
    pub undo: Phase,
    /// How many paths are as they should be now.
    pub done: usize,
    /// Paths that could not be restored, and why.
    pub failures: Failures,
}

/// Paths, and why they are not as they should be.
pub(super) type Failures = Vec<(Vec<u8>, String)>;

impl Restoring {
    /// The root of the work tree.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.home.repository.root
    }

    /// Whether anything is to be done.
    #[must_use]
    pub fn is_needed(&self) -> bool {
        self.steps.iter().any(|step| step.way.acts())
    }

    /// Paths that are not as they should be, and can't be restored.
    pub fn impossible(&self) -> impl Iterator<Item = (&Step, Why)> {
        self.steps.iter().filter_map(|step| match step.way {
            Way::Leave(why) if why.is_failure() => Some((step, why)),
            _ => None,
        })
    }

    /// Names the files as they are as a checkpoint of the session, and then does it. A path that fails
    /// doesn't keep the others from being restored.
    ///
    /// # Errors
    /// When what stands there can't be named, or git fails: nothing, or a part, was restored then, and
    /// it can be done again.
    pub fn carry_out(&self, id: &SessionId) -> Result<Report, Problem> {
        let undo = self.home.name_restore(id, &self.now.commit)?;
        let directories = self.target.record.directories.as_ref();
        let mut work = Work::new(&self.home.repository.root, directories)?;
        work.marks = Some(&self.marks);
        self.open_directories(&mut work);
        self.remove(&mut work)?;
        self.reading.put(&self.steps, &mut work)?;
        self.close_directories(&mut work);
        Ok(Report {
            undo,
            done: work.done,
            failures: work.failures,
        })
    }

    /// Lets the owner into the directories that get other permissions, so that there is no file that can't
    /// be put there.
    fn open_directories(&self, work: &mut Work<'_>) {
        for step in &self.steps {
            if let Way::Directory(permissions) = step.way {
                let path = path_of(step);
                // What fails is told when they get what they should have.
                let _ = work
                    .tree
                    .set_directory_permissions(path, permissions | 0o700);
            }
        }
    }

    /// Gives directories their permissions, the deepest first.
    fn close_directories(&self, work: &mut Work<'_>) {
        work.close_made();
        for step in self.steps.iter().rev() {
            if let Way::Directory(permissions) = step.way {
                let set = work
                    .tree
                    .set_directory_permissions(path_of(step), permissions);
                work.note(step, set);
            }
        }
    }

    /// Removes what is to go, and the directories that are empty then and that the checkpoint doesn't have.
    fn remove(&self, work: &mut Work<'_>) -> Result<(), Problem> {
        let mut around = BTreeSet::new();
        for step in self.steps.iter().filter(|step| step.way == Way::Remove) {
            let removed = work.check(step);
            let removed = removed.and_then(|()| work.tree.remove(path_of(step)));
            work.note(step, removed);
            around.extend(above(&step.path));
        }
        if around.is_empty() {
            return Ok(());
        }
        let entries = self.reading.entries(&self.target.tree)?;
        let wanted: HashSet<&[u8]> = entries
            .iter()
            .flat_map(|entry| above(&entry.path))
            .collect();
        // The deepest first.
        for directory in around.iter().rev().filter(|it| !wanted.contains(*it)) {
            work.tree
                .remove_if_empty(Path::new(OsStr::from_bytes(directory)));
        }
        Ok(())
    }
}

impl Reading {
    /// Puts everything of a checkpoint into an empty directory; gives what could not be put there as it was.
    ///
    /// # Errors
    /// When git fails, or it is no directory.
    pub fn fill(&self, checkpoint: &Checkpoint, root: &Path) -> Result<Failures, Problem> {
        let entries = self.entries(&checkpoint.tree)?;
        let steps = entries.into_iter().filter_map(|entry| {
            let object = entry.object;
            let is_new = true;
            let way = match checkpoint.record.modes.of(&entry.path, entry.mode) {
                Some(permissions) => Way::Write {
                    object,
                    permissions: permissions & !OWNERS,
                    dropped: permissions & OWNERS,
                    is_new,
                },
                None if entry.mode == LINK => Way::Link { object, is_new },
                // A submodule has its own repository.
                None => return None,
            };
            let path = entry.path;
            Some(Step { path, way })
        });
        let steps: Vec<Step> = steps.collect();
        let directories = checkpoint.record.directories.as_ref();
        let mut work = Work::new(root, directories)?;
        self.put(&steps, &mut work)?;
        work.close_made();
        for step in steps {
            if matches!(step.way, Way::Write { dropped, .. } if dropped != 0) {
                let why = "not set-user-ID or set-group-ID, as it was: whose it was is not known";
                work.failures.push((step.path, why.to_owned()));
            }
        }
        Ok(work.failures)
    }

    /// Carries out what is to be put there: files and links with their contents as git hands them over, and
    /// permissions.
    fn put(&self, steps: &[Step], work: &mut Work<'_>) -> Result<(), Problem> {
        let permissions = steps.iter().filter_map(|step| match step.way {
            Way::Permissions(permissions) => Some((step, permissions)),
            _ => None,
        });
        for (step, permissions) in permissions {
            let set = work.check(step);
            let set = set.and_then(|()| work.tree.set_permissions(path_of(step), permissions));
            work.note(step, set);
        }
        let steps = steps.iter().filter_map(|step| match &step.way {
            Way::Write { object, .. } | Way::Link { object, .. } => Some((step, object)),
            _ => None,
        });
        let steps: Vec<(&Step, &String)> = steps.collect();
        if steps.is_empty() {
            return Ok(());
        }
        let input: String = steps.iter().map(|(_, name)| format!("{name}\n")).collect();
        let mut steps = steps.into_iter().map(|(step, _)| step);
        let mut current: Option<(&Step, io::Result<Target>)> = None;
        let mut batch = Batch::default();
        let what = "cat-file";
        let mut hand_over = |piece: Piece<'_>| -> io::Result<()> {
            match piece {
                Piece::Begin => {
                    current = steps.next().map(|step| (step, work.begin(step)));
                }
                Piece::Contents(bytes) => {
                    if let Some((_, target)) = &mut current
                        && let Ok(open) = target
                        && let Err(error) = open.take(bytes)
                    {
                        *target = Err(error);
                    }
                }
                Piece::End => {
                    if let Some((step, target)) = current.take() {
                        // As late as can be.
                        let target = target.and_then(|target| work.check(step).map(|()| target));
                        let put = target.and_then(|target| target.finish(&mut work.tree, step));
                        work.note(step, put);
                    }
                }
                Piece::Missing => {
                    if let Some(step) = steps.next() {
                        let gone = "the repository has thrown its contents away";
                        work.note(step, Err(io::Error::other(gone)));
                    }
                }
            }
            Ok(())
        };
        let arguments = [what, "--batch", "--buffer"];
        self.git
            .stream(what, &arguments, input.as_bytes(), &mut |bytes| match batch
                .take(bytes, &mut hand_over)?
            {
                true => Ok(()),
                false => Err(io::Error::other("it printed what can't be read")),
            })
    }
}

/// What is being restored.
struct Work<'a> {
    tree: Tree,
    directories: Option<&'a Directories>,
    /// What stood there when it was saved; none where nothing stood anywhere.
    marks: Option<&'a Marks>,
    done: usize,
    failures: Failures,
}

/// A file or a link whose contents are on their way.
enum Target {
    File(NewFile, u32),
    Link(Vec<u8>),
}

impl<'a> Work<'a> {
    fn new(root: &Path, directories: Option<&'a Directories>) -> Result<Self, Problem> {
        let mut tree = Tree::open(root).map_err(Problem::file(root))?;
        if directories.is_some() {
            tree.hide_new_directories();
        }
        Ok(Self {
            tree,
            directories,
            marks: None,
            done: 0,
            failures: Vec::new(),
        })
    }

    /// Fails where something was written since it was saved: it would be lost.
    fn check(&mut self, step: &Step) -> io::Result<()> {
        let Some(saved) = self.marks.and_then(|marks| marks.get(&step.path)) else {
            return Ok(());
        };
        let present = self.tree.mark(path_of(step))?;
        let is_saved = match (saved, present) {
            (Some(saved), Some(present)) if saved.is_directory => present.is_directory,
            (Some(saved), Some(present)) => present.is(saved),
            (saved, None) => saved.is_none_or(|saved| saved.is_directory),
            (None, Some(_)) => false,
        };
        match is_saved {
            true => Ok(()),
            false => Err(io::Error::other(
                "it changed after it was saved: left alone",
            )),
        }
    }

    /// Gives the directories that were made the permissions that they had, the deepest first.
    fn close_made(&mut self) {
        let Some(directories) = self.directories else {
            return;
        };
        for path in self.tree.made().to_vec().iter().rev() {
            let bytes = path.as_os_str().as_bytes();
            let permissions = directories.permissions(bytes);
            if let Err(error) = self.tree.set_directory_permissions(path, permissions) {
                self.failures.push((bytes.to_vec(), error.to_string()));
            }
        }
    }

    fn note(&mut self, step: &Step, result: io::Result<()>) {
        match result {
            Ok(()) => self.done += 1,
            Err(error) => self.failures.push((step.path.clone(), error.to_string())),
        }
    }

    fn begin(&mut self, step: &Step) -> io::Result<Target> {
        match step.way {
            Way::Write { permissions, .. } => {
                let file = self.tree.begin(path_of(step))?;
                Ok(Target::File(file, permissions))
            }
            _ => Ok(Target::Link(Vec::new())),
        }
    }
}

impl Target {
    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::File(file, _) => file.write_all(bytes),
            Self::Link(target) if target.len() + bytes.len() > LINK_BYTES => {
                Err(io::Error::other("it is no link"))
            }
            Self::Link(target) => {
                target.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    fn finish(self, tree: &mut Tree, step: &Step) -> io::Result<()> {
        match self {
            Self::File(file, permissions) => file.finish(permissions),
            Self::Link(target) => tree.put_link(path_of(step), OsStr::from_bytes(&target)),
        }
    }
}

fn path_of(step: &Step) -> &Path {
    Path::new(OsStr::from_bytes(&step.path))
}
