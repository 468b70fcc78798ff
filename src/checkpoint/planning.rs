//! Looking at the files as they are, saving them, and deciding what leads back to a checkpoint. What is decided
//! is what can be done: whatever stands in the way, or is gone, is found here and not halfway.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::home::Home;
use super::ignored::{Earlier, Pair, above};
use super::origin::Origin;
use super::plan::{Side, Step, Way, Why, is_wanted, plan};
use super::read::{Checkpoint, Reading};
use super::restore::{Restoring, Wanted};
use super::snapshot::Snapshot;
use super::{Limits, Problem};
use crate::environment::Environment;
use crate::session::Timestamp;
use crate::sys::file::{Directory, Identity};
use crate::sys::tree::{Mark, Tree};

/// How often it is begun again where files change meanwhile.
const TRIES: usize = 3;
/// The time of a change may be told so much too early: that of the kernel's last tick.
const TICK_NS: i128 = 10_000_000;

/// What stood at paths when they had been saved; none where there was nothing.
pub(super) type Marks = HashMap<Vec<u8>, Option<Mark>>;

impl Home {
    /// Saves the files as they are, and decides what leads back to a checkpoint. Changes none of them.
    ///
    /// # Errors
    /// When the checkpoint is gone or of another work tree, or the files can't be saved.
    pub fn restoring(
        self,
        environment: &Environment,
        limits: Limits,
        commit: &str,
        wanted: &Wanted<'_>,
    ) -> Result<Restoring, Problem> {
        let reading = self.read(environment);
        let target = reading.checkpoint(commit)?;
        self.check_origin(&target)?;
        let mut marks = Marks::new();
        let mut tries = 0;
        loop {
            tries += 1;
            let now = self.take(environment, limits, Some(&target.tree))?;
            let (mut steps, ignored) =
                self.steps(environment, &reading, (&now, &target), wanted)?;
            let seen = self.marks(&steps)?;
            let is_saved = |step: &Step| {
                let mark = seen.get(&step.path).copied().flatten();
                // One that stayed as it was while all was saved once more was saved as it is.
                mark.is_none_or(|mark| {
                    mark.is_directory
                        || is_older(mark, now.record.at)
                        || marks.get(&step.path) == Some(&Some(mark))
                })
            };
            let moving: Vec<bool> = steps
                .iter()
                .map(|step| step.way.acts() && !is_saved(step))
                .collect();
            if tries < TRIES && moving.contains(&true) {
                marks = seen;
                continue;
            }
            for (step, is_moving) in steps.iter_mut().zip(moving) {
                if is_moving {
                    step.way = Way::Leave(Why::Moving);
                }
            }
            return Ok(Restoring {
                home: self,
                reading,
                target,
                now,
                steps,
                ignored,
                marks: seen,
            });
        }
    }

    /// What is to be done, and how many files stay because they were ignored.
    fn steps(
        &self,
        environment: &Environment,
        reading: &Reading,
        (now, target): (&Snapshot, &Checkpoint),
        wanted: &Wanted<'_>,
    ) -> Result<(Vec<Step>, usize), Problem> {
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
        let mut steps = plan(&differing, now_side, target_side, wanted.paths);
        let pairs = differing.iter();
        let pairs: Vec<Pair<'_>> = pairs
            .map(|one| (one.path.as_slice(), one.after.as_ref(), one.before.as_ref()))
            .collect();
        let earlier = Earlier {
            tree: &target.tree,
            record: &target.record,
        };
        let ignored = self.ignored_then(environment, reading, earlier, &pairs)?;
        let all = steps.len();
        steps.retain(|step| step.way != Way::Remove || !ignored.contains(&step.path));
        let ignored = all - steps.len();
        self.add_directories(reading, target, wanted.paths, &mut steps)?;
        self.spare_own(wanted.own, &mut steps)?;
        self.find_obstacles(&mut steps)?;
        self.find_losses(reading, &mut steps)?;
        Ok((steps, ignored))
    }

    /// Adds the directories whose permissions are others by now.
    fn add_directories(
        &self,
        reading: &Reading,
        target: &Checkpoint,
        wanted: &[Vec<u8>],
        steps: &mut Vec<Step>,
    ) -> Result<(), Problem> {
        let Some(modes) = &target.record.directories else {
            return Ok(());
        };
        let mut tree = self.open_tree()?;
        for path in reading.directories(&target.tree, &target.record)? {
            let permissions = modes.permissions(&path);
            let is_there = is_wanted(&path, wanted);
            let mark = is_there.then(|| tree.mark(path_of(&path)).ok().flatten());
            let mark = mark.flatten().filter(|mark| mark.is_directory);
            if mark.is_some_and(|mark| (mark.permissions ^ permissions) & 0o1777 != 0) {
                let way = Way::Directory(permissions);
                steps.push(Step { path, way });
            }
        }
        Ok(())
    }

