//! Whether an export says truly where it came from.

use std::fs;

use serde_json::{Value, json};

use crate::support::TestEnv;

#[test]
fn an_export_is_ready_for_other_programs_and_proves_where_it_came_from() {
    let env = TestEnv::in_repository();
    env.aido(["--note", "first", "echo", "one"]).output();
    env.aido(["sh", "-c", "echo two; exit 3"]).output();
    let array = env.aido(["export", "last", "last~1"]).output();
    let array: Value = serde_json::from_slice(&array.stdout).unwrap();
    assert_eq!(array[0]["exit_code"], 3);
    assert_eq!(array[1]["notes"], "first");
    let lines = env
        .aido(["export", "--format", "ndjson", "last", "last~1", "last"])
        .output();
    assert!(lines.stderr.is_empty(), "nothing was replaced: {lines:?}");
    let lines: Vec<Value> = lines
        .stdout_text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(json!(lines), array);
    let session = env.recorded().pop().unwrap();
    let record = &lines[0];
    assert_eq!(record["source"]["sha256"], session.meta["sha256"]);
    assert_eq!(record["source"]["size_bytes"], session.transcript.len());
    for field in ["stdout_tail", "stderr_head", "typescript_file", "mac"] {
        assert_eq!(record.get(field), None, "{field}");
    }
    let verify = |name: &str| env.aido(["verify", "--export", name]).output();
    env.aido(["export", "-o", "out.json", "last", "last~1"])
        .output();
    env.write("work/out.ndjson", &format!("{}\n{}\n", lines[0], lines[1]));
    for name in ["out.json", "out.ndjson"] {
        let run = verify(name);
        assert_eq!(
            (run.code(), run.stdout_text()),
            (0, "2 records: 2 PROVED, 0 UNPROVED\n".to_owned())
        );
    }
    // One that was changed, one whose session was, and one from elsewhere.
    let mut altered = lines[0].clone();
    altered["exit_code"] = 0.into();
    env.write("work/altered", &altered.to_string());
    let run = verify("altered");
    assert_eq!(run.code(), 1);
    let text = run.stdout_text();
    assert!(
        text.contains("the record was changed after it was exported"),
        "{text}"
    );
    assert!(
        text.contains("the session gives another exit_code"),
        "{text}"
    );
    env.aido(["note", "last~1", "second"]).output();
    let text = verify("out.json").stdout_text();
    assert!(
        text.contains("UNPROVED  the session gives another notes\n"),
        "{text}"
    );
    assert!(
        text.ends_with("2 records: 1 PROVED, 1 UNPROVED\n"),
        "{text}"
    );
    let elsewhere = TestEnv::in_repository();
    elsewhere.write("work/out", &lines[0].to_string());
    let run = elsewhere.aido(["verify", "--export", "out"]).output();
    assert_eq!(run.code(), 1);
    assert!(
        run.stdout_text()
            .contains("UNPROVED  there is no such session in "),
        "{run:?}"
    );
    env.write("work/none", "{\"a\": 1}\n");
    let run = verify("none");
    assert_eq!(run.code(), 1);
    assert!(
        run.stderr_text()
            .contains("none: record 1 is no export of aido's"),
        "{run:?}"
    );
}

