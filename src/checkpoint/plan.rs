//! What restoring a checkpoint does, path by path. Decides, does nothing.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::changes::{LINK, Object, REPOSITORY};
use super::listing::Differing;
use super::modes::Modes;
use super::record::Record;
use super::select::Reason;

/// What is done at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// A file gets these contents and permissions.
    Write {
        /// The contents.
        object: String,
        /// Its permissions.
        permissions: u32,
        /// Those that it had and doesn't get: they would give its owner's rights, and whose it was is not
        /// known.
        dropped: u32,
        /// Whether there is nothing now.
        is_new: bool,
    },
    /// A symbolic link is put there.
    Link {
        /// Where it leads to.
        object: String,
        /// Whether there is nothing now.
        is_new: bool,
    },
    /// Only the permissions of a file change.
    Permissions(u32),
    /// Those of a directory change.
    Directory(u32),
    /// What is there goes.
    Remove,
    /// It stays as it is, although it is different.
    Leave(Why),
}

impl Way {
    /// Whether anything is done.
    #[must_use]
    pub fn acts(&self) -> bool {
        !matches!(self, Self::Leave(_))
    }
}

/// The bits of a mode that give the rights of a file's owner, or of its group, to whoever runs it.
pub(super) const OWNERS: u32 = 0o6000;

/// Why a path stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The checkpoint doesn't have it, for this reason.
    NotInCheckpoint(Reason),
    /// What is there now could not be saved first, for this reason.
    NotSaved(Reason),
    /// It is aido's own: recordings, or checkpoints.
    Own,
    /// Something that stays is in the way.
    InTheWay,
    /// The repository has thrown its contents away.
    Gone,
    /// Its contents were never fetched from the repository's remote.
    Elsewhere,
    /// Somebody is writing to it.
    Moving,
    /// It had the rights of an owner, and whose it was is not known.
    Owner,
}

impl Why {
    /// In words.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::NotInCheckpoint(Reason::Repository) => {
                "left alone: nothing of a repository of its own is kept; git submodule update brings a submodule's files back".to_owned()
            }
            Self::NotInCheckpoint(reason) => {
                format!("left alone: not in the checkpoint ({})", reason.name())
            }
            Self::NotSaved(reason) => {
                format!(
                    "left alone: it could not be saved first ({})",
                    reason.name()
                )
            }
            Self::Own => "left alone: it is aido's own".to_owned(),
            Self::InTheWay => {
                "left alone: what stands in the way was not saved, or is to stay".to_owned()
            }
            Self::Gone => "left alone: the repository has thrown its contents away".to_owned(),
            Self::Elsewhere => {
                "left alone: the clone is partial, and its contents were never fetched".to_owned()
            }
            Self::Moving => "left alone: somebody is writing to it".to_owned(),
            Self::Owner => {
                "left alone: it was set-user-ID or set-group-ID, and whose it was is not known"
                    .to_owned()
            }
        }
    }

    /// Whether it is different from the checkpoint and can't be restored.
    #[must_use]
    pub fn is_failure(self) -> bool {
        !matches!(self, Self::NotInCheckpoint(_) | Self::Own | Self::Owner)
    }
}

/// One path of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The path, relative to the work tree.
    pub path: Vec<u8>,
    /// What is done there.
    pub way: Way,
}

/// A checkpoint for comparing: what it says of itself, and permissions that can be compared.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// What it says of itself.
    pub record: &'a Record,
    /// Its permissions.
    pub modes: &'a Modes,
}

/// Decides what leads from the files as they are, `now`, to a checkpoint: removals first, the deepest paths
/// before those above them; then what is put there. `wanted` are the paths to restore, with everything
/// below them; none is all.
#[must_use]
pub fn plan(
    differing: &[Differing],
    now: Side<'_>,
    target: Side<'_>,
    wanted: &[Vec<u8>],
) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::with_capacity(differing.len());
    for one in differing.iter().filter(|one| is_wanted(&one.path, wanted)) {
        let way = match left_alone(one, now.record, target.record) {
            Some(why) => Some(Way::Leave(why)),
            None => way(one, now.modes, target.modes),
        };
        steps.extend(way.map(|way| Step {
            path: one.path.clone(),
            way,
        }));
    }
    let known: HashSet<&[u8]> = differing.iter().map(|one| one.path.as_slice()).collect();
    for (path, had, wanted_permissions) in now.modes.differing(target.modes) {
        // One that stands on one side only is either among the differences or left out.
        let is_left = now
            .record
            .reason_for(path)
            .or(target.record.reason_for(path));
        if is_left.is_none() && !known.contains(path) && is_wanted(path, wanted) {
            steps.push(Step {
                path: path.to_owned(),
                way: permissions(had, wanted_permissions),
            });
        }
    }
    steps.sort_by(|one, other| {
        let is_removal = |step: &Step| step.way == Way::Remove;
        match (is_removal(one), is_removal(other)) {
            (true, true) => other.path.cmp(&one.path),
            (false, false) => one.path.cmp(&other.path),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    });
    steps
}

/// Whether a path is one of these, or below one; every path is, where there are none.
#[must_use]
pub fn is_wanted(path: &[u8], wanted: &[Vec<u8>]) -> bool {
    let is_below = |wanted: &[u8]| {
        let rest = path.strip_prefix(wanted);
        rest.is_some_and(|rest| wanted.is_empty() || rest.is_empty() || rest.starts_with(b"/"))
    };
    wanted.is_empty() || wanted.iter().any(|wanted| is_below(wanted))
}

