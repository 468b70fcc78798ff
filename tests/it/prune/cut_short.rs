//! A removal that was killed half-way, and what was put back after one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::json;

use super::{files_of, plant, pruned};
use crate::support::TestEnv;

/// A session's files, by their endings.
type Files = Vec<(&'static str, Vec<u8>)>;

/// Two sessions of which the older was removed; the bytes of its files.
fn with_a_removal() -> (TestEnv, [String; 2], Files) {
    let env = TestEnv::new();
    let ids = [
        plant(&env, 1, 60, &json!({})),
        plant(&env, 2, 10, &json!({})),
    ];
    let endings = ["meta.json", "typescript", "events.jsonl"];
    let files = endings.map(|ending| (ending, fs::read(env.file_of(&ids[0], ending)).unwrap()));
    env.read(&["prune"]);
    (env, ids, files.into())
}

#[test]
fn what_is_left_of_a_removed_session_is_cleared_away() {
    for left in [
        &["typescript", "events.jsonl"][..],
        &["events.jsonl"],
        &["typescript"],
    ] {
        for has_index in [true, false] {
            let (env, ids, files) = with_a_removal();
            for (ending, bytes) in files {
                if left.contains(&ending) {
                    fs::write(env.file_of(&ids[0], ending), bytes).unwrap();
                }
            }
            if !has_index {
                fs::remove_file(env.index()).unwrap();
            }
            assert_eq!(env.listed(&[]), ids[1..], "{left:?}");
            let report = env.json(&["recover", "--json"]);
            assert_eq!(report["recovered"], json!([]), "{left:?}: {report}");
            assert_eq!(report["cleared"], 1, "{left:?}: {report}");
            assert_eq!(files_of(&env, &ids[0]), Vec::<PathBuf>::new(), "{left:?}");
            assert_eq!(env.listed(&[]), ids[1..], "{left:?}");
            assert_eq!(pruned(&env), [(ids[0].clone(), "age".to_owned())]);
        }
    }
}

/// Killed before the first file went, or put back from a copy: it is there, and goes with the next prune.
#[test]
fn a_removed_session_that_is_there_is_there() {
    for has_index in [true, false] {
        let (env, ids, files) = with_a_removal();
        for (ending, bytes) in &files {
            fs::write(env.file_of(&ids[0], ending), bytes).unwrap();
        }
        if !has_index {
            fs::remove_file(env.index()).unwrap();
        }
        assert_eq!(env.listed(&[]), [ids[1].as_str(), &ids[0]]);
        assert_eq!(pruned(&env), []);
        // Not even a damaged sidecar makes it the rest of a removal.
        fs::write(env.file_of(&ids[0], "meta.json"), "torn").unwrap();
        let report = env.json(&["recover", "--json"]);
        assert_eq!(report["recovered"], json!([ids[0]]), "{report}");
        assert_eq!(
            fs::read(env.file_of(&ids[0], "typescript")).unwrap(),
            files[1].1
        );
        env.read(&["prune"]);
        assert_eq!(env.listed(&[]), ids[1..]);
        assert_eq!(pruned(&env), [(ids[0].clone(), "age".to_owned())]);
        assert_eq!(files_of(&env, &ids[0]), Vec::<PathBuf>::new());
    }
}

/// The memory of what went is a file like any other.
#[test]
fn a_damaged_memory_of_removals_loses_lines_and_no_session() {
    let (env, ids, _) = with_a_removal();
    let path = env.sessions().join("pruned.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    let foreign = whole.replace(&ids[0], "../../etc/passwd");
    for (text, remembered) in [
        (format!("garbage\n{whole}\0\0\0\n{{}}\n{foreign}"), 1),
        (whole[..whole.len() - 5].to_owned(), 0),
        (String::new(), 0),
    ] {
        fs::write(&path, text).unwrap();
        fs::remove_file(env.index()).unwrap();
        for _ in 0..2 {
            assert_eq!(env.listed(&[]), ids[1..]);
            assert_eq!(pruned(&env).len(), remembered);
        }
        // What is no line did not get into the index, which would be made again each time.
        let index = fs::metadata(env.index()).unwrap();
        env.listed(&[]);
        let again = fs::metadata(env.index()).unwrap();
        assert_eq!(index.modified().unwrap(), again.modified().unwrap());
    }
}

#[test]
fn what_is_remembered_of_removals_has_a_bound() {
    let (env, ids, _) = with_a_removal();
    let path = env.sessions().join("pruned.jsonl");
    let line = fs::read_to_string(&path).unwrap();
    let old = line.replace("-00000001", "-00abcdef");
    assert_ne!(line, old);
    let count = 9 * 1024 * 1024 / old.len();
    fs::write(&path, old.repeat(count)).unwrap();
    env.read(&["prune", "--keep-sessions", "1", "--keep-days", "1"]);
    let length = fs::metadata(&path).unwrap().len();
    assert!((3 << 20..5 << 20).contains(&length), "{length}");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let remembered: Vec<String> = pruned(&env).into_iter().map(|(id, _)| id).collect();
    assert_eq!(remembered[0], ids[1]);
    assert_eq!(remembered.len(), 2, "the same line is one removal");
}

/// What an index says of sessions that are gone is of no use for ever.
#[test]
fn an_index_of_removals_is_made_anew() {
    let (env, ids, _) = with_a_removal();
    let removal = fs::read_to_string(env.sessions().join("pruned.jsonl")).unwrap();
    let index = fs::read_to_string(env.index()).unwrap();
    fs::write(env.index(), index + &removal.repeat(2000)).unwrap();
    assert_eq!(env.listed(&[]), ids[1..]);
    let lines = fs::read_to_string(env.index()).unwrap();
    assert_eq!(lines.lines().count(), 1, "{lines}");
    assert_eq!(pruned(&env).len(), 1);
}
