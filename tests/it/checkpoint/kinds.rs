//! Kinds of repositories and of files: what can be done is done, and what is left out is named.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::{chmod, git, gits_own, json, ok, patient, print_of, repository, with_files};
use crate::support::{Run, TestEnv, skipped};

/// Changes everything after a checkpoint, restores it, and compares.
#[track_caller]
fn check(env: &TestEnv, line: &str) {
    let before = print_of(&env.work());
    ok(env, &["--checkpoint", "both", "sh", "-c", line]);
    let checkpoint = &env.recorded().pop().unwrap().meta["checkpoint"];
    for moment in ["before", "after"] {
        assert_eq!(checkpoint[moment]["problem"], Value::Null, "{checkpoint}");
    }
    let own = gits_own(&env.work());
    ok(env, &["checkpoint", "restore", "last", "-y"]);
    assert_eq!(print_of(&env.work()), before);
    assert_eq!(gits_own(&env.work()), own);
}

#[test]
fn before_the_first_commit() {
    let Some(env) = repository("before_the_first_commit") else {
        return;
    };
    env.write("work/.gitignore", "*.o\n");
    env.write("work/a", "a\n");
    env.write("work/forced.o", "forced\n");
    git(&env, &["add", "-f", "a", "forced.o"]);
    env.write("work/b", "b\n");
    check(&env, "rm -f a b forced.o; echo c >c");
}

#[test]
fn in_the_middle_of_a_merge() {
    let Some(env) = with_files("in_the_middle_of_a_merge") else {
        return;
    };
    git(&env, &["commit", "-qam", "ours"]);
    git(&env, &["checkout", "-q", "-b", "theirs", "HEAD~1"]);
    env.write("work/src/main.rs", "fn main() { theirs() }\n");
    git(&env, &["commit", "-qam", "theirs"]);
    let merge = env.bare(["git", "merge", "main"]).output();
    assert_eq!(merge.code(), 1, "{merge:?}");
    let _ = fs::remove_file(env.path("work/src/a.o"));
    check(&env, "rm -rf src run; echo x >new");
    let unmerged = git(&env, &["ls-files", "-u"]);
    assert_eq!(unmerged.lines().count(), 3, "{unmerged}");
}

#[test]
fn indexes_that_are_not_like_others() {
    for (name, setup) in [
        ("split", &["update-index --split-index"][..]),
        ("version 4", &["update-index --index-version 4"]),
        (
            "untracked cache",
            &["update-index --force-untracked-cache", "status"],
        ),
        ("intent to add", &["add -N src/untracked"]),
        (
            "taken for unchanged",
            &["update-index --assume-unchanged run"],
        ),
        ("none", &["read-tree --empty"]),
    ] {
        let Some(env) = with_files("indexes_that_are_not_like_others") else {
            return;
        };
        for words in setup {
            git(&env, &words.split(' ').collect::<Vec<_>>());
        }
        env.write("work/run", &format!("changed with {name}\n"));
        let _ = fs::remove_file(env.path("work/src/a.o"));
        check(&env, "rm -rf src; echo other >run");
    }
}

#[test]
fn a_sparse_checkout() {
    let Some(env) = with_files("a_sparse_checkout") else {
        return;
    };
    let _ = fs::remove_file(env.path("work/src/a.o"));
    git(&env, &["add", "-A"]);
    git(&env, &["commit", "-qm", "all"]);
    git(
        &env,
        &[
            "sparse-checkout",
            "set",
            "--cone",
            "--sparse-index",
            "src/deep",
        ],
    );
    check(&env, "rm -rf src run; echo x >new");
    assert!(git(&env, &["ls-files"]).contains("src/main.rs"));
}

