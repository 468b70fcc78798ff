//! What is learned from failures, by people and by what worked.

use serde_json::{Value, json};

use super::{COMPILE_ERROR, Place};

fn lessons(place: &Place, arguments: &[&str]) -> Vec<Value> {
    let json = place.json(&[&["lessons"], arguments].concat());
    json["lessons"].as_array().unwrap().clone()
}

#[test]
fn a_lesson_reaches_whoever_meets_what_it_is_about() {
    let place = Place::new();
    place.tell(101, COMPILE_ERROR);
    place.run(&["cargo", "build"], 101);
    let fault = place.fault()["fault"].as_str().unwrap().to_owned();
    for words in [
        &[
            "lesson",
            "add",
            "--fault",
            &fault[..8],
            "generate",
            "the",
            "bindings",
            "first",
        ][..],
        &[
            "lesson",
            "add",
            "--class",
            "compile-error",
            "use the toolchain of the repository",
        ],
        &[
            "lesson",
            "add",
            "--command",
            "cd x && cargo build -q",
            "one build at a time",
        ],
        &["lesson", "add", "--class", "lint", "of another kind"],
        &["lesson", "add", "for everybody"],
        // Again: it is the same one.
        &["lesson", "add", "for everybody"],
    ] {
        place.run(words, 0);
    }
    assert_eq!(lessons(&place, &[]).len(), 5);
    let wanted = [
        "generate the bindings first",
        "use the toolchain of the repository",
        "one build at a time",
        "fix the first compiler error",
    ];
    let said = place.check(&["cargo", "build"], 1);
    assert!(wanted.iter().all(|text| said.contains(text)), "{said}");
    assert!(
        !said.contains("of another kind") && !said.contains("for everybody"),
        "{said}"
    );
    place.run(&["cargo", "build"], 101);
    let session = place.env.recorded().pop().unwrap();
    let mut noted: Vec<&str> = session.meta["lessons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|lesson| lesson.as_str().unwrap())
        .collect();
    let mut wanted = wanted.to_vec();
    noted.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(noted, wanted);
    let bindings = lessons(&place, &[]);
    let bindings = bindings
        .iter()
        .find(|lesson| lesson["fault"] == fault.as_str())
        .unwrap();
    let id = bindings["lesson"].as_str().unwrap();
    place.run(&["lesson", "retire", &id[..7]], 0);
    assert_eq!(
        (
            lessons(&place, &[]).len(),
            lessons(&place, &["--all"]).len()
        ),
        (4, 5)
    );
    assert!(!place.check(&["cargo", "build"], 1).contains("bindings"));
    place.run(&["lesson", "accept", id], 0);
    assert!(place.check(&["cargo", "build"], 1).contains("bindings"));
}

#[test]
fn what_is_noted_of_a_session_is_known_of_its_failure() {
    let place = Place::new();
    place.tell(101, COMPILE_ERROR);
    place.run(&["cargo", "build"], 101);
    let note = ["note", "last", "--lesson", "run gen.sh first"];
    place.run(&note, 0);
    let fault = place.fault()["fault"].as_str().unwrap().to_owned();
    let own = lessons(&place, &[]);
    assert_eq!(
        (own.len(), &own[0]["text"], &own[0]["fault"]),
        (1, &json!("run gen.sh first"), &json!(fault))
    );
    for words in [&["faults", "show", &fault][..], &["handoff"]] {
        let said = place.env.read(words);
        let find = |text: &str| said.find(text).unwrap_or_else(|| panic!("{text}: {said}"));
        assert!(
            find("run gen.sh first") < find("fix the first compiler error"),
            "{said}"
        );
    }
    let said = place.check(&["cargo", "build"], 1);
    assert!(said.contains("run gen.sh first"), "{said}");
    place.run(&["note", "last", "--unlesson", "run gen.sh first"], 0);
    assert!(lessons(&place, &[]).is_empty());
    let said = place.check(&["cargo", "build"], 1);
    assert!(!said.contains("gen.sh"), "{said}");
    place.run(&note, 0);
    assert_eq!(lessons(&place, &[]).len(), 1);
}

#[test]
fn a_lesson_is_about_a_kind_of_failure_that_there_is() {
    let place = Place::new();
    let refused = place.run(&["lesson", "add", "--class", "nosuch", "x"], 2);
    let said = refused.stderr_text();
    assert!(
        said.contains("\"nosuch\"") && said.contains("compile-error, "),
        "{said}"
    );
    place.run(&["lesson", "add", "--class", "unknown", "look closer"], 0);
    place.run(&["lesson", "add", "--class", "timeout", "wait"], 0);
    let lines = place.env.read(&["lessons", "--ndjson"]);
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines.iter().all(|line| line["schema_version"] == "1.0"),
        "{lines:?}"
    );
}

