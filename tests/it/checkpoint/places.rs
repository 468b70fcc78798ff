//! Where repositories keep what they say of themselves, and where work trees may be made.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use super::{git, json, ok, patient, text, with_files};

#[test]
fn no_work_tree_is_made_inside_of_another_whatever_leads_there() {
    let Some(env) = with_files("no_work_tree_is_made_inside_of_another") else {
        return;
    };
    git(&env, &["worktree", "add", "-q", "--detach", "../side"]);
    symlink(env.work(), env.path("link")).unwrap();
    ok(&env, &["--checkpoint", "before", "true"]);
    let id = env.only_session().id;
    for place in [
        "inside",
        "../link/inside",
        "../side/inside",
        "../link/src/../inside",
    ] {
        let run = patient(&env, &["rerun", &id, "--worktree", place]).output();
        assert!(run.code() > 0, "{place}: {run:?}");
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(said.contains("is in the work tree"), "{place}: {said}");
    }
    assert!(!env.path("work/inside").exists() && !env.path("side/inside").exists());
    // From within the linked one as well.
    let words = ["--checkpoint", "before", "true"];
    let run = patient(&env, &words).current_dir(env.path("side")).output();
    assert_eq!(run.code(), 0, "{run:?}");
    let words = ["rerun", "last", "--worktree", "../work/inside"];
    let run = patient(&env, &words).current_dir(env.path("side")).output();
    assert!(
        run.code() > 0 && !env.path("work/inside").exists(),
        "{run:?}"
    );
    git(&env, &["worktree", "remove", "--force", "../side"]);
}

#[test]
fn a_name_in_a_long_list_of_names_is_found() {
    let Some(env) = with_files("a_name_in_a_long_list_of_names") else {
        return;
    };
    let head = git(&env, &["rev-parse", "HEAD"]);
    let head = head.trim();
    let mut list = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
    for number in 0..40_000 {
        list.push_str(&format!(
            "{head} refs/heads/a-branch-with-a-name/{number:05}\n"
        ));
    }
    list.push_str(&format!("{head} refs/heads/main\n"));
    assert!(list.len() > 2 << 20);
    fs::write(env.work().join(".git/packed-refs"), list).unwrap();
    fs::remove_file(env.work().join(".git/refs/heads/main")).unwrap();
    ok(&env, &["--checkpoint", "before", "rm", "-f", "run"]);
    let list = json(&ok(&env, &["checkpoint", "list", "--json"]));
    assert_eq!(list["checkpoints"][0]["head"], head, "{list}");
    ok(&env, &["rerun", "last", "--worktree", "../again"]);
    assert!(env.path("again/src").exists());
}

#[test]
fn a_repository_without_a_work_tree_has_none_whatever_it_is_called() {
    let Some(env) = with_files("a_repository_without_a_work_tree") else {
        return;
    };
    fs::create_dir(env.path("bb")).unwrap();
    git(&env, &["clone", "-q", "--bare", ".", "../bb/.git"]);
    let run = patient(&env, &["--checkpoint", "before", "true"]);
    let run = run.current_dir(env.path("bb")).output();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(said.contains("there is no git repository here"), "{said}");
}

#[test]
fn nobody_else_gets_at_what_was_saved() {
    let Some(env) = with_files("nobody_else_gets_at_what_was_saved") else {
        return;
    };
    git(
        &env,
        &["config", "--global", "core.sharedRepository", "world"],
    );
    ok(&env, &["--checkpoint", "both", "rm", "run"]);
    let mut all = vec![env.path("home/.local/state/aido/checkpoints")];
    while let Some(path) = all.pop() {
        let status = path.symlink_metadata().unwrap();
        assert_eq!(status.mode() & 0o077, 0, "{}", path.display());
        if status.is_dir() {
            all.extend(fs::read_dir(&path).unwrap().flatten().map(|it| it.path()));
        }
    }
}

#[test]
fn a_submodule_that_went_is_told_of() {
    let Some(env) = with_files("a_submodule_that_went") else {
        return;
    };
    git(&env, &["init", "-q", "../other"]);
    let there = [
        "-C",
        "../other",
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@b",
    ];
    git(
        &env,
        &[&there[..], &["commit", "-q", "--allow-empty", "-m", "x"]].concat(),
    );
    let allow = ["-c", "protocol.file.allow=always", "submodule", "add", "-q"];
    git(&env, &[&allow[..], &["../other", "sub"]].concat());
    git(&env, &["commit", "-qm", "sub"]);
    ok(&env, &["--checkpoint", "both", "rm", "-rf", "sub"]);
    let told = text(&ok(&env, &["show", "last", "--changes"]));
    assert!(
        told.starts_with("removed  sub (a repository of its own)\n"),
        "{told}"
    );
    let dry = text(&ok(&env, &["checkpoint", "restore", "last", "--dry-run"]));
    assert!(dry.contains("git submodule update"), "{dry}");
}

#[test]
fn what_was_left_out_is_named_once_and_not_told_as_a_change() {
    let Some(env) = with_files("what_was_left_out_is_named_once") else {
        return;
    };
    fs::write(env.path("work/large"), vec![b'x'; 9000]).unwrap();
    fs::write(env.path("work/grows"), vec![b'x'; 10]).unwrap();
    git(&env, &["add", "large"]);
    let words = [
        "--checkpoint",
        "both",
        "sh",
        "-c",
        "echo y >>large; head -c 9000 /dev/zero >grows",
    ];
    let limited = |words: &[&str]| {
        let run = patient(&env, words)
            .env("AIDO_CHECKPOINT_MAX_FILE", "4K")
            .output();
        assert_eq!(run.code(), 0, "{run:?}");
        run
    };
    limited(&words);
    let told = json(&limited(&["show", "last", "--changes", "--json"]));
    let expected = serde_json::json!({"added": 0, "changed": 0, "removed": 0});
    assert_eq!(told["counts"], expected, "{told}");
    assert_eq!(env.only_session().meta["checkpoint"]["changes"], expected);
    let left: Vec<&str> = told["left_out"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["path"].as_str().unwrap())
        .collect();
    assert_eq!(left, ["grows", "large"]);
    let shown = limited(&["show", "last", "--changes"]);
    let said = String::from_utf8_lossy(&shown.stderr).into_owned() + &text(&shown);
    assert!(said.contains("2 paths are in no checkpoint"), "{said}");
}
