//! Restoring a checkpoint: what stands there is saved first, then the plan is carried out. A file takes its
//! place whole, so that whoever is killed leaves each file as it was or as it should be.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::batch::{Batch, Piece};
use super::changes::LINK;
use super::home::Home;
use super::plan::{Side, Step, Way, plan};
use super::read::{Checkpoint, Reading};
use super::refs::Phase;
use super::snapshot::Snapshot;
use super::{Limits, Problem};
use crate::environment::Environment;
use crate::session::SessionId;
use crate::sys::tree::{NewFile, Tree};

/// A longer target of a link is none.
const LINK_BYTES: usize = 64 * 1024;

/// What restoring would do.
#[derive(Debug)]
pub struct Restoring {
    home: Home,
    reading: Reading,
    /// What is restored.
    pub target: Checkpoint,
    /// The files as they are now.
    pub now: Snapshot,
    /// What is done, path by path.
    pub steps: Vec<Step>,
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

impl Home {
    /// Looks at the files as they are, and decides what leads back to a checkpoint. Changes none of them.
    ///
    /// # Errors
    /// When the checkpoint is gone, or the files can't be saved.
    pub fn restoring(
        self,
        environment: &Environment,
        limits: Limits,
        commit: &str,
        wanted: &[Vec<u8>],
    ) -> Result<Restoring, Problem> {
        let reading = self.read(environment);
        let target = reading.checkpoint(commit)?;
        let now = self.take(environment, limits, Some(&target.tree))?;
        let differing = reading.differing(&now.tree, &target.tree)?;
        let (before, after) =
            reading.comparable((&now.tree, &now.record), (&target.tree, &target.record))?;
        let now_side = Side {
            record: &now.record,
            modes: &before,
        };
        let target_side = Side {
            record: &target.record,
            modes: &after,
        };
        let steps = plan(&differing, now_side, target_side, wanted);
        Ok(Restoring {
            home: self,
            reading,
            target,
            now,
            steps,
        })
    }
}

impl Restoring {
    /// Whether anything is to be done.
    #[must_use]
    pub fn is_needed(&self) -> bool {
        let mut ways = self.steps.iter().map(|step| &step.way);
        ways.any(|way| !matches!(way, Way::Leave(_)))
    }

    /// Names the files as they are as a checkpoint of the session, and then does it. A path that fails
    /// doesn't keep the others from being restored.
    ///
    /// # Errors
    /// When what stands there can't be named, or git fails: nothing, or a part, was restored then, and
    /// it can be done again.
    pub fn carry_out(&self, id: &SessionId) -> Result<Report, Problem> {
        let undo = self.home.name_restore(id, &self.now.commit)?;
        let mut work = Work::new(&self.home.repository.root)?;
        self.remove(&mut work)?;
        self.reading.put(&self.steps, &mut work)?;
        Ok(Report {
            undo,
            done: work.done,
            failures: work.failures,
        })
    }

    /// Removes what is to go, and the directories that are empty then and that the checkpoint doesn't have.
    fn remove(&self, work: &mut Work) -> Result<(), Problem> {
        let mut around = BTreeSet::new();
        for step in self.steps.iter().filter(|step| step.way == Way::Remove) {
            let removed = work.tree.remove(path_of(step));
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
    /// Puts everything of a checkpoint into an empty directory; gives what could not be put there.
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
                    permissions,
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
        let mut work = Work::new(root)?;
        self.put(&steps, &mut work)?;
        Ok(work.failures)
    }

    /// Carries out what is to be put there: files and links with their contents as git hands them over, and
    /// permissions.
    fn put(&self, steps: &[Step], work: &mut Work) -> Result<(), Problem> {
        let permissions = steps.iter().filter_map(|step| match step.way {
            Way::Permissions(permissions) => Some((step, permissions)),
            _ => None,
        });
        for (step, permissions) in permissions {
            let set = work.tree.set_permissions(path_of(step), permissions);
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
struct Work {
    tree: Tree,
    done: usize,
    failures: Failures,
}

/// A file or a link whose contents are on their way.
enum Target {
    File(NewFile, u32),
    Link(Vec<u8>),
}

impl Work {
    fn new(root: &Path) -> Result<Self, Problem> {
        Ok(Self {
            tree: Tree::open(root).map_err(Problem::file(root))?,
            done: 0,
            failures: Vec::new(),
        })
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

/// The directories that a path stands in, below the root.
fn above(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    ends.map(|(end, _)| &path[..end])
}
