//! A checkpoint belongs to one work tree of one repository, and is put back into no other.

use std::fs;
use std::path::Path;

use super::{git, json, ok, patient, print_of, text, with_files};
use crate::support::{Output, TestEnv};

/// A repository with a file in a directory of its own.
fn project(env: &TestEnv, name: &str, file: &str) {
    fs::create_dir_all(env.path(name)).unwrap();
    let there = env.path(name);
    for words in [
        &["init", "-q", "."][..],
        &["add", "-A"],
        &[
            "-c",
            "user.name=A",
            "-c",
            "user.email=a@b",
            "commit",
            "-qm",
            "x",
        ],
    ] {
        env.write(&format!("{name}/{file}"), file);
        let words = [&["git", "-C", there.to_str().unwrap()], words].concat();
        assert_eq!(env.bare(&words).output().code(), 0);
    }
}

fn at(env: &TestEnv, directory: &Path, words: &[&str]) -> Output {
    patient(env, words).current_dir(directory).output()
}

#[test]
fn another_repository_in_the_same_place_has_no_part_in_it() {
    let Some(env) = with_files("another_repository_in_the_same_place") else {
        return;
    };
    let there = env.path("ino");
    project(&env, "ino", "old");
    let run = at(
        &env,
        &there,
        &["--checkpoint", "both", "sh", "-c", "echo x >>old"],
    );
    assert_eq!(run.code(), 0, "{run:?}");
    let id = env.recorded().pop().unwrap().id;
    // The same number is given to the new one, mostly.
    fs::remove_dir_all(&there).unwrap();
    project(&env, "ino", "new");
    let list = at(&env, &there, &["checkpoint", "list"]);
    assert_eq!(
        (list.code(), text(&list)),
        (1, "no checkpoints\n".to_owned())
    );
    let before = print_of(&there);
    let restore = at(&env, &there, &["checkpoint", "restore", &id, "--yes"]);
    assert_eq!(restore.code(), 1, "{restore:?}");
    assert!(restore.stdout.is_empty(), "{restore:?}");
    assert_eq!(print_of(&there), before);
}

#[test]
fn what_was_saved_of_one_work_tree_is_not_put_into_another() {
    for place in ["wt", "../wt"] {
        let Some(env) = with_files("what_was_saved_of_one_work_tree") else {
            return;
        };
        let tree = env.work().join(place);
        git(&env, &["worktree", "add", "-q", "--detach", place]);
        fs::write(tree.join("mine"), "mine\n").unwrap();
        let run = at(&env, &tree, &["--checkpoint", "both", "rm", "run"]);
        assert_eq!(run.code(), 0, "{run:?}");
        let id = env.recorded().pop().unwrap().id;
        // Its sessions are gone, and the tree is there: the main one has nothing to do with it.
        let kept = env.path("kept");
        fs::rename(env.sessions(), &kept).unwrap();
        let before = print_of(&env.work());
        let refused = at(
            &env,
            &env.work(),
            &["checkpoint", "restore", "last", "--yes"],
        );
        assert_eq!(refused.code(), 1, "{refused:?}");
        let _ = fs::remove_dir_all(env.sessions());
        fs::rename(&kept, env.sessions()).unwrap();
        assert_eq!(print_of(&env.work()), before);
        // In its own it is.
        let restored = at(&env, &tree, &["checkpoint", "restore", &id, "--yes"]);
        assert_eq!(restored.code(), 0, "{restored:?}");
        assert!(tree.join("run").exists());
        // The tree itself is gone.
        git(&env, &["worktree", "remove", "--force", place]);
        let before = print_of(&env.work());
        let refused = at(
            &env,
            &env.work(),
            &["checkpoint", "restore", "last", "--yes"],
        );
        assert_eq!(refused.code(), 1, "{refused:?}");
        assert_eq!(print_of(&env.work()), before);
        let seen = at(&env, &env.work(), &["checkpoint", "diff", "last"]);
        assert!(text(&seen).contains("mine"), "{seen:?}");
        ok(&env, &["rerun", "last", "--worktree", "../again"]);
        assert!(env.path("again/mine").exists());
    }
}

