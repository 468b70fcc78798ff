//! The kinds of limited stores.

use std::fs::{self, File};

use super::staging::{
    Staged, fill, fill_but, filled_meanwhile, image, limited, memory, of_nobody, permit, remount,
    remove, said, with_attribute,
};
use super::{DESCRIPTORS, FILE_SIZE, NOBODY};
use crate::mounts::{self, Mounted};
use crate::place::Place;

/// What is to become of the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// Nothing can be recorded.
    NoRecord,
    /// There is room at the start, so there is a sidecar in the end.
    Sidecar,
    /// As it comes; what is missing is said.
    AsItComes,
    /// As it comes, and the command may not be started at all, if that is said.
    RunsOrRefuses,
}

/// A kind of limited store.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// Part of a directory's name.
    pub(super) place: &'static str,
    /// Whether something is mounted for it.
    pub(super) mounts: bool,
    /// In how many steps the limit is varied.
    pub(super) steps: u64,
    pub(super) expected: Expected,
    /// Makes it; an error is the reason why it can't be had here.
    pub(super) stage: fn(&Place, u64) -> Result<Staged, String>,
}

const fn kind(
    place: &'static str,
    name: &'static str,
    expected: Expected,
    stage: fn(&Place, u64) -> Result<Staged, String>,
) -> Kind {
    Kind {
        name,
        place,
        mounts: true,
        steps: 1,
        expected,
        stage,
    }
}

impl Kind {
    const fn without_mount(mut self) -> Self {
        self.mounts = false;
        self
    }

    const fn in_steps(mut self, steps: u64) -> Self {
        self.steps = steps;
        self
    }
}

