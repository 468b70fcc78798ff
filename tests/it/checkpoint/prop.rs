//! Generated histories: whatever happens between a checkpoint and its restoring, every file is as it was.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{git, gits_own, kept, ok, print_of, repository};
use crate::support::TestEnv;

/// Names that programs stumble over.
const NAMES: &[&[u8]] = &[
    b"a",
    b"b c",
    b"\xc3\xbc",
    b"-x",
    b"new\nline",
    b"*",
    b"\xff\xfe",
    b"\"q\"",
    b":(glob)x",
];

#[derive(Clone, Debug)]
enum Act {
    Write(Vec<usize>, Vec<u8>, u32),
    Link(Vec<usize>, usize),
    Remove(Vec<usize>),
    Mode(Vec<usize>, u32),
    Rename(Vec<usize>, Vec<usize>),
    Git(usize),
}

/// What else goes on in a repository.
const GITS: &[&[&str]] = &[
    &["add", "-A"],
    &["commit", "-q", "--allow-empty", "-m", "more"],
    &["commit", "-q", "--allow-empty", "-a", "-m", "all"],
    &["add", "-N", "."],
    &["reset", "-q"],
    &["rm", "-rq", "--cached", "--ignore-unmatch", "a"],
    &["gc", "-q", "--prune=now"],
    &["update-index", "-q", "--refresh"],
    &["reset", "-q", "--soft", "HEAD~1"],
];

fn path() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..NAMES.len(), 1..4)
}

fn act() -> impl Strategy<Value = Act> {
    let contents = prop::collection::vec(prop::sample::select(b"ab\r\n\0\xff".to_vec()), 0..30);
    let mode = prop::sample::select(vec![0o644, 0o755, 0o600, 0o640, 0o444, 0o700]);
    prop_oneof![
        6 => (path(), contents, mode.clone()).prop_map(|(path, bytes, mode)| Act::Write(path, bytes, mode)),
        2 => (path(), 0..NAMES.len()).prop_map(|(path, target)| Act::Link(path, target)),
        3 => path().prop_map(Act::Remove),
        2 => (path(), mode).prop_map(|(path, mode)| Act::Mode(path, mode)),
        2 => (path(), path()).prop_map(|(from, to)| Act::Rename(from, to)),
        2 => (0..GITS.len()).prop_map(Act::Git),
    ]
}

fn place(root: &Path, names: &[usize]) -> std::path::PathBuf {
    let names = names.iter().map(|name| OsStr::from_bytes(NAMES[*name]));
    names.fold(root.to_owned(), |path, name| path.join(name))
}

fn remove(path: &Path) {
    match path.symlink_metadata() {
        Ok(status) if status.is_dir() => fs::remove_dir_all(path).unwrap(),
        Ok(_) => fs::remove_file(path).unwrap(),
        Err(_) => {}
    }
}

/// Makes room for a file at a path, whatever stands there or above it.
fn clear(root: &Path, path: &Path) {
    let above: Vec<&Path> = path.ancestors().skip(1).collect();
    for directory in above.into_iter().rev() {
        let is_below = directory != root && directory.starts_with(root);
        if is_below && !directory.symlink_metadata().is_ok_and(|it| it.is_dir()) {
            remove(directory);
            fs::create_dir(directory).unwrap();
        }
    }
    remove(path);
}

/// A link may lead to a directory: what is below it is somewhere else.
fn is_plain(root: &Path, path: &Path) -> bool {
    let mut above = path.ancestors().skip(1).take_while(|it| *it != root);
    above.all(|it| it.symlink_metadata().is_ok_and(|it| it.is_dir()))
}

fn carry_out(env: &TestEnv, acts: &[Act]) {
    let root = env.work();
    for act in acts {
        match act {
            Act::Write(names, bytes, mode) => {
                let path = place(&root, names);
                clear(&root, &path);
                fs::write(&path, bytes).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
            }
            Act::Link(names, target) => {
                let path = place(&root, names);
                clear(&root, &path);
                symlink(OsStr::from_bytes(NAMES[*target]), &path).unwrap();
            }
            Act::Remove(names) => {
                let path = place(&root, names);
                if is_plain(&root, &path) {
                    remove(&path);
                }
            }
            Act::Mode(names, mode) => {
                let path = place(&root, names);
                let is_file = path.symlink_metadata().is_ok_and(|it| it.is_file());
                if is_plain(&root, &path) && is_file {
                    fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
                }
            }
            Act::Rename(from, to) => {
                let (from, to) = (place(&root, from), place(&root, to));
                let is_apart = !to.starts_with(&from) && !from.starts_with(&to);
                if is_plain(&root, &from) && from.symlink_metadata().is_ok() && is_apart {
                    clear(&root, &to);
                    fs::rename(&from, &to).unwrap();
                }
            }
            Act::Git(number) => _ = env.bare([&["git"], GITS[*number]].concat()).output(),
        }
    }
}

#[test]
fn every_history_leads_back() {
    let config = Config {
        cases: 12,
        failure_persistence: None,
        max_shrink_iters: 40,
        ..Config::default()
    };
    let acts = || prop::collection::vec(act(), 1..25);
    let mut runner = TestRunner::new(config);
    let run = runner.run(&(acts(), acts()), |(first, second)| {
        let Some(env) = repository("every_history_leads_back") else {
            return Ok(());
        };
        carry_out(&env, &first);
        let before = print_of(&env.work());
        ok(&env, &["--checkpoint", "before", "true"]);
        carry_out(&env, &second);
        let (after, own) = (print_of(&env.work()), gits_own(&env.work()));
        ok(&env, &["checkpoint", "restore", "last", "--yes"]);
        prop_assert_eq!(&print_of(&env.work()), &before);
        // What was there before is there again, if there was anything to restore.
        if before != after {
            ok(
                &env,
                &[
                    "checkpoint",
                    "restore",
                    "last",
                    "--to",
                    "restore-1",
                    "--yes",
                ],
            );
            prop_assert_eq!(&print_of(&env.work()), &after);
        }
        prop_assert_eq!(gits_own(&env.work()), own);
        git(&env, &["fsck", "--no-dangling"]);
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn with_what_was_kept_everything_is_found_that_is_found_without() {
    let config = Config {
        cases: 8,
        failure_persistence: None,
        max_shrink_iters: 40,
        ..Config::default()
    };
    let acts = prop::collection::vec(prop::collection::vec(act(), 1..12), 1..4);
    let mut runner = TestRunner::new(config);
    let run = runner.run(&acts, |rounds| {
        let Some(env) = repository("with_what_was_kept") else {
            return Ok(());
        };
        for acts in rounds {
            carry_out(&env, &acts);
            kept::check(&env);
        }
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
}