#[test]
fn a_repository_that_was_moved_is_the_same() {
    let Some(env) = with_files("a_repository_that_was_moved") else {
        return;
    };
    project(&env, "here", "old");
    let run = at(
        &env,
        &env.path("here"),
        &["--checkpoint", "both", "rm", "old"],
    );
    assert_eq!(run.code(), 0, "{run:?}");
    fs::rename(env.path("here"), env.path("there")).unwrap();
    let restored = at(
        &env,
        &env.path("there"),
        &["checkpoint", "restore", "last", "-y"],
    );
    assert_eq!(restored.code(), 0, "{restored:?}");
    assert!(env.path("there/old").exists());
}

#[test]
fn a_directory_that_an_older_aido_or_another_start_named_is_found() {
    let Some(env) = with_files("a_directory_that_an_older_aido_named") else {
        return;
    };
    ok(&env, &["--checkpoint", "before", "rm", "run"]);
    let homes = env.path("home/.local/state/aido/checkpoints");
    let only = || fs::read_dir(&homes).unwrap().flatten().next().unwrap();
    let name = only().file_name().into_string().unwrap();
    let parts: Vec<&str> = name.split('-').collect();
    let [_, inode, born] = parts[..] else {
        let why = "this file system doesn't know when a directory was made";
        return crate::support::skipped("a_directory_that_an_older_aido_named", why);
    };
    // A device of another number.
    fs::rename(
        homes.join(&name),
        homes.join(format!("fffff-{inode}-{born}")),
    )
    .unwrap();
    let list = json(&ok(&env, &["checkpoint", "list", "--json"]));
    assert_eq!(list["checkpoints"].as_array().unwrap().len(), 1, "{list}");
    // Without the time, as it was once.
    let older = name.rsplit_once('-').unwrap().0;
    fs::rename(only().path(), homes.join(older)).unwrap();
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    assert!(env.path("work/run").exists());
}

#[test]
fn without_git_s_directory_what_aido_has_comes_back() {
    for line in ["rm -rf .git", "rm -rf .git; git init -q ."] {
        let Some(env) = with_files("without_git_s_directory") else {
            return;
        };
        env.write("work/changed", "committed\n");
        git(&env, &["add", "changed"]);
        git(&env, &["commit", "-qm", "more"]);
        env.write("work/changed", "not committed\n");
        env.write("work/new", "new\n");
        for line in ["rm -rf src", "echo x >>.gitignore"] {
            // Every tree is one that the repository doesn't have.
            let run = env.bare(["sh", "-c", line]).output();
            assert_eq!(run.code(), 0, "{run:?}");
        }
        let command = format!("rm changed new run; {line}");
        ok(&env, &["--checkpoint", "before", "sh", "-c", &command]);
        let restored = patient(&env, &["checkpoint", "restore", "last", "-y"]).output();
        assert_eq!(
            fs::read(env.path("work/changed")).unwrap(),
            b"not committed\n"
        );
        assert_eq!(fs::read(env.path("work/new")).unwrap(), b"new\n");
        let said = text(&restored);
        assert!(
            said.contains("run: ") && !env.path("work/run").exists(),
            "{said}"
        );
        assert_eq!(restored.code(), 1, "{restored:?}");
    }
}

#[test]
fn a_repository_that_the_command_made_in_its_own_directory_hides_nothing() {
    let Some(env) = with_files("a_repository_that_the_command_made") else {
        return;
    };
    let there = env.path("work/src/deep");
    let run = at(
        &env,
        &there,
        &[
            "--checkpoint",
            "both",
            "sh",
            "-c",
            "git init -q .; rm ../main.rs",
        ],
    );
    assert_eq!(run.code(), 0, "{run:?}");
    let told = at(&env, &there, &["show", "last", "--changes"]);
    assert!(text(&told).contains("removed  src/main.rs"), "{told:?}");
    // And one that removed it.
    let run = at(&env, &env.work(), &["sh", "-c", "mkdir d"]);
    assert_eq!(run.code(), 0, "{run:?}");
    let words = ["--checkpoint", "both", "sh", "-c", "rm ../run; rm -r ../d"];
    let run = at(&env, &env.path("work/d"), &words);
    assert_eq!(run.code(), 0, "{run:?}");
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    assert!(env.path("work/run").exists());
}
