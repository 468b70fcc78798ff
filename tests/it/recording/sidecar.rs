//! The sidecar: its fields, its form, and the command line in it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::support::{TestEnv, files_below};

#[test]
fn an_id_says_who_when_and_which_process() {
    let env = TestEnv::new();
    let run = env.aido(["--agent", "some-agent", "true"]).spawn();
    let pid = run.pid();
    assert_eq!(run.wait().code(), 0);
    let session = env.only_session();
    let (left, hexid) = session.id.rsplit_once('-').unwrap();
    let (left, recorder) = left.rsplit_once('-').unwrap();
    let (agent, time) = left.rsplit_once('-').unwrap();
    assert_eq!(
        (agent, recorder),
        ("some-agent", pid.to_string().as_str()),
        "{}",
        session.id
    );
    assert!(
        hexid.len() == 8
            && hexid
                .bytes()
                .all(|byte| b"0123456789abcdef".contains(&byte))
    );
    // The tests' time zone is UTC, so the id and the sidecar tell the same time.
    let timestamp = session.meta["timestamp"].as_str().unwrap();
    assert!(timestamp.ends_with('Z'), "{timestamp}");
    let digits: String = timestamp[..19]
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    assert_eq!(time.replace('_', ""), digits);
}

#[test]
fn a_sidecar_has_every_field() {
    let env = TestEnv::in_repository();
    let script = "printf '\\033[31mred\\033[0m\\n'; echo err >&2; exit 3";
    let options = [
        "--task", "build", "--note", "a note", "--tag", "one", "--tag", "two",
    ];
    let command = [&options[..], &["sh", "-c", script]].concat();
    assert_eq!(env.aido(command).output().code(), 3);
    let session = env.only_session();
    let meta = &session.meta;
    for (field, value) in [
        ("agent", json!("ai-agent")),
        ("exit_code", json!(3)),
        (
            "typescript_file",
            json!(format!("./.aisessions/{}.typescript", session.id)),
        ),
        ("notes", json!("a note")),
        ("lessons", json!([])),
        ("origin", json!("recorded")),
        ("argv", json!(["sh", "-c", script])),
        ("argv_hex", Value::Null),
        ("shell_line", Value::Null),
        ("cwd", json!(env.work())),
        ("status", json!("exited")),
        ("signal", Value::Null),
        ("dropped_bytes", json!(0)),
        ("streams", json!("split")),
        ("git", json!({"branch": "main", "commit": TestEnv::COMMIT})),
        ("parent", Value::Null),
        ("within", Value::Null),
        ("task", json!("build")),
        ("tags", json!(["one", "two"])),
        ("harness", Value::Null),
        ("detached", json!(false)),
        ("stdout_tail", json!("red\n")),
        ("stderr_head", json!("err\n")),
    ] {
        let (seen, value) = (&meta[field], &value);
        let trimmed = |value: &Value| value.as_str().map(str::trim_end).map(str::to_owned);
        assert!(
            seen == value || field.starts_with("std") && trimmed(seen) == trimmed(value),
            "{field}: {seen}"
        );
        assert!(meta.get(field).is_some(), "{field} is missing");
    }
    assert!(meta["ended_at"].as_str().unwrap() >= meta["timestamp"].as_str().unwrap());
    assert!(meta["duration_ms"].as_u64().unwrap() < 20_000);
    assert_eq!(meta["tty"]["mode"], "always");
    assert_eq!(meta["tty"]["size"]["columns"], 200);
    assert_eq!(meta["host"]["os"], std::env::consts::OS);
    assert_eq!(meta["host"]["arch"], std::env::consts::ARCH);
    assert!(meta["host"]["hostname"].is_string());
    assert!(meta["schema_version"].is_string() && meta["aido_version"].is_string());
    assert!(meta["durable"].is_boolean());
    for optional in ["fault", "mac"] {
        let value = meta
            .get(optional)
            .unwrap_or_else(|| panic!("{optional} is missing"));
        assert!(value.is_null() || value.is_string(), "{optional}: {value}");
    }
}

