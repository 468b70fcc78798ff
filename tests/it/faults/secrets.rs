//! What must not leave the repository is in no file of failure memory.

use std::fs;

use super::Place;
use crate::support::files_below;

#[test]
fn no_secret_is_remembered() {
    // Made here, so that the source holds none.
    let token = format!("ghp_{}", "aB3dE5gH7jK9mN1pQ3rS5tU7vW9xY1zA2bC4");
    let own = "correct-horse-battery-staple-42";
    let place = Place::new();
    let said = format!(
        "error: unexpected argument '--tokn={token}' found\nerror: login as admin with {own} failed\n"
    );
    place.tell(1, &said);
    let tokn = format!("--tokn={token}");
    for words in [
        &["cargo", "login", &tokn][..],
        &["cargo", "login", "--password", own],
        &["-c", &format!("cargo publish --token {token} 2>&1 | cat")],
    ] {
        let run = place.aido(words).env("DEPLOY_PASSWORD", own).output();
        assert!(matches!(run.code(), 0 | 1), "{run:?}");
    }
    place.tell(0, "");
    place.run(&["cargo", "login", &format!("--token={token}")], 0);
    let lesson = format!("the password is {token}");
    place.run(&["lesson", "add", &lesson], 0);
    assert!(place.faults().len() >= 2);
    let files = files_below(&place.directory());
    assert!(files.len() >= 6, "{files:?}");
    for path in files {
        let text = String::from_utf8(fs::read(&path).unwrap()).unwrap();
        assert!(
            !text.contains(&token[4..]) && !text.contains(own),
            "{}: {text}",
            path.display()
        );
    }
    // The words of failure memory can't print what it doesn't have.
    for session in place.env.recorded() {
        let lessons = session.meta["lessons"].to_string();
        assert!(
            !lessons.contains(&token[4..]) && !lessons.contains(own),
            "{lessons}"
        );
    }
    let report = place.aido(&["--report", "failure", "cargo", "login", &tokn]);
    let told = report.output().stderr_text();
    assert!(
        told.contains("known to fail") && !told.contains(&token[4..]),
        "{told}"
    );
}

#[test]
fn a_secret_is_not_remembered_in_lower_case_either() {
    let own = "Zx9QwErTy7Secret";
    let echoed = "Zork99Qwerty";
    let place = Place::new();
    place.tell(3, &format!("fatal: login with {own} refused\n"));
    let run = place.aido(&["cargo", "login"]).env("SVC_PASSWORD", own);
    assert_eq!(run.output().code(), 3);
    place.tell(4, &format!("fatal: unknown --user=me:{echoed}\n"));
    let user = format!("--user=me:{echoed}");
    // What the place in a command line says is a secret, its program prints again.
    place.env.script(
        "bin/curl",
        "#!/bin/sh\necho \"curl: fatal: unknown $1\" >&2\nexit 2\n",
    );
    let curl = place.env.path("bin/curl");
    let run = place.aido(&[curl.to_str().unwrap(), &user]).output();
    assert_eq!(run.code(), 2, "{run:?}");
    assert!(place.faults().len() >= 2);
    let secrets = [own, echoed].map(str::to_lowercase);
    for path in files_below(&place.directory()) {
        let text = String::from_utf8(fs::read(&path).unwrap()).unwrap();
        let text = format!("{} {text}", path.display()).to_lowercase();
        for secret in &secrets {
            assert!(!text.contains(secret), "{text}");
        }
    }
    for session in place.env.recorded() {
        let quoted = ["lessons", "stdout_tail", "stderr_head", "fault"];
        let quoted = quoted.map(|name| session.meta[name].to_string().to_lowercase());
        for secret in &secrets {
            assert!(!quoted.concat().contains(secret), "{quoted:?}");
        }
    }
}
