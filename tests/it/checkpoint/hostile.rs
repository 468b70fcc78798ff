//! A repository that belongs to somebody else: nothing that it names is run, and bytes are kept as they are.

use std::fs;
use std::os::unix::fs::symlink;

use super::{git, ok, patient, print_of, with_files};

/// Whatever git would run for a repository leaves this file.
const TRACE: &str = "home/was-run";

#[test]
fn no_program_of_the_repository_runs_and_no_byte_is_converted() {
    let Some(env) = with_files("no_program_of_the_repository_runs") else {
        return;
    };
    let program = format!("touch '{}'; cat", env.path(TRACE).display());
    for name in [
        "reference-transaction",
        "post-index-change",
        "post-checkout",
        "pre-commit",
    ] {
        env.script(
            &format!("work/.git/hooks/{name}"),
            &format!("#!/bin/sh\n{program}\n"),
        );
    }
    for (name, value) in [
        ("core.fsmonitor", program.as_str()),
        ("core.autocrlf", "true"),
        ("core.fileMode", "false"),
        ("filter.evil.clean", &program),
        ("filter.evil.smudge", &program),
        ("filter.evil.required", "true"),
        ("diff.evil.textconv", &program),
        ("diff.external", &program),
        ("gpg.program", &program),
        ("commit.gpgSign", "true"),
        ("core.pager", &program),
    ] {
        env.bare(["git", "config", name, value]).output();
    }
    let attributes = "* text eol=crlf filter=evil diff=evil ident working-tree-encoding=UTF-16\n";
    env.write("work/.gitattributes", attributes);
    env.write("work/.git/info/attributes", attributes);
    env.write("work/src/bytes", "a\r\nb\n$Id$\n\0");
    // The control: git itself runs it.
    env.bare(["git", "status"]).output();
    assert!(fs::remove_file(env.path(TRACE)).is_ok());
    let mut before = print_of(&env.work());
    ok(
        &env,
        &[
            "--checkpoint",
            "both",
            "sh",
            "-c",
            "rm -rf src; echo x >>.gitattributes",
        ],
    );
    ok(&env, &["show", "last", "--changes", "--diff"]);
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    before.remove(&b"src/a.o"[..]);
    assert_eq!(print_of(&env.work()), before);
    ok(&env, &["rerun", "last", "--worktree", "../again"]);
    assert!(
        !env.path(TRACE).exists(),
        "something of the repository's was run"
    );
}

#[test]
fn nothing_outside_of_the_work_tree_is_written_through_a_link() {
    let Some(env) = with_files("nothing_outside_is_written") else {
        return;
    };
    env.write("outside/main.rs", "outside\n");
    env.write("outside/deep/er/file", "outside\n");
    ok(&env, &["--checkpoint", "before", "true"]);
    fs::remove_dir_all(env.path("work/src")).unwrap();
    symlink(env.path("outside"), env.path("work/src")).unwrap();
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    assert!(env.path("work/src").symlink_metadata().unwrap().is_dir());
    assert_eq!(
        fs::read(env.path("work/src/deep/er/file")).unwrap(),
        b"deep\n"
    );
    for name in ["outside/main.rs", "outside/deep/er/file"] {
        assert_eq!(fs::read(env.path(name)).unwrap(), b"outside\n", "{name}");
    }
    // A link that was there is a link again.
    fs::remove_file(env.path("work/src/link")).unwrap();
    env.write("work/src/link/inside", "x");
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    assert!(
        env.path("work/src/link")
            .symlink_metadata()
            .unwrap()
            .is_symlink()
    );
}

#[test]
fn variables_of_a_hook_around_lead_nowhere_else() {
    let Some(env) = with_files("variables_of_a_hook_around") else {
        return;
    };
    fs::create_dir(env.path("elsewhere")).unwrap();
    git(&env, &["init", "-q", "../elsewhere"]);
    let before = print_of(&env.work());
    let elsewhere = env.path("elsewhere/.git");
    let run = patient(&env, &["--checkpoint", "before", "rm", "run"]);
    let run = run
        .env("GIT_DIR", &elsewhere)
        .env("GIT_WORK_TREE", env.path("elsewhere"));
    let run = run.env("GIT_INDEX_FILE", elsewhere.join("index.lock"));
    let run = run
        .env("GIT_OBJECT_DIRECTORY", elsewhere.join("objects"))
        .output();
    assert_eq!(run.code(), 0, "{run:?}");
    assert!(run.stderr.is_empty(), "{run:?}");
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    assert_eq!(print_of(&env.work()), before);
}
