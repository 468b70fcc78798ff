//! Things that stand where a store's files should be.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};

use super::{Case, Ground, newest};

/// Which file is replaced.
const FILES: &[&str] = &[
    "meta.json",
    "typescript",
    "events.jsonl",
    "index.jsonl",
    "live",
    ".gitignore",
    ".lock",
    ".housekeeping",
    "pruned.jsonl",
    "key",
];

/// By what; what can do most harm comes first.
const KINDS: &[(&str, Put)] = &[
    ("a link to a canary", |ground, path| {
        symlink(ground.canary(), path)
    }),
    ("a FIFO", |_, path| {
        crate::mounts::run("mkfifo", &[path]).map_err(std::io::Error::other)
    }),
    ("a directory", |_, path| {
        fs::DirBuilder::new().mode(0o700).create(path)
    }),
    ("a link to nothing", |ground, path| {
        symlink(ground.place.path("outside/new"), path)
    }),
    ("a second name of a canary", |ground, path| {
        fs::hard_link(ground.canary(), path)
    }),
];

/// How many cases have a link to a canary, and how many there are.
pub(super) const LINKS: usize = FILES.len();
pub(super) const COUNT: usize = FILES.len() * KINDS.len();

type Put = fn(&Ground, &Path) -> std::io::Result<()>;

/// Those with links to canaries, which the quick size tries, come first.
pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (kind, put) in KINDS {
        for file in FILES {
            cases.push(
                Case::new(format!("{file} is {kind}")).staged_after(|ground| {
                    let path = path_of(ground, file)?;
                    if path.is_dir() {
                        fs::remove_dir_all(&path)?;
                    } else if path.exists() {
                        fs::remove_file(&path)?;
                    }
                    Ok(put(ground, &path)?)
                }),
            );
        }
    }
    cases
}

fn path_of(ground: &Ground, file: &str) -> anyhow::Result<PathBuf> {
    let directory = ground.place.sessions();
    Ok(match file {
        "key" => ground.place.state().join("key"),
        "meta.json" | "typescript" | "events.jsonl" => {
            directory.join(format!("{}.{file}", newest(ground)?))
        }
        name => directory.join(name),
    })
}