#[test]
fn a_list_of_failures_says_how_many_it_leaves_out() {
    let place = Place::new();
    for name in ["a", "b", "c"] {
        place.tell(1, &format!("fatal: {name} is gone\n"));
        place.run(&["cargo", name], 1);
    }
    let json = place.json(&["faults", "-n", "2"]);
    assert_eq!(
        (json["faults"].as_array().unwrap().len(), &json["left_out"]),
        (2, &json!(1))
    );
    let lines = place.env.read(&["faults", "--ndjson", "-n", "0"]);
    assert_eq!(lines.lines().count(), 3);
    assert!(lines.lines().all(|line| line.starts_with('{')), "{lines}");
}

#[test]
fn a_cure_counts_once_it_was_confirmed_or_accepted() {
    let place = Place::new();
    let slip = |agent: &str| {
        place.tell(1, "error: unexpected argument '--relase' found\n");
        place.run(&["--agent", agent, "cargo", "build", "--relase"], 1);
        place.tell(0, "");
        place.run(&["--agent", agent, "cargo", "build", "--release"], 0);
    };
    slip("one");
    let first = lessons(&place, &[]);
    assert_eq!(first.len(), 1);
    assert_eq!(
        (&first[0]["standing"], &first[0]["source"]),
        (&json!("suggested"), &json!("cure"))
    );
    assert_eq!(first[0]["cured"].as_array().unwrap().len(), 1);
    slip("two");
    let second = lessons(&place, &[]);
    assert_eq!(
        (second.len(), &second[0]["standing"]),
        (1, &json!("active"))
    );
    assert_eq!(second[0]["cured"].as_array().unwrap().len(), 2);
    // A wrong one is retired, and offered no more.
    place.run(
        &["lesson", "retire", second[0]["lesson"].as_str().unwrap()],
        0,
    );
    assert_eq!(place.fault()["cure"], Value::Null);
    assert!(
        !place
            .check(&["cargo", "build", "--relase"], 1)
            .contains("worked instead")
    );
}

/// A command of somebody else's, or one that comes much later, is no cure.
#[test]
fn another_callers_command_is_no_cure() {
    let place = Place::new();
    place.tell(1, "error: unexpected argument '--relase' found\n");
    place.run(&["--agent", "one", "cargo", "build", "--relase"], 1);
    place.tell(0, "");
    place.run(&["--agent", "two", "cargo", "build", "--release"], 0);
    assert!(lessons(&place, &[]).is_empty());
    assert_eq!(place.fault()["cure"], Value::Null);
}

/// The failure is the option's, and has one id whatever the operands are; the cure has operands of its own.
#[test]
fn a_cure_is_offered_as_that_of_the_command_it_cured() {
    let place = Place::new();
    let rm = "#!/bin/sh\n[ \"$1\" = --force ] && exit 0\necho \"rm: unrecognized option '$1'\" >&2\nexit 1\n";
    place.env.script("home/bin/rm", rm);
    place.run(&["rm", "--forse", "a.txt"], 1);
    place.run(&["rm", "--force", "a.txt"], 0);
    let own = "`rm --force a.txt` worked instead";
    let others = "for `rm --forse a.txt`, `rm --force a.txt` worked";
    assert!(place.check(&["rm", "--forse", "a.txt"], 1).contains(own));
    place.run(&["rm", "--forse", "imp.txt"], 1);
    let sidecar = &place.env.recorded().pop().unwrap().meta["lessons"];
    let said = [
        sidecar.to_string(),
        place.check(&["rm", "--forse", "imp.txt"], 1),
        place.env.read(&["faults", "show", "last"]),
        place.env.read(&["handoff"]),
    ];
    for said in said {
        assert!(said.contains(others) && !said.contains(own), "{said}");
    }
    // It is still the first one's.
    assert!(place.check(&["rm", "--forse", "a.txt"], 1).contains(own));
}
