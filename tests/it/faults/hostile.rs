//! Files that nobody of ours wrote: they never stop a command, and never hide what is good.

use std::ffi::CString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{COMPILE_ERROR, Place};

/// What may stand in a file's place.
const KINDS: &[&str] = &[
    "empty",
    "torn",
    "null",
    "list",
    "bytes",
    "huge",
    "deep",
    "other",
    "newer",
    "link",
    "fifo",
    "directory",
    "hard-link",
    "gone",
];

fn put(kind: &str, path: &Path, good: &str) {
    let _ = fs::remove_file(path);
    let beside = path.with_extension("elsewhere");
    let _ = fs::remove_file(&beside);
    match kind {
        "empty" => fs::write(path, "").unwrap(),
        "torn" => fs::write(path, &good[..good.len() / 2]).unwrap(),
        "null" => fs::write(path, "null").unwrap(),
        "list" => fs::write(path, "[1, {\"schema_version\": []}]").unwrap(),
        "bytes" => fs::write(path, [0xff_u8, 0, 0x1b, b'[', b'2', b'J']).unwrap(),
        "huge" => fs::write(path, good.to_owned() + &" ".repeat(100_000)).unwrap(),
        "deep" => fs::write(path, "[".repeat(60_000)).unwrap(),
        "other" => {
            let other = good
                .replace("compile-error", "usage-unknown")
                .replace("\"lesson\": \"", "\"lesson\": \"00");
            fs::write(path, other).unwrap();
        }
        "newer" => fs::write(path, good.replace("\"1.0\"", "\"2.0\"")).unwrap(),
        "link" => {
            fs::write(&beside, good).unwrap();
            symlink(&beside, path).unwrap();
        }
        "hard-link" => {
            fs::write(&beside, good).unwrap();
            fs::hard_link(&beside, path).unwrap();
        }
        "fifo" => {
            let name = CString::new(path.to_str().unwrap()).unwrap();
            // SAFETY: a string that ends with a zero, and a mode.
            assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        }
        "directory" => fs::create_dir(path).unwrap(),
        "gone" => {}
        _ => unreachable!("{kind}"),
    }
}

fn clear(path: &Path) {
    let _ = fs::remove_file(path).or_else(|_| fs::remove_dir(path));
    let _ = fs::remove_file(path.with_extension("elsewhere"));
}

/// A place that remembers two failures and a lesson.
fn begun() -> Place {
    let place = Place::new();
    place.tell(101, COMPILE_ERROR);
    place.run(&["cargo", "build"], 101);
    place.run(&["lesson", "add", "--class", "compile-error", "read it"], 0);
    place.tell(1, "error: unexpected argument '--relase' found\n");
    place.run(&["cargo", "build", "--relase"], 1);
    place
}

fn only(directory: &Path, ending: &str) -> PathBuf {
    let entries = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut found = entries.filter(|path| path.to_str().unwrap().ends_with(ending));
    found.next().unwrap()
}

/// Puts each kind of bad file in the place of one that `find` names, below `nexus/faults`.
#[track_caller]
fn hides_nothing_else(find: fn(&Path) -> PathBuf) {
    let place = begun();
    let target = find(&place.directory());
    let good = fs::read_to_string(&target).unwrap();
    for kind in KINDS {
        put(kind, &target, &good);
        let at = format!("{kind} {}", target.display());
        // What is good is there.
        let faults = place.faults();
        let other = faults
            .iter()
            .find(|fault| fault["class"] == "usage-unknown");
        assert_eq!(other.unwrap()["count"], 1, "{at}: {faults:#?}");
        assert_eq!(place.aido(&["lessons"]).output().code(), 0, "{at}");
        let other = place.aido(&["check", "--", "cargo", "build", "--relase"]);
        assert_eq!(other.output().code(), 1, "{at}");
        let checked = place.aido(&["check", "--", "cargo", "build"]);
        assert!(matches!(checked.output().code(), 0 | 1), "{at}");
        // A command runs, and no warning is said.
        place.tell(101, COMPILE_ERROR);
        let run = place.aido(&["--report", "failure", "cargo", "build"]);
        let run = run.output();
        assert_eq!(run.code(), 101, "{at}: {run:?}");
        let said = run.stderr_text();
        assert!(!said.contains("warning"), "{at}: {run:?}");
        let shown = place.json(&["show", "last"]);
        let fault = shown["fault"].as_str().unwrap();
        assert!(fault.ends_with("compile-error"), "{at}");
        clear(&target);
        fs::write(&target, &good).unwrap();
    }
}

#[test]
fn a_bad_record_hides_nothing_else_and_stops_no_command() {
    hides_nothing_else(|faults| only(faults, "cargo-compile-error.json"));
}