#[test]
fn each_record_gets_a_verdict_of_its_own_from_a_file_and_from_standard_input() {
    let env = TestEnv::in_repository();
    for word in ["one", "two", "three"] {
        env.aido(["echo", word]).output();
    }
    let export = |format: &str| {
        let words = ["export", "--format", format, "last", "last~1", "last~2"];
        env.aido(words).output().stdout_text()
    };
    let (array, lines) = (export("json"), export("ndjson"));
    let verdict = |text: &str| {
        let run = env.aido(["verify", "--export", "-", "--json"]);
        let run = run.stdin(text).output();
        let told: Value = serde_json::from_slice(&run.stdout).unwrap();
        let records = told["records"].as_array().unwrap().clone();
        let proved: Vec<bool> = records
            .iter()
            .map(|record| record["status"] == "PROVED")
            .collect();
        assert_eq!(run.code(), i32::from(proved.contains(&false)), "{run:?}");
        let problems = records.iter().map(|record| record["problems"].to_string());
        (proved, problems.collect::<Vec<String>>())
    };
    for text in [&array, &lines] {
        assert_eq!(verdict(text).0, [true, true, true]);
    }
    // A session that can't be read, something that is no record, and a file that was cut.
    let sessions = env.recorded();
    let id = sessions[1].meta["session_id"].as_str().unwrap();
    fs::write(env.sessions().join(format!("{id}.meta.json")), "{").unwrap();
    for text in [&array, &lines] {
        let (proved, problems) = verdict(text);
        assert_eq!(proved, [true, false, true]);
        assert!(
            problems[1].contains("its session can't be read"),
            "{problems:?}"
        );
    }
    let cut = &lines[..lines.len() - 20];
    let (proved, problems) = verdict(&format!("{{\"a\": 1}}\n{cut}"));
    assert_eq!(proved, [false, true, false, false]);
    assert!(
        problems[0].contains("is no export of aido's"),
        "{problems:?}"
    );
    assert!(problems[3].contains("it is no JSON"), "{problems:?}");
    let run = env.aido(["verify", "--export", "-"]).stdin("no\n").output();
    assert_eq!(run.code(), 1);
    let said = run.stderr_text();
    assert!(said.contains("standard input: it is no JSON"), "{said}");
}

#[test]
fn an_export_that_says_something_else_of_itself_is_not_proved() {
    let env = TestEnv::in_repository();
    env.aido(["--note", "password=hunter22", "echo", "one"])
        .output();
    let record = env.aido(["export", "--format", "ndjson"]).output();
    let record: Value = serde_json::from_slice(&record.stdout).unwrap();
    for (field, value, problem) in [
        ("counts", json!({"jwt": 3}), "another export.counts"),
        ("profile", json!("full"), "another "),
        ("redacted", json!(false), "another "),
        ("ruleset", json!("aido-0"), "exported with the rules aido-0"),
        ("signed", json!("by me"), "another export.signed"),
    ] {
        let mut altered = record.clone();
        altered["export"][field] = value;
        // Whoever changes a record can make its digest again.
        altered["export"].as_object_mut().unwrap().remove("sha256");
        let digest = <sha2::Sha256 as sha2::Digest>::digest(altered.to_string());
        altered["export"]["sha256"] = hex::encode(digest).into();
        let run = env.aido(["verify", "--export", "-"]);
        let run = run.stdin(altered.to_string()).output();
        assert_eq!(run.code(), 1, "{field}: {run:?}");
        let told = run.stdout_text();
        assert!(told.contains(problem), "{field}: {told}");
        assert!(!told.contains("was changed after"), "{field}: {told}");
    }
}

#[test]
fn an_export_that_says_two_things_under_one_name_is_not_proved() {
    let env = TestEnv::in_repository();
    env.aido(["true"]).output();
    let record = env.aido(["export", "--format", "ndjson"]).output();
    let record = record.stdout_text();
    let record = record.trim_end();
    let fields: Value = serde_json::from_str(record).unwrap();
    let id = fields["session_id"].as_str().unwrap();
    let verify = |text: String| env.aido(["verify", "--export", "-"]).stdin(text).output();
    assert_eq!(verify(record.to_owned()).code(), 0);
    let inner = record.replacen("\"export\":{", "\"export\":{\"redacted\":\"no\",", 1);
    let outer = record.replacen('{', "{\"exit_code\":1,", 1);
    for (altered, name) in [(inner, "redacted"), (outer, "exit_code")] {
        assert_ne!(altered, record);
        let run = verify(format!("[{record},{altered}]"));
        let problem = format!(
            "{id}  UNPROVED  it has the name \"{name}\" twice in one object, so that readers see \
             different records\n2 records: 1 PROVED, 1 UNPROVED\n"
        );
        assert_eq!((run.code(), run.stdout_text()), (1, problem));
    }
}
