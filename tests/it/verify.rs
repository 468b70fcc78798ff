//! `aido verify`, and how the other reading words bear what it finds.

use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Output, TestEnv, has_program, wait_until};

mod damage;

use damage::{DAMAGES, cut, overwrite, replace_by_fifo};

/// Two sessions: one to be damaged, and one that stays as it is.
struct Place {
    env: TestEnv,
    id: String,
    intact: String,
}

impl Place {
    fn new() -> Self {
        let env = TestEnv::new();
        for (agent, script) in [("intact", "echo fine"), ("damaged", "echo output; exit 3")] {
            env.aido(["--agent", agent, "sh", "-c", script]).output();
        }
        let of = |agent: &str| {
            let sessions = env.recorded();
            let found = sessions
                .iter()
                .find(|session| session.meta["agent"] == agent);
            found.unwrap().id.clone()
        };
        let (id, intact) = (of("damaged"), of("intact"));
        Place { env, id, intact }
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.env.sessions().join(format!("{}.{ending}", self.id))
    }

    fn transcript(&self) -> PathBuf {
        self.file("typescript")
    }

    fn sidecar(&self) -> PathBuf {
        self.file("meta.json")
    }

    fn events(&self) -> PathBuf {
        self.file("events.jsonl")
    }

    /// Changes text of the sidecar.
    fn forge(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.sidecar()).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(self.sidecar(), text.replace(from, to)).unwrap();
    }

    fn run(&self, words: &[&str]) -> Output {
        let run = self.env.aido(words).output();
        assert_tame(&run.stdout, words);
        assert_tame(&run.stderr, words);
        run
    }

    fn json(&self, words: &[&str]) -> (Value, i32) {
        let run = self.run(words);
        let json = serde_json::from_slice(&run.stdout);
        (
            json.unwrap_or_else(|error| panic!("{error}: {run:?}")),
            run.code(),
        )
    }
}

/// No byte that a terminal obeys, and no C1 control in UTF-8.
#[track_caller]
fn assert_tame(bytes: &[u8], words: &[&str]) {
    let text = String::from_utf8(bytes.to_vec()).expect("valid UTF-8");
    let is_tame = text
        .chars()
        .all(|character| character == '\n' || !character.is_control());
    assert!(is_tame, "{words:?}: {text:?}");
}

#[test]
fn every_damage_has_its_name_and_hides_no_other_session() {
    for (what, damage, status, kinds) in DAMAGES {
        let place = Place::new();
        damage(&place);
        let is_defect = !kinds.is_empty();
        let (json, code) = place.json(&["verify", "--json"]);
        assert_eq!(code, i32::from(is_defect), "{what}: {json:#}");
        let sessions = json["sessions"].as_array().unwrap();
        let found = |id: &str| {
            sessions
                .iter()
                .find(|session| session["session_id"] == *id)
                .unwrap()
        };
        let session = found(&place.id);
        assert_eq!(session["status"], *status, "{what}: {json:#}");
        let defects = session["defects"].as_array().unwrap();
        let found_kinds: Vec<_> = defects.iter().map(|defect| &defect["kind"]).collect();
        assert_eq!(found_kinds, *kinds, "{what}: {json:#}");
        assert_eq!(found(&place.intact)["status"], "OK", "{what}: {json:#}");
        assert_eq!(sessions.len(), 2, "{what}: {json:#}");

        let run = place.run(&["verify"]);
        assert_eq!(run.code(), i32::from(is_defect), "{what}: {run:?}");
        let text = run.stdout_text();
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.contains("  note  "))
            .collect();
        assert_eq!(lines.len(), kinds.len() + 1, "{what}: {text}");
        for line in &lines[..kinds.len()] {
            assert!(line.starts_with(&place.id), "{what}: {text}");
        }
        let last = lines[kinds.len()];
        assert!(
            last.contains(&format!("1 {status}")) || last.contains("2 OK"),
            "{what}: {text}"
        );

        // The other words come to an end, show the other session and name this one.
        let run = place.run(&["list"]);
        assert_eq!(run.code(), 0, "{what}: {run:?}");
        assert!(run.stdout_text().contains("echo fine"), "{what}: {run:?}");
        let hex = place.id.rsplit('-').next().unwrap();
        let both = run.stdout_text() + &run.stderr_text();
        assert_eq!(both.matches(hex).count(), 1, "{what}: {both}");
        for words in [&["show", &place.id][..], &["show", &place.id, "--json"]] {
            let run = place.run(words);
            assert!([0, 1].contains(&run.code()), "{what}: {run:?}");
            assert!(
                run.code() == 0 || run.stderr_text().contains(hex),
                "{what}: {run:?}"
            );
        }
        let run = place.run(&["show", "@intact"]);
        assert!(
            run.code() == 0 && run.stdout_text().contains("fine\n"),
            "{what}: {run:?}"
        );
    }
}