#[test]
fn a_bad_history_hides_nothing_else_and_stops_no_command() {
    hides_nothing_else(|faults| only(&faults.join("local"), "cargo-compile-error.json"));
}

#[test]
fn a_bad_lesson_hides_nothing_else_and_stops_no_command() {
    hides_nothing_else(|faults| only(&faults.join("lessons"), ".json"));
    hides_nothing_else(|faults| only(&faults.join("local/lessons"), ".json"));
}

#[test]
fn a_bad_mark_hides_nothing_else_and_stops_no_command() {
    hides_nothing_else(|faults| {
        let marks = fs::read_dir(faults.join("local/commands")).unwrap();
        let mut marks = marks.map(|mark| mark.unwrap().path());
        let is_wanted =
            |mark: &PathBuf| fs::read_to_string(mark).unwrap().contains("compile-error");
        marks.find(is_wanted).unwrap()
    });
}

/// What a later aido wrote is left as it is.
#[test]
fn a_file_of_a_later_format_is_not_rewritten() {
    let place = begun();
    let path = only(&place.directory().join("local"), "cargo-compile-error.json");
    let newer = fs::read_to_string(&path)
        .unwrap()
        .replace("\"1.0\"", "\"2.0\"");
    fs::write(&path, &newer).unwrap();
    place.tell(101, COMPILE_ERROR);
    place.run(&["cargo", "build"], 101);
    assert_eq!(fs::read_to_string(&path).unwrap(), newer);
    let told = place.aido(&["faults"]).output().stderr_text();
    assert!(told.contains("was written by a later aido"), "{told}");
    // One of the same major version keeps what it doesn't know.
    let later = newer
        .replace("\"2.0\"", "\"1.7\"")
        .replacen('{', "{\"weather\": [1],", 1);
    fs::write(&path, later).unwrap();
    place.run(&["cargo", "build"], 101);
    let kept: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!((&kept["weather"], &kept["count"]), (&json!([1]), &json!(2)));
}

/// Directories that are links lead nowhere, and what others may write to is not believed.
#[test]
fn nothing_is_followed_or_believed_that_others_control() {
    for part in [
        "nexus/faults",
        "nexus/faults/local",
        "nexus/faults/local/commands",
        "nexus/faults/lessons",
    ] {
        let place = begun();
        let path = place.env.work().join(part);
        let moved = place.env.path("home/moved");
        fs::rename(&path, &moved).unwrap();
        symlink(&moved, &path).unwrap();
        let before = snapshot(&moved);
        place.tell(101, COMPILE_ERROR);
        place.run(&["cargo", "build"], 101);
        place.tell(0, "");
        place.run(&["cargo", "test"], 0);
        let _ = place.aido(&["faults"]).output();
        let _ = place.aido(&["lesson", "add", "x"]).output();
        assert_eq!(
            place
                .aido(&["check", "--", "cargo", "build", "--relase"])
                .output()
                .code(),
            i32::from(part.ends_with("lessons")),
            "{part}"
        );
        assert_eq!(snapshot(&moved), before, "{part}");
    }
    let place = begun();
    let local = place.directory().join("local");
    fs::set_permissions(&local, fs::Permissions::from_mode(0o777)).unwrap();
    place.check(&["cargo", "build"], 0);
    place.tell(101, COMPILE_ERROR);
    place.run(&["cargo", "build"], 101);
    let counts = place.faults();
    assert!(
        counts.iter().all(|fault| fault["count"] == 0),
        "{counts:#?}"
    );
}

fn snapshot(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = crate::support::files_below(directory);
    paths
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

/// Text of a record never acts on the reader's terminal.
#[test]
fn recorded_text_is_harmless() {
    let place = Place::new();
    place.tell(1, "error: \u{1b}]0;title\u{7}\u{1b}[2Jbad \u{202e}thing\n");
    place.run(&["cargo", "x"], 1);
    let path = only(&place.directory().join("local"), ".json");
    let text = fs::read_to_string(&path).unwrap();
    let hostile = text.replace(
        "\"line\": \"",
        "\"line\": \"\\u001b]0;owned\\u0007\\u001b[2J",
    );
    assert_ne!(hostile, text);
    fs::write(&path, hostile).unwrap();
    for words in [
        &["faults"][..],
        &["faults", "show", "last"],
        &["faults", "show", "last", "--json"],
        &["check", "--", "cargo", "x"],
        &["--report", "failure", "cargo", "x"],
    ] {
        let run = place.aido(words).output();
        let shown = [run.stdout.clone(), run.stderr_text().into_bytes()].concat();
        let shown = String::from_utf8(shown).unwrap();
        let own = shown.lines().filter(|line| !line.starts_with("error: "));
        for line in own {
            assert!(!line.contains(['\u{1b}', '\u{7}']), "{words:?}: {line:?}");
        }
    }
}
