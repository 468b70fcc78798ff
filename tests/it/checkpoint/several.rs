//! Several at once: agents in one work tree, and git commands beside them.

use std::fs;
use std::thread;

use super::{git, ok, print_of, with_files};

#[test]
fn eight_agents_and_git_beside_them_are_not_in_each_others_way() {
    let Some(env) = with_files("eight_agents_and_git_beside_them") else {
        return;
    };
    let before = print_of(&env.work());
    ok(&env, &["--checkpoint", "before", "--tag", "first", "true"]);
    thread::scope(|scope| {
        for agent in 0..8 {
            let env = &env;
            scope.spawn(move || {
                for number in 0..3 {
                    let line = format!("echo {number} >agent-{agent}");
                    let run = ok(env, &["--checkpoint", "both", "sh", "-c", &line]);
                    assert!(run.stderr.is_empty(), "{run:?}");
                }
            });
        }
        scope.spawn(|| {
            // Each of these takes the lock on the index.
            for number in 0..12 {
                fs::write(env.path("work/committed"), format!("{number}\n")).unwrap();
                git(&env, &["add", "committed"]);
                git(&env, &["commit", "-q", "-m", "x", "committed"]);
                git(&env, &["status", "--porcelain"]);
            }
        });
    });
    let sessions = env.recorded();
    assert_eq!(sessions.len(), 25);
    for session in &sessions[1..] {
        let checkpoint = &session.meta["checkpoint"];
        assert!(checkpoint["after"]["commit"].is_string(), "{checkpoint}");
    }
    let homes = fs::read_dir(env.path("home/.local/state/aido/checkpoints")).unwrap();
    for home in homes.flatten() {
        let left = fs::read_dir(home.path().join("tmp")).unwrap();
        assert_eq!(left.count(), 0, "indexes that are left");
        let kept = fs::read_dir(home.path().join("kept")).unwrap();
        assert_eq!(kept.count(), 1, "one that is whole");
    }
    ok(&env, &["checkpoint", "restore", &sessions[0].id, "-y"]);
    assert_eq!(print_of(&env.work()), before);
}