#[test]
fn other_objects_and_other_work_trees() {
    let Some(env) = repository("other_objects_and_other_work_trees") else {
        return;
    };
    fs::remove_dir_all(env.path("work/.git")).unwrap();
    let made = env
        .bare(["git", "init", "-q", "--object-format=sha256", "."])
        .output();
    if made.code() != 0 {
        return skipped(
            "other_objects_and_other_work_trees",
            "this git knows no SHA-256",
        );
    }
    git(&env, &["config", "user.name", "A"]);
    git(&env, &["config", "user.email", "a@example.org"]);
    env.write("work/a", "a\n");
    git(&env, &["add", "-A"]);
    git(&env, &["commit", "-qm", "first"]);
    check(&env, "rm a; echo b >b");
    git(&env, &["worktree", "add", "-q", "../side"]);
    env.write("side/untracked", "u\n");
    let run = patient(&env, &["--checkpoint", "before", "sh", "-c", "rm *"]);
    assert_eq!(run.current_dir(env.path("side")).output().code(), 0);
    let restore = patient(&env, &["checkpoint", "restore", "last", "-y"]);
    let restore = restore.current_dir(env.path("side")).output();
    assert_eq!(restore.code(), 0, "{restore:?}");
    assert_eq!(fs::read(env.path("side/untracked")).unwrap(), b"u\n");
    assert!(env.path("side/a").exists() && !env.path("work/untracked").exists());
}

#[test]
fn what_is_left_out_is_named_and_never_touched() {
    let Some(env) = with_files("what_is_left_out_is_named") else {
        return;
    };
    env.write("work/large", &"x".repeat(5000));
    env.write("work/grows", "small\n");
    env.write("work/inner/file", "a repository of its own\n");
    git(&env, &["init", "-q", "inner"]);
    let fifo = Command::new("mkfifo").arg(env.path("work/fifo")).status();
    assert!(fifo.unwrap().success());
    let line = "echo y >large; head -c 9000 /dev/zero >grows; echo z >inner/file; rm run";
    let run = patient(&env, &["--checkpoint", "both", "sh", "-c", line]);
    let run = run.env("AIDO_CHECKPOINT_MAX_FILE", "4K").output();
    assert_eq!((run.code(), run.stderr.len()), (0, 0), "{run:?}");
    let before = &env.only_session().meta["checkpoint"]["before"];
    let expected = json!([
        {"path": "inner", "reason": "a repository of its own"},
        {"path": "large", "reason": "too large"},
    ]);
    assert_eq!(before["left_out"], expected);
    assert_eq!(before["left_out_count"], 2);
    let restore = patient(&env, &["checkpoint", "restore", "last", "-y", "--json"]);
    let restore = restore.env("AIDO_CHECKPOINT_MAX_FILE", "4K").output();
    assert_eq!(restore.code(), 1, "one could not be restored: {restore:?}");
    let steps = json(&restore);
    let steps = steps["steps"].as_array().unwrap();
    let left: Vec<&Value> = steps.iter().filter(|it| it["action"] == "leave").collect();
    assert_eq!(left.len(), 2, "{steps:?}");
    assert!(env.path("work/run").exists() && env.path("work/fifo").exists());
    assert_eq!(fs::read(env.path("work/large")).unwrap(), b"y\n");
    let grown = fs::read(env.path("work/grows")).unwrap();
    assert_eq!(grown.len(), 9000, "it could not be saved first");
    assert_eq!(fs::read(env.path("work/inner/file")).unwrap(), b"z\n");
}

#[test]
fn an_unreadable_file_is_left_out() {
    let Some(env) = with_files("an_unreadable_file_is_left_out") else {
        return;
    };
    chmod(&env, "src/private", 0o000);
    if fs::read(env.path("work/src/private")).is_ok() {
        return skipped(
            "an_unreadable_file_is_left_out",
            "whoever runs this may read everything",
        );
    }
    ok(&env, &["--checkpoint", "before", "rm", "run"]);
    let before = &env.only_session().meta["checkpoint"]["before"];
    assert_eq!(before["left_out"][0]["reason"], "unreadable", "{before}");
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    assert!(env.path("work/run").exists() && env.path("work/src/private").exists());
}

