//! Objects: what git throws away one day stands in aido's own directory, too, and nothing of the repository's
//! is touched.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::{git, kept, ok, patient, print_of, repository, text};
use crate::support::{TestEnv, files_below};

/// Makes git forget and throw away at once whatever no name leads to, and removes the files.
const LOSE: &str =
    "git reflog expire --expire=now --all && git gc -q --prune=now && rm -rf src run";

/// A repository with files that are committed, and changed since.
fn with_work(test: &str) -> Option<TestEnv> {
    let env = repository(test)?;
    for path in ["run", "src/a", "src/b", "src/deep/c"] {
        env.write(&format!("work/{path}"), &format!("{path}\n"));
    }
    git(&env, &["add", "-A"]);
    git(&env, &["commit", "-qm", "first"]);
    env.write("work/src/a", "changed\n");
    Some(env)
}

/// What leaves the trees of the files as they are in the repository, where no name leads to them.
const WAYS: &[&[&[&str]]] = &[
    &[&["stash", "-q"], &["stash", "pop", "-q"]],
    &[&["commit", "-qam", "second"], &["reset", "-q", "HEAD~"]],
    &[&["add", "-A"], &["write-tree"], &["reset", "-q"]],
    &[
        &["commit", "-qam", "x"],
        &["reset", "-q", "--soft", "HEAD~"],
    ],
];

#[test]
fn what_only_a_stash_or_an_undone_commit_held_comes_back() {
    for (number, way) in WAYS.iter().enumerate() {
        for mode in ["before", "both"] {
            let Some(env) = with_work("what_only_a_stash") else {
                return;
            };
            for words in *way {
                git(&env, words);
            }
            let before = print_of(&env.work());
            let run = ok(&env, &["--checkpoint", mode, "sh", "-c", LOSE]);
            assert!(run.stderr.is_empty(), "{number} {mode}: {run:?}");
            let changes = text(&ok(&env, &["show", "last", "--changes"]));
            assert!(changes.contains("removed  src/deep/c\n"), "{changes}");
            ok(&env, &["checkpoint", "restore", "last", "-y"]);
            assert_eq!(print_of(&env.work()), before, "{number} {mode}");
            let words = ["checkpoint", "restore", "last", "--to", "restore-1", "-y"];
            ok(&env, &words);
            assert!(print_of(&env.work()).is_empty(), "{number} {mode}");
        }
    }
}

#[test]
fn no_object_of_the_repository_gets_another_time() {
    let Some(env) = with_work("no_object_of_the_repository") else {
        return;
    };
    for words in WAYS.iter().flat_map(|way| *way) {
        git(&env, words);
    }
    let times = || -> BTreeMap<PathBuf, (i64, i64)> {
        let files = files_below(&env.work().join(".git")).into_iter();
        let time = |path: PathBuf| {
            let status = fs::symlink_metadata(&path).unwrap();
            (path, (status.ctime(), status.ctime_nsec()))
        };
        files.map(time).collect()
    };
    let before = times();
    ok(&env, &["--checkpoint", "both", "sh", "-c", "rm -rf src"]);
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    assert_eq!(times(), before);
}

#[test]
fn a_checkpoint_that_failed_leaves_nothing_half_written() {
    let Some(env) = with_work("a_checkpoint_that_failed") else {
        return;
    };
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    let large: Vec<u8> = (0..1_000_000).map(|_| noise()).collect();
    fs::write(env.path("work/large"), large).unwrap();
    // As where the disk is full: no file may be larger than 64 KiB.
    let line = "ulimit -f 128; exec \"$@\"";
    let aido = env!("CARGO_BIN_EXE_aido");
    let words = ["sh", "-c", line, "sh", aido, "--checkpoint", "both", "true"];
    let run = env
        .bare(words)
        .env("AIDO_CHECKPOINT_TIMEOUT", "10m")
        .output();
    assert_eq!(run.code(), 0, "{run:?}");
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(said.contains("no checkpoint before"), "{said}");
    let left = files_below(&kept::home_of(&env));
    let is_unfinished = |path: &PathBuf| path.file_name().unwrap().as_bytes().starts_with(b"tmp_");
    let unfinished: Vec<&PathBuf> = left.iter().filter(|path| is_unfinished(path)).collect();
    assert!(unfinished.is_empty(), "{unfinished:?}");
}

#[test]
fn nobody_else_may_read_any_of_it_whatever_git_is_told() {
    let Some(env) = with_work("nobody_else_may_read") else {
        return;
    };
    env.write("home/.gitconfig", "[core]\n\tsharedRepository = group\n");
    let line = "umask 0; exec \"$@\"";
    let aido = env!("CARGO_BIN_EXE_aido");
    let words = [
        "sh",
        "-c",
        line,
        "sh",
        aido,
        "--checkpoint",
        "both",
        "rm",
        "run",
    ];
    let run = env
        .bare(words)
        .env("AIDO_CHECKPOINT_TIMEOUT", "10m")
        .output();
    assert_eq!((run.code(), run.stderr.len()), (0, 0), "{run:?}");
    let restore = patient(&env, &["checkpoint", "restore", "last", "-y"]);
    assert_eq!(restore.output().code(), 0);
    let home = kept::home_of(&env);
    let mut paths = files_below(&home);
    assert!(paths.len() > 10);
    let directories: Vec<PathBuf> = paths
        .iter()
        .flat_map(|path| {
            path.ancestors()
                .skip(1)
                .take_while(|it| it.starts_with(&home))
        })
        .map(PathBuf::from)
        .collect();
    paths.extend(directories);
    for path in paths {
        let mode = fs::symlink_metadata(&path).unwrap().mode();
        assert_eq!(mode & 0o077, 0, "{} {mode:o}", path.display());
    }
}

#[test]
fn trees_of_the_first_checkpoint_come_as_one_pack_and_go_again() {
    let Some(env) = repository("trees_of_the_first_checkpoint") else {
        return;
    };
    for number in 0..150 {
        env.write(&format!("work/src/{number}/file"), &format!("{number}\n"));
    }
    env.write("work/run", "run\n");
    git(&env, &["add", "-A"]);
    git(&env, &["commit", "-qm", "first"]);
    env.write("work/src/7/file", "changed\n");
    let before = print_of(&env.work());
    ok(&env, &["--checkpoint", "both", "sh", "-c", LOSE]);
    let objects = kept::home_of(&env).join("objects");
    let found = files_below(&objects);
    let packs = found
        .iter()
        .filter(|path| path.starts_with(objects.join("pack")));
    assert_eq!((packs.count(), found.len() < 20), (2, true), "{found:?}");
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    assert_eq!(print_of(&env.work()), before);
    // As if that had been hours ago.
    for path in files_below(&objects) {
        kept::chmod_file(&path);
        let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        fs::File::options()
            .append(true)
            .open(path)
            .unwrap()
            .set_modified(old)
            .unwrap();
    }
    ok(&env, &["true"]);
    ok(&env, &["prune", "--keep-sessions", "1", "-y"]);
    assert_eq!(files_below(&objects), Vec::<PathBuf>::new());
    ok(&env, &["--checkpoint", "both", "sh", "-c", "rm -rf src"]);
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    assert_eq!(print_of(&env.work()), before);
}