fn left_alone(one: &Differing, now: &Record, target: &Record) -> Option<Why> {
    let is_repository = |object: &Option<Object>| {
        object
            .as_ref()
            .is_some_and(|object| object.mode == REPOSITORY)
    };
    if is_repository(&one.after) {
        return Some(Why::NotInCheckpoint(Reason::Repository));
    }
    if let Some(reason) = now.reason_for(&one.path) {
        return Some(Why::NotSaved(reason));
    }
    if let Some(reason) = target.reason_for(&one.path) {
        return Some(Why::NotInCheckpoint(reason));
    }
    is_repository(&one.before).then_some(Why::NotInCheckpoint(Reason::Repository))
}

/// Changes permissions, but gives nobody the rights of an owner.
fn permissions(had: u32, wanted: u32) -> Way {
    let given = wanted & !OWNERS | wanted & had & OWNERS;
    match given == had {
        true => Way::Leave(Why::Owner),
        false => Way::Permissions(given),
    }
}

fn way(one: &Differing, now: &Modes, modes: &Modes) -> Option<Way> {
    let Some(after) = &one.after else {
        return one.before.as_ref().map(|_| Way::Remove);
    };
    let is_new = one.before.is_none();
    let object = after.name.clone();
    if after.mode == LINK {
        return Some(Way::Link { object, is_new });
    }
    let wanted = modes.of(&one.path, after.mode)?;
    let had = one.before.as_ref().filter(|before| before.mode != LINK);
    Some(match had {
        Some(before) if before.name == object => {
            permissions(now.of(&one.path, before.mode).unwrap_or_default(), wanted)
        }
        _ => Way::Write {
            object,
            permissions: wanted & !OWNERS,
            dropped: wanted & OWNERS,
            is_new,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(left_out: &[(&str, Reason)]) -> Record {
        let left_out = left_out.iter();
        Record {
            at: "2026-03-05T13:25:22.123Z".parse().unwrap(),
            head: None,
            origin: None,
            modes: Modes::default(),
            directories: None,
            left_out: left_out
                .map(|(path, reason)| (path.as_bytes().to_vec(), *reason))
                .collect(),
        }
    }

    fn differing(path: &str, before: Option<(u32, &str)>, after: Option<(u32, &str)>) -> Differing {
        let object = |object: Option<(u32, &str)>| {
            object.map(|(mode, name)| Object {
                mode,
                name: name.to_owned(),
            })
        };
        Differing {
            before: object(before),
            after: object(after),
            path: path.as_bytes().to_vec(),
        }
    }

    fn planned(
        found: &[Differing],
        now: &Record,
        target: &Record,
        wanted: &[&str],
    ) -> Vec<(String, Way)> {
        let modes = Modes::of_files(&[(b"x", 0o100_644, 0o640)]);
        let wanted: Vec<Vec<u8>> = wanted.iter().map(|path| path.as_bytes().to_vec()).collect();
        let side = |record| Side {
            record,
            modes: &modes,
        };
        let steps = plan(found, side(now), side(target), &wanted);
        let steps = steps.into_iter();
        steps
            .map(|step| (String::from_utf8(step.path).unwrap(), step.way))
            .collect()
    }

    const FILE: u32 = 0o100_644;

    #[test]
    fn what_is_in_the_way_goes_before_anything_is_put_there() {
        let found = [
            differing("a", None, Some((FILE, "1"))),
            differing("a/b", Some((FILE, "2")), None),
            differing("a/b/c", Some((FILE, "2")), None),
            differing("l", Some((FILE, "2")), Some((LINK, "3"))),
            differing("m", Some((FILE, "2")), Some((0o100_755, "2"))),
        ];
        let none = record(&[]);
        let write = Way::Write {
            object: "1".to_owned(),
            permissions: 0o640,
            dropped: 0,
            is_new: true,
        };
        let link = Way::Link {
            object: "3".to_owned(),
            is_new: false,
        };
        let expected = [
            ("a/b/c", Way::Remove),
            ("a/b", Way::Remove),
            ("a", write),
            ("l", link),
            ("m", Way::Permissions(0o755)),
        ]
        .map(|(path, way)| (path.to_owned(), way));
        assert_eq!(planned(&found, &none, &none, &[]), expected);
        let only = planned(&found, &none, &none, &["a/b/c", "l"]);
        let paths: Vec<&str> = only.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["a/b/c", "l"]);
    }

    #[test]
    fn what_either_side_could_not_keep_is_left_alone() {
        let found = [
            differing("big", None, Some((FILE, "1"))),
            differing("late", Some((FILE, "1")), None),
            differing("sub", Some((REPOSITORY, "1")), Some((REPOSITORY, "2"))),
        ];
        let now = record(&[("big", Reason::TooLarge)]);
        let target = record(&[("late", Reason::Unreadable)]);
        let ways: Vec<Way> = planned(&found, &now, &target, &[])
            .into_iter()
            .map(|(_, way)| way)
            .collect();
        let expected = [
            Why::NotSaved(Reason::TooLarge),
            Why::NotInCheckpoint(Reason::Unreadable),
            Why::NotInCheckpoint(Reason::Repository),
        ];
        assert_eq!(ways, expected.map(Way::Leave));
    }
}