    /// Refuses a checkpoint of another work tree.
    fn check_origin(&self, target: &Checkpoint) -> Result<(), Problem> {
        let Some(origin) = &target.record.origin else {
            return Ok(());
        };
        match Origin::of(&self.repository) {
            Some(present) if present.is(origin) => Ok(()),
            _ => Err(Problem::Elsewhere {
                origin: origin.root.clone(),
                present: self.repository.root.clone(),
            }),
        }
    }

    /// Leaves alone what stands in one of these directories of aido's own, or in that of the checkpoints,
    /// whatever way leads there.
    fn spare_own(&self, own: &[PathBuf], steps: &mut [Step]) -> Result<(), Problem> {
        let state = self.path.parent().and_then(Path::parent);
        let own = own.iter().map(PathBuf::as_path).chain(state);
        let own = own.filter_map(|path| Directory::open(path).ok()?.identity().ok());
        let own: Vec<Identity> = own.collect();
        let mut tree = self.open_tree()?;
        let mut known: HashMap<Vec<u8>, bool> = HashMap::new();
        for step in steps {
            let is_own = above(&step.path).chain([&*step.path]).any(|directory| {
                if let Some(known) = known.get(directory) {
                    return *known;
                }
                let mark = tree.mark(path_of(directory)).ok().flatten();
                let is_own = mark.is_some_and(|mark| own.contains(&mark.identity));
                known.insert(directory.to_vec(), is_own);
                is_own
            });
            if is_own {
                step.way = Way::Leave(Why::Own);
            }
        }
        Ok(())
    }

    /// Finds what stands in the way of a file or a link and doesn't go itself: a directory with anything in
    /// it, or something else where a directory is needed.
    fn find_obstacles(&self, steps: &mut [Step]) -> Result<(), Problem> {
        let removed = steps.iter().filter(|step| step.way == Way::Remove);
        let removed: HashSet<Vec<u8>> = removed.map(|step| step.path.clone()).collect();
        let tree = RefCell::new(self.open_tree()?);
        let mark = |path: &[u8]| tree.borrow_mut().mark(path_of(path)).ok().flatten();
        let mut known: HashMap<Vec<u8>, bool> = HashMap::new();
        for step in steps {
            if !matches!(step.way, Way::Write { .. } | Way::Link { .. }) {
                continue;
            }
            let is_below = above(&step.path).any(|directory| {
                if let Some(known) = known.get(directory) {
                    return *known;
                }
                let is_it = mark(directory).is_some_and(|mark| !mark.is_directory)
                    && !removed.contains(directory);
                known.insert(directory.to_vec(), is_it);
                is_it
            });
            let may_go = |path: &Path| removed.contains(path.as_os_str().as_bytes());
            let is_full = || {
                mark(&step.path).is_some_and(|mark| mark.is_directory)
                    && !tree.borrow_mut().holds_only(path_of(&step.path), &may_go)
            };
            if is_below || is_full() {
                step.way = Way::Leave(Why::InTheWay);
            }
        }
        Ok(())
    }

    /// Finds contents that are nowhere any more.
    fn find_losses(&self, reading: &Reading, steps: &mut [Step]) -> Result<(), Problem> {
        let object = |step: &Step| match &step.way {
            Way::Write { object, .. } | Way::Link { object, .. } => Some(object.clone()),
            _ => None,
        };
        let objects: HashSet<String> = steps.iter().filter_map(object).collect();
        let missing = reading.missing(&objects)?;
        if missing.is_empty() {
            return Ok(());
        }
        let why = match self.repository.is_partial() {
            true => Why::Elsewhere,
            false => Why::Gone,
        };
        for step in steps {
            if object(step).is_some_and(|object| missing.contains(&object)) {
                step.way = Way::Leave(why);
            }
        }
        Ok(())
    }

    fn marks(&self, steps: &[Step]) -> Result<Marks, Problem> {
        let mut tree = self.open_tree()?;
        let acting = steps.iter().filter(|step| step.way.acts());
        let marks = acting.map(|step| {
            let mark = tree.mark(path_of(&step.path)).ok().flatten();
            (step.path.clone(), mark)
        });
        Ok(marks.collect())
    }

    fn open_tree(&self) -> Result<Tree, Problem> {
        let root = self.repository.root.as_path();
        Tree::open(root).map_err(Problem::file(root))
    }
}

/// Whether something last changed before a checkpoint was begun.
fn is_older(mark: Mark, at: Timestamp) -> bool {
    let begun_ns = i128::from(at.0.timestamp_millis()) * 1_000_000;
    mark.changed_ns < begun_ns - TICK_NS
}

fn path_of(path: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(path))
}
