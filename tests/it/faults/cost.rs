//! What failure memory costs a command: counted in system calls.

use std::fs;
use std::time::{Duration, SystemTime};

use super::{COMPILE_ERROR, Place};
use crate::support::{AIDO, has_program};

/// The system calls of a run that name something below `nexus/faults`.
fn calls(place: &Place, words: &[&str]) -> Vec<String> {
    let log = place.env.path("calls");
    let log_name = log.to_str().unwrap();
    let strace = [
        "strace",
        "-f",
        "-qq",
        "-s",
        "300",
        "-e",
        "trace=%file",
        "-o",
        log_name,
        AIDO,
    ];
    let bin = place.env.path("home/bin");
    let run = place
        .env
        .bare([&strace[..], words].concat())
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
        .output();
    assert_eq!(run.code(), 0, "{run:?}");
    let text = fs::read_to_string(log).unwrap();
    let calls = text
        .lines()
        .filter(|line| line.contains("nexus/faults") || line.contains("\"faults\""));
    calls.map(str::to_owned).collect()
}

#[test]
fn a_command_that_never_failed_costs_one_look_before_and_one_after() {
    if !has_program(
        "strace",
        "a_command_that_never_failed_costs_one_look_before_and_one_after",
    ) {
        return;
    }
    let place = Place::new();
    // Something is remembered, but not of this command.
    place.tell(101, COMPILE_ERROR);
    place.run(&["cargo", "build"], 101);
    place.tell(0, "");
    let after = calls(&place, &["cargo", "test"]);
    assert_eq!(after.len(), 1, "{after:#?}");
    assert!(
        after[0].contains("nexus/faults/local/commands/") && after[0].contains("ENOENT"),
        "{after:?}"
    );
    let both = calls(&place, &["--report", "failure", "cargo", "test"]);
    assert_eq!(both.len(), 2, "{both:#?}");
    assert!(both.iter().all(|call| call.contains("ENOENT")), "{both:?}");
    let piped = calls(&place, &["-c", "cargo test | cat"]);
    assert!(piped.len() == 1 && piped[0].contains("ENOENT"), "{piped:?}");
    let unrecorded = calls(&place, &["--no-record", "cargo", "test"]);
    assert!(unrecorded.is_empty(), "{unrecorded:?}");
}

/// Marks of commands that nobody runs any more go, once a day, and so does what a killed aido left.
#[test]
fn old_marks_and_remains_are_swept_by_a_later_failure() {
    let place = Place::new();
    place.tell(101, COMPILE_ERROR);
    for name in ["old", "young"] {
        place.run(&["cargo", "build", name], 101);
    }
    let local = place.directory().join("local");
    let set_days = |path: &std::path::Path, days: u64| {
        let time = SystemTime::now() - Duration::from_secs(days * 24 * 3600);
        let file = fs::File::options().append(true).open(path).unwrap();
        file.set_modified(time).unwrap();
    };
    let marks = || -> Vec<std::path::PathBuf> {
        let entries = fs::read_dir(local.join("commands")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let found = marks();
    let old = found
        .iter()
        .find(|mark| fs::read_to_string(mark).unwrap().contains("build old"));
    set_days(old.unwrap(), 61);
    let remains = place.directory().join(".x.json.1-0000000a.tmp");
    fs::write(&remains, "{").unwrap();
    set_days(&remains, 2);
    // Not yet: it was done today.
    place.run(&["cargo", "build"], 101);
    assert_eq!((marks().len(), remains.exists()), (3, true));
    set_days(&local.join(".swept"), 2);
    place.run(&["cargo", "build"], 101);
    assert_eq!((marks().len(), remains.exists()), (2, false));
    assert!(!old.unwrap().exists());
    assert_eq!(place.fault()["count"], 4, "the failure itself stays known");
}
