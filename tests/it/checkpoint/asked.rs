//! Restoring does what was shown, where it was shown, and overwrites nothing that was not saved.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::{json, ok, patient, print_of, text, with_files};

#[test]
fn a_path_that_is_nowhere_is_said_to_be_nowhere() {
    let Some(env) = with_files("a_path_that_is_nowhere") else {
        return;
    };
    ok(&env, &["--checkpoint", "before", "rm", "run"]);
    for word in ["restore", "diff"] {
        for path in ["nosuch", "src/*", "src/main.rs/x"] {
            let run = patient(&env, &["checkpoint", word, "last", path]).output();
            assert_eq!(run.code(), 1, "{run:?}");
            let said = String::from_utf8_lossy(&run.stderr).into_owned();
            assert!(said.contains("is neither in the checkpoint"), "{said}");
        }
    }
    ok(&env, &["checkpoint", "restore", "last", "src", "-y"]);
    assert!(!env.path("work/run").exists());
}

#[test]
fn another_work_tree_is_not_changed_unless_it_is_named() {
    let Some(env) = with_files("another_work_tree_is_not_changed") else {
        return;
    };
    ok(&env, &["--checkpoint", "before", "rm", "run"]);
    let copied = env.bare(["cp", "-a", ".", "../copy"]).output();
    assert_eq!(copied.code(), 0);
    let before = print_of(&env.work());
    let there = |words: &[&str]| patient(&env, words).current_dir(env.path("copy")).output();
    let refused = there(&["checkpoint", "restore", "last", "--yes"]);
    assert_eq!(refused.code(), 1, "{refused:?}");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    let root = env.work();
    let root = root.to_str().unwrap();
    assert!(said.contains(&format!("--yes {root}")), "{said}");
    assert_eq!(print_of(&env.work()), before);
    let dry = there(&["checkpoint", "restore", "last", "--dry-run"]);
    assert!(text(&dry).starts_with(&format!("in {root}:\n")), "{dry:?}");
    let dry = there(&["checkpoint", "restore", "last", "--dry-run", "--json"]);
    assert_eq!(json(&dry)["work_tree"], root);
    let named = there(&["checkpoint", "restore", "last", "--yes", root]);
    assert_eq!(named.code(), 0, "{named:?}");
    assert!(
        text(&named).starts_with(&format!("restored 1 file in {root}\n")),
        "{named:?}"
    );
    assert!(env.path("work/run").exists() && !env.path("copy/run").exists());
}

#[test]
fn what_is_written_while_it_is_restored_is_not_lost() {
    let Some(env) = with_files("what_is_written_while_it_is_restored") else {
        return;
    };
    for number in 0..400 {
        env.write(&format!("work/many/{number}"), "0\n");
    }
    let line = "for file in many/*; do echo changed >$file; done";
    ok(&env, &["--checkpoint", "before", "sh", "-c", line]);
    // Somebody goes on writing, each time something that was never there before.
    let path = env.path("work/many/7");
    let is_done = AtomicBool::new(false);
    let output = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut number = 0_u64;
            while !is_done.load(Ordering::Relaxed) {
                number += 1;
                let _ = fs::write(&path, format!("version {number}\n"));
            }
        });
        let output = patient(&env, &["checkpoint", "restore", "last", "-y", "--json"]).output();
        is_done.store(true, Ordering::Relaxed);
        writer.join().unwrap();
        output
    });
    let report = json(&output);
    let named = |list: &Value| list.to_string().contains("many/7\"");
    let steps = report["steps"].as_array().unwrap();
    let left = steps.iter().filter(|it| it["action"] == "leave");
    let is_left = left.into_iter().any(named);
    assert!(is_left || named(&report["failures"]), "{report}");
    assert_eq!(output.code(), 1);
    assert_eq!(fs::read(env.path("work/many/8")).unwrap(), b"0\n");
    // In peace it is restored.
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    assert_eq!(fs::read(&path).unwrap(), b"0\n");
}

#[test]
fn what_is_done_is_what_was_shown() {
    let Some(env) = with_files("what_is_done_is_what_was_shown") else {
        return;
    };
    ok(&env, &["--checkpoint", "before", "rm", "run"]);
    let mut user = env
        .terminal()
        .run(["aido", "checkpoint", "restore", "last"]);
    user.wait_for("create");
    user.wait_for("[y/N] ");
    env.write("work/src/main.rs", "somebody else's\n");
    env.write("work/src/important", "new\n");
    user.send("y\n");
    user.wait_for("Files changed meanwhile.");
    user.wait_for("src/important");
    user.wait_for("[y/N] ");
    assert!(!env.path("work/run").exists(), "nothing was done yet");
    user.send("n\n");
    assert_eq!(user.wait_code(), 1);
    assert_eq!(
        fs::read(env.path("work/src/main.rs")).unwrap(),
        b"somebody else's\n"
    );
    let mut user = env
        .terminal()
        .run(["aido", "checkpoint", "restore", "last"]);
    user.wait_for("[y/N] ");
    user.send("y\n");
    user.wait_for("restored 3 files");
    assert_eq!(user.wait_code(), 0);
    assert!(env.path("work/run").exists() && !env.path("work/src/important").exists());
}