#[test]
fn a_submodule_is_left_alone() {
    let Some(env) = with_files("a_submodule_is_left_alone") else {
        return;
    };
    fs::create_dir(env.path("other")).unwrap();
    git(&env, &["init", "-q", "../other"]);
    let commit = [
        "-C",
        "../other",
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@b",
        "commit",
        "-q",
    ];
    git(&env, &[&commit[..], &["--allow-empty", "-m", "x"]].concat());
    let add = [
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "add",
        "-q",
        "../other",
        "sub",
    ];
    let added = env.bare([&["git"], &add[..]].concat()).output();
    assert_eq!(added.code(), 0, "{added:?}");
    env.write("work/sub/inside", "before\n");
    ok(
        &env,
        &[
            "--checkpoint",
            "before",
            "sh",
            "-c",
            "echo after >sub/inside; rm run",
        ],
    );
    let before = &env.only_session().meta["checkpoint"]["before"];
    let expected = json!([{"path": "sub", "reason": "a repository of its own"}]);
    assert_eq!(before["left_out"], expected);
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    assert!(env.path("work/run").exists());
    assert_eq!(fs::read(env.path("work/sub/inside")).unwrap(), b"after\n");
}

#[test]
fn where_there_can_be_none_the_command_runs_all_the_same() {
    let Some(env) = with_files("where_there_can_be_none") else {
        return;
    };
    let said = |run: Run| {
        let output = run.output();
        assert_eq!(output.code(), 7, "{output:?}");
        assert_eq!(output.stdout, b"out\n");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let words = ["--checkpoint", "both", "/bin/sh", "-c", "echo out; exit 7"];
    let outside = said(env.aido(words).current_dir(env.home()));
    assert!(
        outside.contains("there is no git repository here"),
        "{outside}"
    );
    fs::create_dir(env.path("bare.git")).unwrap();
    git(&env, &["init", "-q", "--bare", "../bare.git"]);
    let bare = said(env.aido(words).current_dir(env.path("bare.git")));
    assert!(bare.contains("there is no git repository here"), "{bare}");
    let without_git = said(env.aido(words).env("PATH", "/nonexistent"));
    assert!(
        without_git.contains("there is no git here"),
        "{without_git}"
    );
    let late = said(env.aido(words).env("AIDO_CHECKPOINT_TIMEOUT", "1ms"));
    assert!(late.contains("it took longer than 1 ms"), "{late}");
    fs::remove_dir_all(env.path("home/.local/state/aido/checkpoints")).unwrap();
    env.write("home/.local/state/aido/checkpoints", "in the way");
    let full = said(env.aido(words));
    assert!(full.contains("no checkpoint before the command"), "{full}");
    assert_eq!(env.recorded().len(), 5);
    for session in env.recorded() {
        let before = &session.meta["checkpoint"]["before"];
        assert!(
            before["commit"].is_null() && before["problem"].is_string(),
            "{before}"
        );
    }
}

#[test]
fn strict_refuses_before_the_start_what_could_not_be_undone() {
    let Some(env) = with_files("strict_refuses_before_the_start") else {
        return;
    };
    for mode in ["before", "both"] {
        let words = ["--strict", "--checkpoint", mode, "touch", "was-run"];
        let refused = env.aido(words).current_dir(env.home()).output();
        assert_eq!(refused.code(), 125, "{refused:?}");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        for part in ["aido: not started", "--strict", "no git repository here"] {
            assert!(said.contains(part), "{part:?} in {said}");
        }
        assert_eq!(said.lines().count(), 1, "{said}");
        let late = env.aido(words).env("AIDO_CHECKPOINT_TIMEOUT", "1ms");
        assert_eq!(late.output().code(), 125);
        assert!(!env.path("home/was-run").exists() && !env.path("work/was-run").exists());
    }
    assert!(env.recorded().is_empty(), "nothing ran");
    // Where none is asked for, and where it can be taken, it runs.
    let off = env.aido(["--strict", "true"]).current_dir(env.home());
    assert_eq!(off.output().code(), 0);
    ok(
        &env,
        &["--strict", "--checkpoint", "both", "touch", "was-run"],
    );
    assert!(env.path("work/was-run").exists());
}
