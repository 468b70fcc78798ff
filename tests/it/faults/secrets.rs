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
