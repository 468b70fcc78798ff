//! Damaged sidecars, and several who recover at once.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::thread;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};

use super::{files, recover};
use crate::support::TestEnv;

/// What a power cut or a full disk leaves of a sidecar.
fn torn(whole: &str) -> Vec<(&'static str, Vec<u8>)> {
    let mut flipped = whole.as_bytes().to_vec();
    let place = whole.find("\"true\"").unwrap() + 2;
    flipped[place] = 0xff;
    vec![
        ("empty", Vec::new()),
        ("zeros", vec![0; whole.len()]),
        (
            "its first half",
            whole.as_bytes()[..whole.len() / 2].to_vec(),
        ),
        (
            "all but its last brace",
            whole.as_bytes()[..whole.len() - 2].to_vec(),
        ),
        ("a text", b"not JSON\n".to_vec()),
        ("no UTF-8", flipped),
        ("more than anybody reads", vec![b' '; 5 * 1024 * 1024]),
    ]
}

#[test]
fn a_damaged_sidecar_is_put_aside_and_made_again() {
    for is_indexed in [true, false] {
        let env = TestEnv::new();
        let run = env.aido(["--note", "why", "true"]).output();
        assert_eq!(run.code(), 0, "{run:?}");
        let session = env.only_session();
        let id = session.id.as_str();
        let sidecar = env.file_of(id, "meta.json");
        let whole = fs::read_to_string(&sidecar).unwrap();
        for (what, bytes) in torn(&whole) {
            let what = format!("{what}, indexed: {is_indexed}");
            if !is_indexed {
                fs::remove_file(env.index()).unwrap();
            }
            fs::write(&sidecar, &bytes).unwrap();
            let report = recover(&env, &[id]);
            assert_eq!(report["torn"], json!([id]), "{what}");
            assert_eq!(
                fs::read(env.file_of(id, "meta.json.torn")).unwrap(),
                bytes,
                "{what}"
            );
            let again = env.only_session();
            assert_eq!(again.transcript, session.transcript, "{what}");
            assert_eq!(again.meta["status"], "interrupted", "{what}");
            assert_eq!(again.meta["exit_code"], Value::Null, "{what}");
            for name in [
                "argv",
                "command",
                "cwd",
                "notes",
                "timestamp",
                "sha256",
                "output_bytes",
            ] {
                assert_eq!(again.meta[name], session.meta[name], "{what}: {name}");
            }
            assert_eq!(env.signature(id), "UNSIGNED", "{what}");
            assert_eq!(env.listed(&["--failed"]), [id], "{what}");
        }
    }
}

/// Whole JSON may be of a later version, and what can't be read may be whole.
#[test]
fn what_may_be_whole_is_left_as_it_is() {
    let env = TestEnv::new();
    env.aido(["true"]).output();
    let id = env.only_session().id;
    let sidecar = env.file_of(&id, "meta.json");
    let put: [(&str, &dyn Fn()); 5] = [
        ("an empty object", &|| fs::write(&sidecar, "{}").unwrap()),
        ("null", &|| fs::write(&sidecar, "null").unwrap()),
        ("a link", &|| {
            symlink(env.file_of(&id, "typescript"), &sidecar).unwrap()
        }),
        ("a FIFO", &|| {
            mknodat(CWD, &sidecar, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        }),
        ("a directory", &|| fs::create_dir(&sidecar).unwrap()),
    ];
    for (what, put) in put {
        fs::remove_file(&sidecar).unwrap();
        put();
        let report = env.json(&["recover", "--json"]);
        assert_eq!(report["torn"], json!([]), "{what}: {report}");
        assert_eq!(report["recovered"], json!([]), "{what}: {report}");
        assert!(sidecar.symlink_metadata().is_ok(), "{what}");
        let run = env.aido(["list"]).output();
        assert!(
            run.code() == 0 && run.stderr_text().contains(&id),
            "{what}: {run:?}"
        );
    }
}

#[test]
fn files_that_are_none_are_named_and_hold_up_no_other() {
    for ending in ["typescript", "events.jsonl"] {
        let env = TestEnv::new();
        let bad = env.plant("bad", 1, &json!({}));
        let good = env.plant("good", 2, &json!({}));
        for id in [&bad, &good] {
            fs::remove_file(env.file_of(id, "meta.json")).unwrap();
            env.write(&format!("sessions/live/{id}"), "");
        }
        let path = env.file_of(&bad, ending);
        fs::remove_file(&path).unwrap();
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let run = env.aido(["recover"]).output();
        assert_eq!(run.code(), 1, "{ending}: {run:?}");
        assert!(run.stderr_text().contains(&bad), "{ending}: {run:?}");
        assert!(env.file_of(&good, "meta.json").exists(), "{ending}");
        assert!(!env.file_of(&bad, "meta.json").exists(), "{ending}");
        let run = env.aido(["list", "--fields", "session_id"]).output();
        assert!(
            run.code() == 0 && run.stdout_text().contains(&good),
            "{ending}: {run:?}"
        );
    }
}

#[test]
fn of_several_who_recover_only_one_finishes_each_session() {
    let env = TestEnv::new();
    let mut expected = BTreeSet::new();
    for number in 0..24 {
        let id = env.plant("ai-agent", number, &json!({}));
        let sidecar = env.file_of(&id, "meta.json");
        match number % 4 {
            0 => fs::write(&sidecar, format!("torn {id}")).unwrap(),
            1 => {
                fs::remove_file(&sidecar).unwrap();
                env.write(&format!("sessions/live/{id}"), "");
            }
            // No events whose lock could be taken.
            2 => {
                fs::remove_file(&sidecar).unwrap();
                fs::remove_file(env.file_of(&id, "events.jsonl")).unwrap();
            }
            _ => continue,
        }
        expected.insert(id);
    }
    let reports: Vec<Value> = thread::scope(|scope| {
        let recoverers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| env.json(&["recover", "--json"])))
            .collect();
        recoverers
            .into_iter()
            .map(|it| it.join().unwrap())
            .collect()
    });
    let all = |name: &str| -> Vec<String> {
        let found = reports
            .iter()
            .flat_map(|report| report[name].as_array().unwrap());
        let mut found: Vec<String> = found.map(|id| id.as_str().unwrap().to_owned()).collect();
        found.sort_unstable();
        found
    };
    assert_eq!(all("recovered"), Vec::from_iter(expected.clone()));
    assert_eq!(all("torn").len(), 6, "{:?}", all("torn"));
    for id in &expected {
        let meta = env.meta(id);
        assert_eq!(
            (&meta["session_id"], &meta["status"]),
            (&json!(id), &json!("interrupted"))
        );
    }
    for id in all("torn") {
        let put_aside = fs::read_to_string(env.file_of(&id, "meta.json.torn")).unwrap();
        assert_eq!(put_aside, format!("torn {id}"));
    }
    assert_eq!(env.listed(&[]).len(), 24);
    let before = files(&env);
    recover(&env, &[]);
    assert!(files(&env) == before);
}
