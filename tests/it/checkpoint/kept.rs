//! The index that is kept for the next checkpoint: with it everything is found that is found without.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{chmod, git, ok, print_of, repository, text, with_files};
use crate::support::TestEnv;

/// aido's own git directory of the only repository.
pub(super) fn home_of(env: &TestEnv) -> PathBuf {
    let homes = fs::read_dir(env.path("home/.local/state/aido/checkpoints")).unwrap();
    homes.flatten().next().unwrap().path()
}

/// The only index that is kept.
fn kept_of(env: &TestEnv) -> PathBuf {
    let found: Vec<PathBuf> = fs::read_dir(home_of(env).join("kept"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

/// Takes a checkpoint; gives its tree, and what it says of itself but for the time.
pub(super) fn take(env: &TestEnv) -> (String, Value) {
    let run = ok(env, &["--checkpoint", "before", "true"]);
    assert!(run.stderr.is_empty(), "{run:?}");
    let session = env.recorded().pop().unwrap();
    let before = &session.meta["checkpoint"]["before"];
    let home = home_of(env);
    let commit = before["commit"].as_str().unwrap();
    let words = [
        "--git-dir",
        home.to_str().unwrap(),
        "cat-file",
        "commit",
        commit,
    ];
    let commit = git(env, &words);
    let said = commit.lines().last().unwrap();
    let mut said: Value = serde_json::from_str(said).unwrap();
    said["at"] = Value::Null;
    (before["tree"].as_str().unwrap().to_owned(), said)
}

/// Takes one with what was kept and one without: they are the same.
pub(super) fn check(env: &TestEnv) -> (String, Value) {
    let warm = take(env);
    let _ = fs::remove_dir_all(home_of(env).join("kept"));
    let cold = take(env);
    assert_eq!(warm, cold);
    cold
}

pub(super) fn names_in(env: &TestEnv, tree: &str) -> Vec<String> {
    let home = home_of(env);
    let words = ["git", "--git-dir", home.to_str().unwrap(), "ls-tree", "-r"];
    let run = env.bare([&words[..], &["--name-only", tree]].concat());
    let objects = env.path("work/.git/objects");
    let listed = run
        .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", objects)
        .output();
    assert_eq!(listed.code(), 0, "{listed:?}");
    text(&listed).lines().map(str::to_owned).collect()
}

#[test]
fn one_that_is_damaged_or_of_another_work_tree_is_harmless() {
    let (Some(env), Some(other)) = (with_files("one_that_is_damaged"), with_files("another"))
    else {
        return;
    };
    take(&env);
    other.write("work/src/main.rs", "something else\n");
    take(&other);
    let path = kept_of(&env);
    let good = fs::read(&path).unwrap();
    // Whole by its digest, and no index at all.
    let garbage = |index: &[u8]| {
        let end = good
            .iter()
            .skip(65)
            .position(|byte| *byte == b'\n')
            .unwrap();
        let rest = [&good[65..=65 + end], index].concat();
        [hex::encode(Sha256::digest(&rest)).as_bytes(), b"\n", &rest].concat()
    };
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    let version: [u8; 12] = *b"DIRC\0\0\0\x09\0\0\0\x01";
    for (number, bad) in [
        Vec::new(),
        b"x".to_vec(),
        good[..good.len() / 2].to_vec(),
        flipped,
        fs::read(kept_of(&other)).unwrap(),
        garbage(b""),
        garbage(b"no index"),
        garbage(&version),
    ]
    .into_iter()
    .enumerate()
    {
        fs::write(&path, bad).unwrap();
        env.write("work/src/main.rs", &format!("fn main() {{ {number} }}\n"));
        let before = print_of(&env.work());
        ok(
            &env,
            &["--checkpoint", "both", "sh", "-c", "rm -rf src run"],
        );
        ok(&env, &["checkpoint", "restore", "last", "-y"]);
        let mut expected = before;
        expected.remove(&b"src/a.o"[..]);
        let mut found = print_of(&env.work());
        found.remove(&b"src/a.o"[..]);
        assert_eq!(found, expected, "{number}");
        let again = fs::read(&path).unwrap();
        assert!(again.len() > 200 && again[64] == b'\n', "it was replaced");
    }
    // Something else in its place is in nobody's way.
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    take(&env);
}

#[test]
fn permissions_alone_and_files_of_the_same_length_and_second_are_seen() {
    let Some(env) = with_files("permissions_alone_and_files") else {
        return;
    };
    take(&env);
    chmod(&env, "src/main.rs", 0o644);
    // Many of these happen within one second.
    for number in 0..8 {
        let mode = 600 + number % 2 * 40;
        for (line, word) in [
            (format!("printf {number} >run"), "run"),
            (format!("chmod {mode} src/main.rs"), "src/main.rs"),
        ] {
            let before = print_of(&env.work());
            ok(&env, &["--checkpoint", "both", "sh", "-c", &line]);
            let changes = text(&ok(&env, &["show", "last", "--changes"]));
            assert!(
                changes.contains(word) && changes.contains("0 added, 1 changed, 0 removed"),
                "{line}: {changes}"
            );
            let after = print_of(&env.work());
            ok(&env, &["checkpoint", "restore", "last", "-y"]);
            assert_eq!(print_of(&env.work()), before, "{line}");
            let words = ["checkpoint", "restore", "last", "--to", "after", "-y"];
            ok(&env, &words);
            assert_eq!(print_of(&env.work()), after, "{line}");
        }
    }
}

#[test]
fn what_is_tracked_and_what_is_ignored_is_told_anew() {
    let Some(env) = with_files("what_is_tracked_and_what_is_ignored") else {
        return;
    };
    env.write("work/notes.txt", "notes\n");
    let (tree, _) = take(&env);
    let names = names_in(&env, &tree);
    assert!(names.contains(&"notes.txt".to_owned()), "{names:?}");
    assert!(!names.contains(&"src/a.o".to_owned()), "{names:?}");
    // What was untracked is ignored now, and what was ignored is tracked.
    env.write("work/.git/info/exclude", "notes.txt\n");
    git(&env, &["add", "-f", "src/a.o"]);
    let (tree, _) = take(&env);
    let names = names_in(&env, &tree);
    assert!(!names.contains(&"notes.txt".to_owned()), "{names:?}");
    assert!(names.contains(&"src/a.o".to_owned()), "{names:?}");
    check(&env);
    // The other way round.
    env.write("work/.git/info/exclude", "");
    git(&env, &["rm", "-q", "--cached", "src/a.o"]);
    let (tree, _) = take(&env);
    let names = names_in(&env, &tree);
    assert!(names.contains(&"notes.txt".to_owned()), "{names:?}");
    assert!(!names.contains(&"src/a.o".to_owned()), "{names:?}");
    // A repository of its own takes what is below it.
    git(&env, &["init", "-q", "src/deep"]);
    check(&env);
    git(&env, &["update-index", "--assume-unchanged", "run"]);
    env.write("work/run", "changed all the same\n");
    check(&env);
    git(&env, &["update-index", "--split-index"]);
    env.write("work/run", "and again\n");
    check(&env);
    fs::remove_file(env.path("work/.git/index")).unwrap();
    check(&env);
}

#[test]
fn a_file_outlives_the_commit_that_it_was_known_from() {
    let Some(env) = with_files("a_file_outlives_the_commit") else {
        return;
    };
    let _ = fs::remove_file(env.path("work/src/a.o"));
    git(&env, &["add", "-A"]);
    git(&env, &["commit", "-qm", "second"]);
    take(&env);
    // Its contents are in no commit that is checked out from here on, and the file is untouched.
    git(&env, &["reset", "-q", "HEAD~1"]);
    let before = print_of(&env.work());
    let line = "git reflog expire --expire=now --all && git gc -q --prune=now && rm -rf src run";
    ok(&env, &["--checkpoint", "before", "sh", "-c", line]);
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    assert_eq!(print_of(&env.work()), before);
}

#[test]
fn what_prune_gives_back_is_not_taken_for_there() {
    let Some(env) = with_files("what_prune_gives_back") else {
        return;
    };
    take(&env);
    let kept = kept_of(&env);
    // As if that had been hours ago.
    let objects = home_of(&env).join("objects");
    for path in crate::support::files_below(&objects) {
        let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        chmod_file(&path);
        let file = fs::File::options().append(true).open(path).unwrap();
        file.set_modified(old).unwrap();
    }
    let had = crate::support::files_below(&objects).len();
    ok(&env, &["true"]);
    ok(&env, &["prune", "--keep-sessions", "1", "-y"]);
    assert!(!kept.exists());
    assert!(crate::support::files_below(&objects).len() < had);
    let before = print_of(&env.work());
    ok(&env, &["--checkpoint", "before", "sh", "-c", "rm -rf src"]);
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    let mut expected = before;
    expected.remove(&b"src/a.o"[..]);
    assert_eq!(print_of(&env.work()), expected);
}

/// Objects are read-only, and only a file that may be written can be made older.
pub(super) fn chmod_file(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_linked_work_tree_and_a_repository_that_moved_have_their_own() {
    let Some(env) = repository("a_linked_work_tree") else {
        return;
    };
    env.write("work/a", "a\n");
    git(&env, &["add", "-A"]);
    git(&env, &["commit", "-qm", "first"]);
    let (tree, _) = take(&env);
    git(&env, &["worktree", "add", "-q", "../side"]);
    env.write("side/a", "b\n");
    let run = super::patient(&env, &["--checkpoint", "before", "sh", "-c", "rm a"]);
    assert_eq!(run.current_dir(env.path("side")).output().code(), 0);
    assert_eq!(take(&env).0, tree);
    let kept = fs::read_dir(home_of(&env).join("kept")).unwrap();
    assert_eq!(kept.count(), 2);
    let restore = super::patient(&env, &["checkpoint", "restore", "last", "-y"]);
    let _ = restore.current_dir(env.path("side")).output();
    fs::rename(env.path("work"), env.path("moved")).unwrap();
    fs::create_dir(env.path("work")).unwrap();
    fs::rename(env.path("moved/.git"), env.path("work/.git")).unwrap();
    env.write("work/b", "b\n");
    check(&env);
}