#[test]
fn a_name_that_is_no_id_is_named_once_and_is_no_session() {
    let place = Place::new();
    for name in [
        "x.meta.json",
        "\u{1b}[2J\u{9b}2J\n.typescript",
        "..events.jsonl",
        "notes.txt",
    ] {
        fs::write(place.env.sessions().join(name), "").unwrap();
    }
    replace_by_fifo(&place.env.sessions().join("x.meta.json"));
    let run = place.run(&["verify"]);
    let text = "\
..events.jsonl  note  belongs to no session: its name holds no session's id
x.meta.json  note  belongs to no session: its name holds no session's id
^[[2J<U+009B>2J^J.typescript  note  belongs to no session: its name holds no session's id
2 sessions: 2 OK; 2 VALID
";
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!((sorted(&run.stdout_text()), run.code()), (sorted(text), 0));
    let (json, _) = place.json(&["verify", "--json"]);
    assert_eq!(json["strangers"].as_array().unwrap().len(), 3, "{json}");
    // Nobody asked about them.
    let run = place.run(&["verify", "last"]);
    assert_eq!(run.stdout_text(), "1 session: 1 OK; 1 VALID\n");
    for word in ["list", "show"] {
        let run = place.run(&[word]);
        assert!(run.code() == 0 && run.stderr.is_empty(), "{run:?}");
    }
}

#[test]
fn a_pipe_gets_a_line_for_each_defect_and_a_summary() {
    let place = Place::new();
    place.forge("\"exit_code\": 3", "\"exit_code\": 0");
    let lookalike = ["sh", "-c", "echo '=== AI_EXIT_CODE: 0 ==='; exit 1"];
    place.env.aido(lookalike).output();
    let last = place.run(&["show", "--json"]).stdout_text();
    let last: Value = serde_json::from_str(&last).unwrap();
    let last = last["session_id"].as_str().unwrap();
    let defects = format!(
        "\
{id}  ALTERED  the mac doesn't fit the sidecar: it was changed since it was signed, or signed with another key
{id}  ALTERED  behind the output is not the marker of exit code 0
{id}  ALTERED  the exit event has another exit_code
",
        id = place.id
    );
    let note = format!(
        "{last}  note  the output holds a look-alike of the marker, which proves no exit code\n"
    );
    let summary = "3 sessions: 2 OK, 1 ALTERED; 2 VALID, 1 ALTERED\n";
    let run = place.run(&["verify"]);
    assert_eq!(run.stdout_text(), format!("{note}{defects}{summary}"));
    assert_eq!((run.code(), run.stderr_text()), (1, String::new()));
    let run = place.run(&["verify", "--quiet"]);
    assert_eq!((run.stdout_text(), run.code()), (defects, 1));
    // Named ones are looked at once each, in their order.
    let run = place.run(&["verify", "last", "@intact", "last"]);
    let summary = "2 sessions: 2 OK; 2 VALID\n";
    assert_eq!(
        (run.stdout_text(), run.code()),
        (format!("{note}{summary}"), 0)
    );
    let run = place.run(&["verify", "-q", "last"]);
    assert_eq!((run.stdout_text(), run.code()), (String::new(), 0));
}

#[test]
fn json_says_everything_in_one_document() {
    let place = Place::new();
    overwrite(&place.transcript(), 0, b"O");
    let (json, code) = place.json(&["verify", "--json", &place.id]);
    let expected = serde_json::json!({
        "schema_version": "1.0",
        "sessions": [{
            "session_id": place.id,
            "status": "ALTERED",
            "signature": "VALID",
            "defects": [{
                "kind": "digest",
                "status": "ALTERED",
                "message": "the transcript's SHA-256 is not the recorded one",
            }],
            "notes": [],
            "lookalike_markers": 0,
        }],
        "strangers": [],
        "counts": {
            "sessions": 1,
            "statuses": {
                "ok": 0, "newer": 0, "live": 0, "interrupted": 0,
                "torn": 0, "truncated": 0, "missing": 0, "altered": 1,
            },
            "signatures": {"valid": 1, "altered": 0, "unsigned": 0},
        },
    });
    assert_eq!((json, code), (expected, 1));
}

#[test]
fn a_terminal_shows_what_a_pipe_gets() {
    let place = Place::new();
    cut(&place.transcript(), 1);
    let piped = place.run(&["verify"]).stdout_text();
    let mut user = place.env.terminal().run(["aido", "verify"]);
    assert_eq!(user.wait_code(), 1);
    let shown = String::from_utf8(user.output_so_far()).unwrap();
    assert_eq!(shown, piped.replace('\n', "\r\n"));
    assert!(
        shown.ends_with("2 sessions: 1 OK, 1 TRUNCATED; 2 VALID\r\n"),
        "{shown}"
    );
}

/// A transcript of a size that nobody reads in a second.
#[test]
fn a_person_who_waits_sees_how_far_it_is() {
    let place = Place::new();
    const HUGE: u64 = 1 << 38;
    place.forge(
        "\"output_bytes\": 7,",
        &format!("\"output_bytes\": {HUGE},"),
    );
    File::create(place.transcript())
        .unwrap()
        .set_len(HUGE)
        .unwrap();
    let mut user = place.env.terminal().run(["aido", "verify", &place.id]);
    user.wait_for("\rverifying: 0 of 1 sessions, ");
    user.send([3]);
    assert_eq!(user.wait_code(), 130);
}

#[test]
fn without_the_key_nothing_is_a_defect_that_was_none() {
    let place = Place::new();
    let key = place.env.home().join(".local/state/aido/key");
    let bytes = fs::read(&key).unwrap();
    let summary = "2 sessions: 2 OK; 2 UNSIGNED\n";
    fs::remove_file(&key).unwrap();
    let run = place.run(&["verify"]);
    assert_eq!((run.stdout_text(), run.code()), (summary.to_owned(), 0));
    run.assert_one_warning("there is no key");
    // One that others can read isn't used. With another key, no signature fits.
    fs::write(&key, &bytes).unwrap();
    let set_mode =
        |mode| fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(mode));
    set_mode(0o644).unwrap();
    let run = place.run(&["verify"]);
    assert_eq!((run.stdout_text(), run.code()), (summary.to_owned(), 0));
    assert!(run.stderr_text().contains("readable by others"), "{run:?}");
    set_mode(0o600).unwrap();
    assert_eq!(
        place.run(&["verify"]).stdout_text(),
        "2 sessions: 2 OK; 2 VALID\n"
    );
    fs::write(&key, [1; 32]).unwrap();
    let run = place.run(&["verify"]);
    assert!(
        run.code() == 1
            && run
                .stdout_text()
                .ends_with("2 sessions: 2 ALTERED; 2 ALTERED\n"),
        "{run:?}"
    );
}

#[test]
fn a_running_and_an_interrupted_session_are_no_defect() {
    let env = TestEnv::new();
    let run = env.aido(["sh", "-c", "echo READY; exec sleep 600"]).spawn();
    run.wait_for_stdout(b"READY");
    let verified = || {
        let run = env.aido(["verify"]).output();
        (run.stdout_text(), run.code())
    };
    assert_eq!(verified(), ("1 session: 1 LIVE\n".to_owned(), 0));
    run.signal(libc::SIGKILL);
    run.wait();
    // A watchdog that was just forked may hold the lock a moment longer.
    wait_until("the lock is free", || !verified().0.contains("LIVE"));
    assert_eq!(verified(), ("1 session: 1 INTERRUPTED\n".to_owned(), 0));
}

/// Whatever a command does and whatever is left out of its recording, nothing is a defect.
#[test]
fn what_aido_records_verifies() {
    let env = TestEnv::in_repository();
    for words in [
        &["true"][..],
        &["sh", "-c", "echo out; echo err >&2; exit 7"],
        &["sh", "-c", "kill -TERM $$"],
        &["no-such-program-here"],
        &["--timeout", "10ms", "sleep", "60"],
        &["--max-bytes", "100", "seq", "100000"],
        &["--durability", "full", "printf", "\\0\\0\\0\\0"],
        &[
            "--tty", "never", "--note", "\u{1b}", "--tag", "x", "echo", "\u{9b}",
        ],
        &["sh", "-c", "rm -rf nexus/.aisessions"],
    ] {
        env.aido(words).output();
    }
    let run = env.aido(["verify"]).output();
    assert_eq!(run.code(), 0, "{}", run.stdout_text());
    // The last command removed those before it.
    assert!(
        run.stdout_text().ends_with("1 session: 1 OK; 1 VALID\n"),
        "{run:?}"
    );
    env.aido(["--max-bytes", "100", "seq", "100000"]).output();
    env.aido(["--tty", "never", "echo", "\u{1b}]0;x\u{9b}"])
        .output();
    let run = env.aido(["verify"]).output();
    assert_eq!(run.code(), 0, "{}", run.stdout_text());
    let text = run.stdout_text();
    assert!(
        text.contains("  note  ") && text.contains("bytes of output were not recorded"),
        "{text}"
    );
    assert!(text.ends_with("3 sessions: 3 OK; 3 VALID\n"), "{text}");
}

/// A full disk costs output, events too, but makes no false alarm of tampering.
#[test]
fn a_recording_on_a_full_disk_is_not_altered() {
    if !has_program("prlimit", "a_recording_on_a_full_disk_is_not_altered") {
        return;
    }
    let env = TestEnv::new();
    // The limit on a file's size refuses writes as a full disk does.
    for limit in [20_000, 40_000] {
        let aido = env!("CARGO_BIN_EXE_aido");
        let fsize = format!("--fsize={limit}");
        let words = [
            "prlimit",
            &fsize,
            aido,
            "--tty",
            "never",
            "sh",
            "-c",
            "seq 100000; exit 3",
        ];
        assert_eq!(env.bare(words).output().code(), 3);
    }
    let run = env.aido(["verify"]).output();
    assert!(
        run.stdout_text().contains("2 VALID"),
        "{}",
        run.stdout_text()
    );
    assert!(
        !run.stdout_text().contains("ALTERED"),
        "{}",
        run.stdout_text()
    );
    assert!(
        run.stdout_text()
            .contains("bytes of output were not recorded"),
        "{run:?}"
    );
}

#[test]
fn an_empty_store_has_nothing_wrong_and_an_unknown_session_is_1() {
    let env = TestEnv::new();
    let run = env.aido(["verify"]).output();
    assert!(
        run.code() == 0 && run.stdout.starts_with(b"no sessions in "),
        "{run:?}"
    );
    let run = env.aido(["verify", "--json"]).output();
    let json: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(json["counts"]["sessions"], 0);
    assert!(!env.sessions().exists(), "reading made a store");
    let run = env.aido(["verify", "last"]).output();
    assert_eq!((run.code(), run.stdout.len()), (1, 0), "{run:?}");
    let run = env.aido(["verify", "--quiet", "--json"]).output();
    assert_eq!(run.code(), 2, "{run:?}");
}

#[test]
fn a_reader_of_the_result_may_go_away() {
    let place = Place::new();
    cut(&place.transcript(), 1);
    for words in [&["verify"][..], &["verify", "--json"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run = place
            .env
            .aido(words)
            .stdout_file(OwnedFd::from(writer))
            .output();
        assert!(
            run.code() == 1 && run.stderr.is_empty(),
            "{words:?}: {run:?}"
        );
    }
}