#[test]
fn a_signal_and_a_merged_recording_say_so() {
    let env = TestEnv::new();
    env.aido(["sh", "-c", "echo out; kill -SEGV $$"])
        .merged()
        .output();
    let meta = env.only_session().meta;
    assert_eq!(
        (&meta["status"], &meta["signal"]),
        (&json!("signaled"), &json!("SIGSEGV"))
    );
    assert_eq!(
        (&meta["streams"], &meta["stderr_head"]),
        (&json!("merged"), &Value::Null)
    );
    assert_eq!(meta["git"], Value::Null);
}

#[test]
fn a_sidecar_is_pretty_json_in_a_stable_order() {
    let env = TestEnv::new();
    let keys: Vec<Vec<String>> = (0..2)
        .map(|round| {
            env.aido(["sh", "-c", &format!("exit {round}")]).output();
            let files = files_below(&env.sessions());
            let mut texts = files
                .iter()
                .filter(|path| path.to_string_lossy().ends_with(".meta.json"));
            let text = fs::read_to_string(texts.next_back().unwrap()).unwrap();
            assert!(
                text.starts_with("{\n  \"") && text.ends_with("\n}\n"),
                "{text}"
            );
            let top = text
                .lines()
                .filter_map(|line| line.strip_prefix("  \"")?.split_once('"'));
            top.map(|(key, _)| key.to_owned()).collect()
        })
        .collect();
    assert_eq!(keys[0], keys[1]);
    assert_eq!(keys[0][0], "session_id");
}

#[test]
fn no_secret_of_the_environment_is_kept() {
    let env = TestEnv::in_repository();
    let names = [
        "GITHUB_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "PASSWORD",
        "SSH_AUTH_SOCK",
        "PLAIN",
    ];
    let run = names.iter().fold(env.aido(["true"]), |run, name| {
        run.env(name, "s3cr3t-value")
    });
    assert_eq!(run.output().code(), 0);
    for path in files_below(&env.path("work/nexus")) {
        let text = fs::read(&path).unwrap();
        assert!(
            !text.escape_ascii().to_string().contains("s3cr3t"),
            "{}",
            path.display()
        );
    }
    let kept = &env.only_session().meta["env"];
    assert_eq!(
        (&kept["SHELL"], &kept["REPO_ROOT"]),
        (&json!("/bin/sh"), &json!(env.work()))
    );
    assert!(kept["OS"].is_string(), "{kept}");
}

/// Parses a line as a POSIX shell does; every word comes back with a NUL behind it.
fn words_of(env: &TestEnv, line: &str) -> Vec<u8> {
    let script = format!("set -- {line}\nfor word; do printf '%s\\0' \"$word\"; done");
    env.bare(["sh", "-c", &script]).output().stdout
}

#[test]
fn the_command_line_parses_back_to_the_arguments() {
    let env = TestEnv::new();
    let strategy = proptest::collection::vec("[ -~\\n\\té€]{0,12}", 0..6);
    let config = Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    };
    let property = |words: Vec<String>| {
        let command: Vec<&str> = ["true"]
            .into_iter()
            .chain(words.iter().map(String::as_str))
            .collect();
        env.aido(["--"].iter().chain(&command)).output();
        let meta = env.recorded().pop().unwrap().meta;
        assert_eq!(meta["argv"], json!(command));
        let line = meta["command"].as_str().unwrap();
        let parsed = words_of(&env, line).escape_ascii().to_string();
        let expected: String = command.iter().flat_map(|word| [word, "\0"]).collect();
        assert_eq!(
            parsed,
            expected.as_bytes().escape_ascii().to_string(),
            "{line}"
        );
        fs::remove_dir_all(env.sessions()).unwrap();
        Ok(())
    };
    TestRunner::new(config).run(&strategy, property).unwrap();
}

