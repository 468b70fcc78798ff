//! A session that isn't there: what is said of it, and the way to one that is.

use serde_json::Value;

use crate::support::TestEnv;

/// What is said of a selector that names no session.
#[track_caller]
fn said(env: &TestEnv, selector: &str) -> String {
    let run = env.aido(["show", selector]).output();
    assert!(
        run.code() == 1 && run.stdout.is_empty(),
        "{selector}: {run:?}"
    );
    run.stderr_text()
}

#[test]
fn a_selector_that_misses_says_what_is_near_to_it() {
    let env = TestEnv::new();
    assert!(said(&env, "last").contains("none is recorded here"));
    env.aido(["true"]).output();
    assert!(said(&env, "last~1").contains("there is one"));
    env.aido(["true"]).output();
    env.aido(["true"]).output();
    for (selector, expected) in [
        ("last~99", "there are 3\naido: hint: the oldest is last~2"),
        ("last:failed", "none has failed"),
        ("last:fault", "last:failed may be meant"),
        ("last:bogus", "last:failed may be meant"),
        ("LAST", "hint: last may be meant"),
        ("las", "hint: last may be meant"),
        ("@nobody", "aido list shows what there is"),
    ] {
        let said = said(&env, selector);
        assert!(said.contains(expected), "{selector}: {said}");
    }
}

#[test]
fn a_removed_session_is_remembered_by_whoever_asks_for_it() {
    let env = TestEnv::new();
    env.aido(["echo", "gone"]).output();
    let gone = env.only_session().id;
    env.aido(["echo", "kept"]).output();
    let pruned = env
        .aido(["prune", "--keep-sessions", "1", "--yes"])
        .output();
    assert_eq!(pruned.code(), 0, "{pruned:?}");
    let at: Value = env.json(&["list", "--pruned", "--json"])[0]["pruned"]["at"].clone();
    let hex = gone.rsplit('-').next().unwrap();
    for selector in [&*gone, hex, &gone[..gone.len() - 4]] {
        let said = said(&env, selector);
        let at = at.as_str().unwrap();
        let expected = format!("{gone} was removed at {at} (sessions)");
        assert!(said.contains(&expected), "{selector}: {said}");
        assert!(said.contains("aido list --pruned"), "{said}");
    }
    let run = env.aido(["show", &gone, "--json"]).output();
    let error: Value = serde_json::from_slice(&run.stderr).unwrap();
    assert_eq!(error["error"]["code"], "not_found");
}
