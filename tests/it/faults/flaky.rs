//! Commands that fail and work by turns, though nothing changed.

use std::time::{Duration, SystemTime};

use serde_json::json;

use super::Place;
use crate::support::{TestEnv, has_program, wait_until};

const FAILED_TEST: &str = "test parser::works ... FAILED\n\nfailures:\n    parser::works\n\ntest result: FAILED. \
                           1 passed; 1 failed; 0 ignored\n";

/// A repository with a commit of one file, made by git.
fn committed(test: &str) -> Option<Place> {
    if !has_program("git", test) {
        return None;
    }
    let env = TestEnv::in_repository();
    std::fs::remove_dir_all(env.path("work/.git")).unwrap();
    env.write("work/src/lib.rs", "// one\n");
    let git = |words: &[&str]| {
        let own = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"];
        let run = env.bare([&own[..], words].concat()).output();
        assert_eq!(run.code(), 0, "{run:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "one"]);
    Some(Place::in_env(env))
}

/// Times of files are as exact as the kernel's ticks.
fn wait_a_tick(place: &Place) {
    let path = place.env.path("work/src/lib.rs");
    wait_until("the file is older than a tick", || {
        let changed = path.metadata().unwrap().modified().unwrap();
        let age = SystemTime::now()
            .duration_since(changed)
            .unwrap_or_default();
        age > Duration::from_millis(100)
    });
}

#[test]
fn a_test_that_works_again_in_an_unchanged_tree_is_flaky_until_it_worked_five_times() {
    let Some(place) = committed("a_test_that_works_again_in_an_unchanged_tree_is_flaky") else {
        return;
    };
    wait_a_tick(&place);
    place.tell(101, FAILED_TEST);
    place.run(&["cargo", "test"], 101);
    assert_eq!(place.fault()["class"], "test-failure");
    place.tell(0, "");
    place.run(&["cargo", "test"], 0);
    assert_eq!(place.fault()["status"], "flaky");
    let said = place.check(&["cargo", "test"], 1);
    assert!(
        said.contains("parser::works") && said.contains("  status   flaky: "),
        "{said}"
    );
    place.tell(101, FAILED_TEST);
    let run = place.run(&["--report", "failure", "cargo", "test"], 101);
    let said = run.stderr_text();
    assert!(
        said.contains("aido: known to fail at times: ") && said.contains("seen 2 times, flaky: "),
        "{said}"
    );
    place.tell(0, "");
    place.run(&["cargo", "test"], 0);
    for _ in 0..4 {
        assert_eq!(place.fault()["status"], "flaky");
        place.run(&["cargo", "test"], 0);
    }
    assert_eq!(place.fault()["status"], "resolved");
    place.check(&["cargo", "test"], 0);
}

#[test]
fn what_works_after_an_edit_is_mended_and_not_flaky() {
    let Some(place) = committed("what_works_after_an_edit_is_mended_and_not_flaky") else {
        return;
    };
    wait_a_tick(&place);
    place.tell(101, FAILED_TEST);
    place.run(&["cargo", "test"], 101);
    place.env.write("work/src/lib.rs", "// two\n");
    place.tell(0, "");
    place.run(&["cargo", "test"], 0);
    let fault = place.fault();
    assert_eq!(
        (&fault["status"], &fault["count"]),
        (&json!("resolved"), &json!(1))
    );
}