pub(super) const KINDS: &[Kind] = &[
    kind(
        "full",
        "full from the start (tmpfs)",
        Expected::NoRecord,
        |place, _| {
            let store = Mounted::memory("size=64k,mode=700", &place.sessions())?;
            fill(store.path())?;
            let filler = store.path().join("filler");
            Ok(Staged::on(store).relieved_by(remount(place, "size=8m", filler)))
        },
    ),
    kind(
        "fills",
        "becomes full (tmpfs)",
        Expected::Sidecar,
        |place, _| memory(place, "size=256k", "size=8m"),
    ),
    kind(
        "little",
        "room for little more than the sidecar (tmpfs)",
        Expected::Sidecar,
        |place, step| memory(place, &format!("size={}k", 24 + 4 * step), "size=8m"),
    )
    .in_steps(4),
    kind(
        "filled",
        "somebody else fills it meanwhile (tmpfs)",
        Expected::Sidecar,
        |place, _| {
            let staged = memory(place, "size=256k", "size=8m")?;
            Ok(filled_meanwhile(staged, place.sessions()))
        },
    ),
    kind(
        "filled-ext4",
        "somebody else fills it meanwhile (ext4)",
        Expected::Sidecar,
        |place, _| {
            let store = image(place, "ext4", 2, &["-F", "-m", "0", "-N", "64"], "loop")?;
            let filler = store.path().join("filler");
            let staged = Staged::on(store).relieved_by(move || remove(&filler));
            Ok(filled_meanwhile(staged, place.sessions()))
        },
    ),
    kind(
        "inodes",
        "no inode left (tmpfs)",
        Expected::NoRecord,
        |place, _| memory(place, "size=8m,nr_inodes=1", "nr_inodes=1000"),
    ),
    kind(
        "few-inodes",
        "inodes for some of the files (tmpfs)",
        Expected::AsItComes,
        |place, step| {
            memory(
                place,
                &format!("size=8m,nr_inodes={}", 2 + step),
                "nr_inodes=1000",
            )
        },
    )
    .in_steps(6),
    kind(
        "ext4",
        "becomes full (ext4)",
        Expected::Sidecar,
        |place, _| {
            let store = image(place, "ext4", 2, &["-F", "-m", "0", "-N", "64"], "loop")?;
            fill_but(store.path(), 300_000)?;
            let filler = store.path().join("filler");
            Ok(Staged::on(store).relieved_by(move || remove(&filler)))
        },
    ),
    kind(
        "ext4-directory",
        "becomes full, and the directory is (ext4)",
        Expected::Sidecar,
        |place, step| {
            let make = ["-F", "-m", "0", "-N", "512", "-b", "4096"];
            let store = image(place, "ext4", 4, &make, "loop")?;
            // An entry of eight letters takes 16 bytes; somewhere here the block ends with the sidecar's.
            for number in 0..230 + 2 * step {
                let name = format!("{number:08}");
                File::create(store.path().join(name)).map_err(said)?;
            }
            fill_but(store.path(), 200_000)?;
            let filler = store.path().join("filler");
            Ok(Staged::on(store).relieved_by(move || remove(&filler)))
        },
    )
    .in_steps(10),
    kind(
        "xfs",
        "becomes full (xfs)",
        Expected::Sidecar,
        |place, _| {
            let store = image(place, "xfs", 320, &[], "loop")?;
            // So that there are free inodes, which come 64 at a time. More names, and the
            // directory would need a block of its own just when there is none left.
            for name in ["1", "2"] {
                File::create(store.path().join(name)).map_err(said)?;
            }
            fill_but(store.path(), 300_000)?;
            let filler = store.path().join("filler");
            Ok(Staged::on(store).relieved_by(move || remove(&filler)))
        },
    ),
    kind(
        "ext4-inodes",
        "no inode left (ext4)",
        Expected::NoRecord,
        |place, _| {
            let store = image(place, "ext4", 4, &["-F", "-m", "0", "-N", "16"], "loop")?;
            let root = store.path().to_owned();
            let mut made = 0;
            while File::create(root.join(format!("filler-{made}"))).is_ok() {
                made += 1;
            }
            Ok(Staged::on(store).relieved_by(move || {
                (0..made).try_for_each(|number| remove(&root.join(format!("filler-{number}"))))
            }))
        },
    ),
    kind(
        "read-only",
        "mounted read-only",
        Expected::NoRecord,
        |place, _| {
            let store = Mounted::memory("size=8m,mode=700,ro", &place.sessions())?;
            Ok(Staged::on(store).relieved_by(remount(place, "rw", place.path("none"))))
        },
    ),
    kind(
        "dies",
        "the file system dies meanwhile (ext4)",
        Expected::AsItComes,
        |place, _| {
            let store = image(place, "ext4", 8, &["-F", "-m", "0"], "loop")?;
            let directory = place.sessions();
            let at = directory.clone();
            let mut staged = Staged::new().relieved_by(move || {
                // Somebody brings another disk.
                mounts::run("umount", &["-l".as_ref(), at.as_os_str()])?;
                let restored = Mounted::memory("size=8m,mode=700", &at)?;
                std::mem::forget(restored);
                Ok(())
            });
            staged.meanwhile = Some(Box::new(move || {
                store
                    .shut_down()
                    .map_err(|error| format!("no shutting down: {error}"))
            }));
            Ok(staged)
        },
    ),
    kind(
        "mode",
        "a directory without write permission",
        Expected::NoRecord,
        |place, _| {
            let directory = place.sessions();
            fs::create_dir(&directory).map_err(said)?;
            let mut staged = of_nobody(place, &directory)?;
            permit(&directory, 0o500)?;
            staged.relieve = Box::new(move || permit(&directory, 0o700));
            Ok(staged)
        },
    )
    .without_mount(),
    kind(
        "immutable",
        "an immutable directory (ext4)",
        Expected::NoRecord,
        |place, _| with_attribute(place, "i"),
    ),
    kind(
        "append",
        "a directory that only grows (ext4)",
        Expected::AsItComes,
        |place, _| with_attribute(place, "a"),
    ),
    kind(
        "quota",
        "a quota of blocks (ext4)",
        Expected::Sidecar,
        |place, _| {
            let options = ["-F", "-m", "0", "-O", "quota", "-E", "quotatype=usrquota"];
            let store = image(place, "ext4", 16, &options, "loop,usrquota")
                .map_err(|_| "this kernel has no disk quotas".to_owned())?;
            let at = store.path().to_string_lossy().into_owned();
            let user = NOBODY.to_string();
            let limit = |blocks: &str| {
                let words = ["-u", &user, "0", blocks, "0", "0", &at].map(str::to_owned);
                move || mounts::run("setquota", &words)
            };
            limit("200")()?;
            let mut staged = of_nobody(place, store.path())?;
            staged.relieve = Box::new(limit("0"));
            staged.mounted.push(store);
            Ok(staged)
        },
    ),
    kind(
        "file-size",
        "a limit on file sizes of 64 KiB",
        Expected::Sidecar,
        |_, _| Ok(limited(FILE_SIZE, 65536)),
    )
    .without_mount(),
    kind(
        "no-files",
        "a limit on file sizes of nothing",
        Expected::NoRecord,
        |_, _| Ok(limited(FILE_SIZE, 0)),
    )
    .without_mount(),
    kind(
        "descriptors",
        "a limit on descriptors of 4 to 23",
        Expected::RunsOrRefuses,
        |_, step| Ok(limited(DESCRIPTORS, 4 + step)),
    )
    .without_mount()
    .in_steps(20),
    kind(
        "device",
        "/dev/full instead of a directory",
        Expected::NoRecord,
        |_, _| {
            let mut staged = Staged::new();
            staged
                .variables
                .push(("AIDO_SESSION_DIR".into(), "/dev/full".into()));
            Ok(staged)
        },
    )
    .without_mount(),
];
