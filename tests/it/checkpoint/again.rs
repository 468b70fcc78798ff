//! A session's command again on the tree as it stood, beside the present one; and chains of reruns.

use std::fs;

use super::{git, gits_own, ok, print_of, text, with_files};

#[test]
fn a_session_is_run_again_on_the_files_as_they_stood() {
    let Some(env) = with_files("a_session_is_run_again_on_the_files") else {
        return;
    };
    let mut before = print_of(&env.work());
    let line = "cat src/main.rs; rm -rf src";
    let first = ok(&env, &["--checkpoint", "before", "sh", "-c", line]);
    let seen = || (print_of(&env.work()), git(&env, &["status", "--porcelain"]));
    let present = seen();
    let dry = ok(
        &env,
        &["rerun", "last", "--worktree", "../again", "--dry-run"],
    );
    assert!(text(&dry).contains("/again"), "{dry:?}");
    assert!(!env.path("again").exists());
    let again = ok(&env, &["rerun", "last", "--worktree", "../again"]);
    assert_eq!(text(&again), text(&first));
    assert!(!env.path("again/src").exists(), "it ran there");
    assert_eq!(seen(), present);
    let sessions = env.recorded();
    let [first, again] = &sessions[..] else {
        panic!("{} sessions", sessions.len());
    };
    assert_eq!(again.meta["parent"], first.id.as_str());
    assert_eq!(again.meta["cwd"], env.path("again").to_str().unwrap());
    let tree = text(&ok(&env, &["list", "--tree"]));
    let lines: Vec<&str> = tree.lines().collect();
    assert!(lines[1].contains("  sh -c"), "{tree}");
    assert!(lines[2].contains("└ sh -c"), "{tree}");
    // git works in it, and what is different from the commit shows as it did.
    ok(&env, &["rerun", &first.id, "--worktree", "../third"]);
    before.retain(|name, _| !name.starts_with(b"src/"));
    assert_eq!(print_of(&env.path("third")), before);
    let there = git(&env, &["-C", "../third", "status", "--porcelain"]);
    assert!(there.contains(" D src/main.rs"), "{there}");
    git(&env, &["worktree", "remove", "--force", "../third"]);
    for words in [
        ["rerun", "last", "--worktree", "../again"],
        ["rerun", &first.id, "--worktree", "inside"],
    ] {
        let refused = env.aido(words).output();
        assert!(refused.code() > 0, "{refused:?}");
    }
    assert!(!env.path("work/inside").exists());
}

#[test]
fn a_session_without_a_checkpoint_is_not_run_elsewhere() {
    let Some(env) = with_files("a_session_without_a_checkpoint") else {
        return;
    };
    ok(&env, &["sh", "-c", "echo once >>log"]);
    let own = gits_own(&env.work());
    let refused = env
        .aido(["rerun", "last", "--worktree", "../again"])
        .output();
    assert_eq!(refused.code(), 1, "{refused:?}");
    assert!(!env.path("again").exists());
    assert_eq!(fs::read(env.path("work/log")).unwrap(), b"once\n");
    assert_eq!(gits_own(&env.work()), own);
}
