//! Places: aido's own are in no checkpoint, git is none of the repository's, and what git ignores is ignored.

use std::fs;
use std::os::unix::fs::symlink;

use super::{git, json, kept, ok, patient, with_files};

#[test]
fn the_state_is_not_saved_in_itself_wherever_links_lead() {
    let Some(env) = with_files("the_state_is_not_saved") else {
        return;
    };
    symlink(env.work(), env.path("link")).unwrap();
    for _ in 0..2 {
        let run = patient(&env, &["--checkpoint", "both", "sh", "-c", "echo x >>run"]);
        let run = run.env("XDG_STATE_HOME", env.path("link/st ate")).output();
        assert_eq!((run.code(), run.stderr.len()), (0, 0), "{run:?}");
    }
    assert!(env.path("work/st ate/aido/checkpoints").exists());
    let words = ["checkpoint", "restore", "last", "--dry-run", "--json"];
    let dry = patient(&env, &words).env("XDG_STATE_HOME", env.path("link/st ate"));
    let dry = json(&dry.output());
    let steps = dry["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 1, "{dry}");
    assert_eq!(steps[0]["path"], "run");
}

#[test]
fn a_git_that_the_repository_brings_along_is_not_run() {
    let Some(env) = with_files("a_git_that_the_repository_brings") else {
        return;
    };
    let trace = env.path("home/was-run");
    let script = format!("#!/bin/sh\ntouch '{}'\nexit 1\n", trace.display());
    env.script("work/node_modules/.bin/git", &script);
    let path = "/usr/local/bin:/usr/bin:/bin";
    let absolute = env.path("work/node_modules/.bin");
    for first in [
        "node_modules/.bin",
        "./node_modules/.bin",
        absolute.to_str().unwrap(),
    ] {
        let run = patient(&env, &["--checkpoint", "both", "rm", "-f", "run"]);
        let run = run.env("PATH", format!("{first}:{path}")).output();
        assert_eq!((run.code(), run.stderr.len()), (0, 0), "{run:?}");
        let restore = patient(&env, &["checkpoint", "restore", "last", "-y"]);
        let restore = restore.env("PATH", format!("{first}:{path}")).output();
        assert_eq!(restore.code(), 0, "{restore:?}");
        assert!(!trace.exists(), "{first}");
    }
}

#[test]
fn what_git_status_ignores_by_configuration_is_ignored() {
    let Some(env) = with_files("what_git_status_ignores") else {
        return;
    };
    env.write("home/patterns", "*.user\n");
    env.write("home/more", "[core]\n\texcludesFile = ~/patterns\n");
    let condition = format!("[includeIf \"gitdir:{}/\"]\n", env.work().display());
    env.write("home/.gitconfig", &format!("{condition}\tpath = ~/more\n"));
    env.write("work/key.user", "private\n");
    env.write("work/key.own", "private\n");
    let check = |ignored: &str, other: &str| {
        let status = git(&env, &["status", "--porcelain"]);
        assert!(
            !status.contains(ignored) && status.contains(other),
            "{status}"
        );
        let (tree, _) = kept::take(&env);
        let names = kept::names_in(&env, &tree);
        assert!(!names.contains(&ignored.to_owned()), "{names:?}");
        assert!(names.contains(&other.to_owned()), "{names:?}");
    };
    check("key.user", "key.own");
    // The repository's own setting comes after the user's.
    fs::write(env.path("work/.git/patterns"), "*.own\n").unwrap();
    git(&env, &["config", "core.excludesFile", ".git/patterns"]);
    check("key.own", "key.user");
    // Nobody waits for what is no file.
    git(&env, &["config", "core.excludesFile", "/dev/tty"]);
    ok(&env, &["--checkpoint", "both", "true"]);
}