#[test]
fn a_recorded_command_runs_again_as_a_line_of_shell() {
    let env = TestEnv::new();
    for words in [
        &["echo", "a  b", "it's", "$HOME"][..],
        &["-c", "echo \"a  b\" | cat; exit 3"],
    ] {
        let first = env.aido(words).output();
        let session = env.recorded().pop().unwrap();
        if words[0] == "-c" {
            assert_eq!(
                (&session.meta["command"], &session.meta["shell_line"]),
                (&json!(words[1]), &json!(words[1]))
            );
            assert_eq!(session.meta["argv"], json!(["/bin/sh", "-c", words[1]]));
        }
        let again = env
            .aido(["-c", session.meta["command"].as_str().unwrap()])
            .output();
        again.assert_same_as(&first, "run again");
    }
}

#[test]
fn arguments_that_are_no_utf_8_are_kept_in_hex() {
    let env = TestEnv::new();
    let raw = OsStr::from_bytes(b"\xff\xfe");
    assert_eq!(
        env.aido([OsStr::new("true"), raw, OsStr::new("plain")])
            .output()
            .code(),
        0
    );
    let meta = env.only_session().meta;
    assert_eq!(
        meta["argv"].as_array().unwrap().len(),
        3,
        "{}",
        meta["argv"]
    );
    assert_eq!(meta["argv_hex"], json!([null, "fffe", null]));
}

/// Its sidecar would have 20 MB, and readers take 4 MiB.
#[test]
fn a_command_line_of_megabytes_leaves_a_session_that_can_be_read() {
    let env = TestEnv::new();
    let long = "\u{1}".repeat(120_000);
    let mut words = vec!["sh", "-c", "echo $#; exit 3", "sh"];
    words.extend([long.as_str(); 12]);
    let run = env.aido(words).env("TERM", &long).output();
    assert_eq!((run.code(), run.stdout_text().as_str()), (3, "12\n"));
    assert!(run.stderr.is_empty(), "{run:?}");
    let session = env.only_session();
    assert_eq!(session.meta["argv"], json!([]));
    let command = session.meta["command"].as_str().unwrap();
    assert!(command.starts_with("# ") && command.contains("16 arguments: sh -c"));
    assert_eq!(session.meta["env"].get("TERM"), None);
    let size = fs::metadata(env.file_of(&session.id, "meta.json")).unwrap();
    assert!(size.len() < 64 * 1024, "{}", size.len());
    assert_eq!(env.listed(&[]), [session.id.as_str()]);
    assert_eq!(env.aido(["verify"]).output().code(), 0);
    let again = env.aido(["rerun", "last"]).output();
    assert!(
        again.code() == 2 || again.code() == 125,
        "{}: {}",
        again.code(),
        again.stderr_text()
    );
    assert!(again.stderr_text().contains("not recorded"), "{again:?}");
}

/// A note that grows line by line must not take its session away from its readers.
#[test]
fn a_note_that_would_make_the_sidecar_unreadable_is_refused() {
    let env = TestEnv::new();
    env.aido(["true"]).output();
    let id = env.only_session().id;
    let long = "x".repeat(120_000);
    let runs = (0..40).map(|_| env.aido(["note", &id, "--append", &long]).output());
    let refused = runs.into_iter().find(|run| run.code() != 0).unwrap();
    assert!(
        refused.stderr_text().contains("larger than 4 MiB"),
        "{}",
        refused.stderr_text()
    );
    assert_eq!(env.aido(["verify"]).output().code(), 0);
}

#[test]
fn the_id_shows_the_time_where_the_caller_is() {
    // POSIX counts westwards: both are ahead of UTC, by five and a half hours and by two.
    for (zone, minutes_ahead) in [("AAA-5:30", 330), ("BBB-2", 120), ("UTC", 0)] {
        let env = TestEnv::new();
        env.aido(["true"]).env("TZ", zone).output();
        let session = env.only_session();
        let started = session.meta["timestamp"].as_str().unwrap();
        let started = chrono::DateTime::parse_from_rfc3339(started).unwrap();
        let local = started + chrono::Duration::minutes(minutes_ahead);
        let shown = local.format("-%Y%m%d_%H%M%S-").to_string();
        let id = session.meta["session_id"].as_str().unwrap();
        assert!(id.contains(&shown), "{zone}: {id} began at {started}");
    }
}
