//! What was ignored when a checkpoint was taken is nobody's business, whatever the rules are by now.

use std::fs;

use super::{git, json, ok, patient, print_of, text, with_files};
use crate::support::TestEnv;

/// The work tree with rules, and with what they ignore.
fn with_rules(test: &str) -> Option<TestEnv> {
    let env = with_files(test)?;
    env.write("work/.gitignore", "*.o\nnode_modules/\n/*.env\n!kept.env\n");
    env.write("work/src/.gitignore", "local\n");
    git(&env, &["add", ".gitignore", "src/.gitignore"]);
    git(&env, &["commit", "-qm", "rules"]);
    env.write("work/node_modules/m/index.js", "m\n");
    env.write("work/a.env", "KEY=1\n");
    env.write("work/src/local", "local\n");
    // A directory that says itself that it is ignored.
    env.write("work/venv/.gitignore", "*\n");
    env.write("work/venv/bin/python", "python\n");
    env.write("work/venv/empty", "");
    Some(env)
}

#[test]
fn what_the_rules_of_then_ignored_is_neither_told_nor_removed() {
    for line in [
        "git checkout -q HEAD~1 -- .gitignore; git rm -qf src/.gitignore",
        "rm -rf .gitignore src/.gitignore src/main.rs",
        "echo '!*' >.gitignore; : >src/.gitignore",
        "rm venv/.gitignore",
        // What the command made itself, too.
        "rm .gitignore src/.gitignore; mkdir node_modules/n; echo n >node_modules/n/n; echo 2 >b.env; echo l >src/local",
    ] {
        let Some(env) = with_rules("what_the_rules_of_then_ignored") else {
            return;
        };
        let before = print_of(&env.work());
        ok(&env, &["--checkpoint", "both", "sh", "-c", line]);
        let after = print_of(&env.work());
        let told = json(&ok(&env, &["show", "last", "--changes", "--json"]));
        assert_eq!(told["counts"]["added"], 0, "{line}: {told}");
        let meta = &env.only_session().meta["checkpoint"];
        assert_eq!(meta["changes"], told["counts"], "{line}: {meta}");
        let dry = json(&ok(
            &env,
            &["checkpoint", "restore", "last", "--dry-run", "--json"],
        ));
        assert!(!dry.to_string().contains("\"remove\""), "{line}: {dry}");
        let restored = ok(&env, &["checkpoint", "restore", "last", "-y"]);
        let mut expected = before;
        for (path, entry) in after {
            let is_new = !expected.contains_key(&path);
            if is_new || path == b"src/local" || path == b"a.env" {
                expected.insert(path, entry);
            }
        }
        if line.starts_with("rm venv") {
            expected.remove(&b"venv/.gitignore"[..]);
        }
        assert_eq!(print_of(&env.work()), expected, "{line}: {restored:?}");
    }
}

#[test]
fn what_was_not_ignored_then_goes_even_if_it_is_as_old_as_before() {
    let Some(env) = with_rules("what_was_not_ignored_then_goes") else {
        return;
    };
    let before = print_of(&env.work());
    let line = "mv src lib; rm .gitignore; echo k >kept.env; mkdir deep; echo x >deep/x.env";
    ok(&env, &["--checkpoint", "both", "sh", "-c", line]);
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    let mut after = print_of(&env.work());
    for ignored in ["a.o", "local"] {
        // Went along with their directory, and are ignored there, too.
        let moved = after.remove(format!("lib/{ignored}").as_bytes()).unwrap();
        after.insert(format!("src/{ignored}").into_bytes(), moved);
    }
    assert_eq!(after, before);
}

#[test]
fn the_recordings_themselves_are_never_removed() {
    let Some(env) = with_files("the_recordings_themselves") else {
        return;
    };
    let run = |words: &[&str]| {
        let run = patient(&env, words).env_remove("AIDO_SESSION_DIR");
        let output = run.output();
        assert_eq!(output.code(), 0, "{output:?}");
        output
    };
    run(&["true"]);
    run(&[
        "--checkpoint",
        "before",
        "sh",
        "-c",
        "rm -f nexus/.aisessions/.gitignore nexus/.gitignore; rm run",
    ]);
    fs::remove_file(env.path("work/src/main.rs")).unwrap();
    run(&["true"]);
    let sessions = || {
        text(&run(&["list", "--json"]))
            .matches("\"session_id\"")
            .count()
    };
    let known = sessions();
    run(&["checkpoint", "restore", "last~1", "-y"]);
    assert_eq!(sessions(), known);
    assert!(env.path("work/run").exists() && env.path("work/src/main.rs").exists());
}
