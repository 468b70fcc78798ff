//! Killed at any moment: git's own files are whole, nothing is in the way, and doing it again does it.

use std::fs;

use super::{gits_own, kept, ok, print_of, with_files};
use crate::support::{TestEnv, files_below};

/// A git that kills whoever called it at the call with this number: before the call, after it, or in the
/// middle of what it prints.
fn deadly(env: &TestEnv, number: usize, moment: &str) -> String {
    let real = "PATH=/usr/local/bin:/usr/bin:/bin";
    let act = match moment {
        "before" => "kill -9 $PPID".to_owned(),
        "after" => format!("{real} git \"$@\"; kill -9 $PPID"),
        _ => format!("{real} git \"$@\" | head -c 60; kill -9 $PPID"),
    };
    let count = env.path("home/count");
    let _ = fs::remove_file(&count);
    // What a killed one left may be starting the last one, which nobody can write then.
    let _ = fs::remove_file(env.path("bin/git"));
    let count = count.display();
    env.script(
        "bin/git",
        &format!(
            "#!/bin/sh\necho x >>'{count}'\nif [ $(wc -l <'{count}') -eq {number} ]; then {act}; fi\n{real} exec git \"$@\"\n"
        ),
    );
    format!("{}:/usr/local/bin:/usr/bin:/bin", env.path("bin").display())
}

#[test]
fn whoever_is_killed_leaves_git_as_it_was_and_the_files_to_be_restored() {
    for moment in ["before", "after", "within"] {
        let Some(env) = with_files("whoever_is_killed") else {
            return;
        };
        let _ = fs::remove_file(env.path("work/src/a.o"));
        let before = print_of(&env.work());
        let own = gits_own(&env.work());
        for number in 1..=7 {
            let path = deadly(&env, number, moment);
            let run = env.aido(["--checkpoint", "both", "true"]);
            run.env("PATH", path).output();
            assert_eq!(gits_own(&env.work()), own, "{moment} {number}");
            assert_eq!(print_of(&env.work()), before, "{moment} {number}");
        }
        // What those that were killed kept is whole, or none.
        kept::check(&env);
        let line = "rm -rf src; echo x >run; echo y >new";
        ok(&env, &["--checkpoint", "before", "sh", "-c", line]);
        for number in 1..=12 {
            let path = deadly(&env, number, moment);
            let restore = env.aido(["checkpoint", "restore", "last", "-y"]);
            restore.env("PATH", path).output();
            assert_eq!(gits_own(&env.work()), own, "{moment} {number}");
        }
        ok(&env, &["checkpoint", "restore", "last", "-y"]);
        assert_eq!(print_of(&env.work()), before, "{moment}");
        for path in files_below(&env.path("home/.local/state/aido/checkpoints")) {
            let name = path.to_string_lossy();
            assert!(
                !name.contains("/refs/") || !name.ends_with(".lock"),
                "{name}"
            );
        }
    }
}
