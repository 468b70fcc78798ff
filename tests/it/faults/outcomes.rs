//! What counts as failed, wherever it is counted.

use serde_json::{Value, json};

use super::{COMPILE_ERROR, Place};

/// One of each end, in a task.
fn ends() -> Place {
    let place = Place::new();
    let run = |words: &[&str], code| {
        let words = [&["--task", "t"], words].concat();
        place.run(&words, code);
    };
    run(&["true"], 0);
    run(&["grep", "nothing", "/dev/null"], 1);
    run(&["sh", "-c", "exit 130"], 130);
    place.tell(101, COMPILE_ERROR);
    run(&["cargo", "build"], 101);
    run(&["-c", "cargo test 2>&1 | tail"], 0);
    place
}

fn commands(sessions: &Value) -> Vec<&str> {
    let sessions = sessions.as_array().unwrap().iter();
    sessions
        .map(|session| session["command"].as_str().unwrap())
        .collect()
}

#[test]
fn answers_are_no_failures_and_hidden_failures_are() {
    let place = ends();
    let outcomes: Vec<Value> = place
        .env
        .recorded()
        .iter()
        .map(|session| session.meta["outcome"].clone())
        .collect();
    assert_eq!(
        outcomes,
        ["ok", "negative", "interrupted", "fault", "suspect"]
    );
    let failed = ["cargo test 2>&1 | tail", "cargo build"];
    let listed = place.json(&["list", "--failed"]);
    assert_eq!(commands(&listed), failed);
    assert_eq!(listed[0]["outcome"], "suspect");
    let last = place.json(&["show", "last:failed", "--meta"]);
    assert_eq!(last["command"], failed[0]);
    for (outcome, command) in [
        ("negative", "grep nothing /dev/null"),
        ("suspect", failed[0]),
    ] {
        let listed = place.json(&["list", "--outcome", outcome]);
        assert_eq!(commands(&listed), [command]);
    }
    let total = place.json(&["stats"])["total"].clone();
    assert_eq!(
        (&total["sessions"], &total["failed"]),
        (&json!(5), &json!(2))
    );
    let task = place.json(&["tasks"])[0].clone();
    assert_eq!(
        (&task["succeeded"], &task["failed"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(task["last"]["outcome"], "suspect");
    let handoff = place.json(&["handoff"]);
    assert_eq!(handoff["sums"]["failed"], 2);
    assert_eq!(handoff["turns"][0]["failed"], 2);
    assert_eq!(handoff["commands"][0]["outcome"], "suspect");
}

#[test]
fn tables_say_of_an_end_what_its_exit_code_does_not() {
    let place = ends();
    let list = place.env.read(&["list"]);
    let states: Vec<(&str, &str)> = list
        .lines()
        .skip(1)
        .map(|line| {
            let mut cells = line.split_whitespace().skip(1);
            (cells.next().unwrap(), cells.next().unwrap())
        })
        .collect();
    assert_eq!(
        states,
        [
            ("suspect", "0"),
            ("finished", "101"),
            ("stopped", "130"),
            ("answer", "1"),
            ("finished", "0"),
        ]
    );
    let shown = place.env.read(&["show", "last", "--meta"]);
    assert!(shown.contains("exit 0, exited; suspect: "), "{shown}");
    let task = place.env.read(&["tasks", "show", "t"]);
    assert!(
        task.contains("0 suspect") && task.contains("1 answer"),
        "{task}"
    );
    let handoff = place.env.read(&["handoff"]);
    assert!(
        handoff.contains("suspect: exit 0 over a failure"),
        "{handoff}"
    );
    assert!(handoff.contains("exit 1, an answer"), "{handoff}");
}
