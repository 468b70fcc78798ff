//! What leaves: no planted secret, by no way out. A command that lets text out gets a line in
//! [`DOORS`].

use std::collections::HashSet;
use std::fs;

use serde_json::{Value, json};

use crate::support::{Output, TestEnv, contains};

/// The secrets that the unit tests know, made up when the tests run.
#[path = "../../src/redact/tests/made.rs"]
mod made;

use made::{IN_CONTEXT, Lot, TOKENS};

/// How much of a secret may be seen: none of it that is this long.
const GLIMPSE: usize = 8;

/// The value of a variable of the caller's, which nothing gives away.
const OWN: &str = "correct horse battery staple 9";

/// Every way out: who asks, and the words. A new command that lets text out adds a line.
const DOORS: &[(Asker, &[&str])] = &[
    (Asker::Anyone, &["export"]),
    (
        Asker::Anyone,
        &["export", "--format", "ndjson", "last", "last~1"],
    ),
    (Asker::Anyone, &["export", "--profile", "full"]),
    (Asker::Anyone, &["export", "--profile", "full", "--strict"]),
    (Asker::Anyone, &["export", "-o", "export.json"]),
    (Asker::Anyone, &["verify", "--export", "export.json"]),
    (
        Asker::Anyone,
        &["verify", "--export", "export.json", "--json"],
    ),
    (Asker::Agent, &["list"]),
    (Asker::Agent, &["list", "--json"]),
    (Asker::Agent, &["list", "--ndjson"]),
    (
        Asker::Agent,
        &["list", "--fields", "command,argv,notes,stdout_tail"],
    ),
    (Asker::Agent, &["list", "--pruned"]),
    (Asker::Agent, &["list", "--pruned", "--json"]),
    (Asker::Agent, &["show"]),
    (Asker::Agent, &["show", "--head", "1000000"]),
    (Asker::Agent, &["show", "--tail", "100"]),
    (Asker::Agent, &["show", "--lines", "1:"]),
    (Asker::Agent, &["show", "--grep", ".", "-n"]),
    (Asker::Agent, &["show", "--follow"]),
    (Asker::Agent, &["show", "--meta"]),
    (Asker::Agent, &["show", "--meta", "--json"]),
    (Asker::Agent, &["show", "--events"]),
    (Asker::Agent, &["show", "--events", "--json"]),
    (Asker::Agent, &["show", "--json", "--head", "1000000"]),
    (Asker::Agent, &["show", "--diff", "last~1"]),
    (Asker::Agent, &["show", "--diff", "last~1", "--json"]),
    (Asker::Agent, &["show", "--for-agent"]),
    (Asker::Agent, &["search", "."]),
    (Asker::Agent, &["search", "--json", "."]),
    (Asker::Agent, &["search", "--ndjson", "-C", "3", "[0-9]"]),
    (
        Asker::Agent,
        &["search", "--in", "command", "--in", "notes", "."],
    ),
    (Asker::Agent, &["search", "-c", "."]),
    (Asker::Agent, &["note", "last", "--pin"]),
    (Asker::Agent, &["note", "last", "--unpin", "--json"]),
    (Asker::Agent, &["__complete", "--", "show", ""]),
    (Asker::Agent, &["rerun", "--dry-run"]),
    (Asker::Agent, &["rerun", "--dry-run", "--json"]),
    (
        Asker::Agent,
        &["prune", "--dry-run", "--keep-sessions", "1"],
    ),
    (Asker::Agent, &["replay"]),
    (Asker::Agent, &["replay", "--safe"]),
    (Asker::Anyone, &["handoff"]),
    (Asker::Anyone, &["handoff", "--json", "--budget", "50000"]),
    (Asker::Anyone, &["faults"]),
    (Asker::Anyone, &["faults", "--json"]),
    (Asker::Anyone, &["faults", "show", "last"]),
    (Asker::Anyone, &["faults", "show", "last", "--json"]),
    (Asker::Anyone, &["faults", "like", "refused"]),
    (Asker::Anyone, &["lessons"]),
    (Asker::Anyone, &["lessons", "--json"]),
    (Asker::Anyone, &["check", "--", "sh", "-c", "exit 3"]),
    (Asker::Agent, &["tasks"]),
    (Asker::Agent, &["tasks", "--json"]),
    (Asker::Agent, &["tasks", "show", "a-task"]),
    (Asker::Agent, &["tasks", "show", "a-task", "--json"]),
    (Asker::Agent, &["stats"]),
    (Asker::Agent, &["stats", "--json"]),
    (Asker::Agent, &["verify"]),
];

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asker {
    /// What leaves is the same for a person.
    Anyone,
    /// An agent, as its environment says. A person sees what is recorded.
    Agent,
}

/// Every secret, in every form in which it is printed.
struct Corpus {
    text: String,
    /// All pieces of [`GLIMPSE`] bytes.
    pieces: HashSet<Vec<u8>>,
}

impl Corpus {
    fn new() -> Self {
        let (mut text, mut secrets) = (String::new(), Vec::new());
        for (index, (_, recipe)) in TOKENS.iter().enumerate() {
            let mut lot = Lot::new(index as u64 + 1);
            let [plain, json, url, split] = [(); 4].map(|()| lot.cook(recipe));
            let coloured = coloured(&split);
            let quoted = json!({"a": json, "b": 1});
            text += &format!(
                "it is {plain} here\n{quoted}\nhttps://example.com/?q={url}&x=1\n{coloured}\n"
            );
            secrets.extend([plain, json, url, split]);
        }
        for (index, (_, before, recipe, after)) in IN_CONTEXT.iter().enumerate() {
            let mut lot = Lot::new(index as u64 + 1001);
            let (plain, split) = (lot.cook(recipe), lot.cook(recipe));
            for secret in [&plain, &coloured(&split)] {
                text += &format!(
                    "{}{secret}{}",
                    before.replace('|', ""),
                    after.replace('|', "")
                );
            }
            secrets.extend([plain, split]);
        }
        // Some of them across a border of 64 KiB.
        for (index, (_, recipe)) in TOKENS.iter().step_by(70).enumerate() {
            let secret = Lot::new(index as u64 + 5001).cook(recipe);
            let border = (text.len() / 65536 + 1) * 65536;
            let filler = "ordinary lines of a log, one after the other\n";
            let room = border - text.len() - secret.len() / 2 - 1;
            text += &filler.repeat(room / filler.len());
            text += &"-".repeat(room % filler.len());
            text += &format!("\n{secret}\n");
            secrets.push(secret);
        }
        text += &format!("the caller's own: {OWN}\n");
        secrets.push(OWN.to_owned());
        let pieces = secrets.iter().flat_map(|secret| {
            let pieces = secret.as_bytes().windows(GLIMPSE);
            // Words of a token's form stand elsewhere, too.
            let is_word = |byte: &u8| byte.is_ascii_lowercase() || b"_-".contains(byte);
            pieces
                .filter(move |piece| !piece.iter().all(is_word))
                .map(<[u8]>::to_vec)
        });
        Self {
            pieces: pieces.collect(),
            text,
        }
    }

    /// Pieces of secrets that are in a text.
    fn seen(&self, text: &[u8]) -> Vec<String> {
        let stripped = stripped(text);
        let seen = stripped
            .windows(GLIMPSE)
            .filter(|piece| self.pieces.contains(*piece));
        seen.map(|piece| String::from_utf8_lossy(piece).into_owned())
            .collect()
    }
}

/// A colour in the middle, and one before each fifth letter.
fn coloured(secret: &str) -> String {
    let mut coloured = String::new();
    for (index, letter) in secret.chars().enumerate() {
        if index % 5 == 4 {
            coloured += "\x1b[3";
            coloured.push(char::from(b'1' + (index % 7) as u8));
            coloured += "m";
        }
        coloured.push(letter);
    }
    coloured + "\x1b[0m"
}

/// Without escape sequences.
fn stripped(text: &[u8]) -> Vec<u8> {
    let mut stripped = Vec::new();
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        if *byte == 0x1b {
            rest.find(|byte| byte.is_ascii_alphabetic());
        } else {
            stripped.push(*byte);
        }
    }
    stripped
}

/// Two sessions that hold every secret: printed, as arguments, in a note and in labels.
fn with_secrets() -> (TestEnv, Corpus) {
    let (env, corpus) = (TestEnv::in_repository(), Corpus::new());
    env.write("work/secrets", &corpus.text);
    for number in 0..3 {
        let token = Lot::new(1).cook(TOKENS[0].1);
        let note = format!("see {token}");
        let script = format!("cat secrets; echo {number}");
        let words = ["sh", "-c", &script, "sh", "--token", &token, OWN];
        let options = ["--note", &note, "--tag", &token, "--task", "a-task"];
        let run = env.aido([&options[..], &words].concat());
        let run = run.env("DEPLOY_TOKEN", OWN).output();
        assert_eq!(run.code(), 0, "{run:?}");
    }
    // What is left of it is in the list of what was removed.
    env.aido(["prune", "--keep-sessions", "2", "-y"]).output();
    // And what is remembered of failures, of the last one first.
    let token = Lot::new(1).cook(TOKENS[0].1);
    let script = format!("cat secrets; echo 'error: {token} was refused'; exit 3");
    for _ in 0..2 {
        let words = ["--task", "a-task", "sh", "-c", &script, "sh", &token, OWN];
        let run = env.aido(words).env("DEPLOY_TOKEN", OWN).output();
        assert_eq!(run.code(), 3, "{run:?}");
    }
    (env, corpus)
}

fn ask(env: &TestEnv, asker: Asker, words: &[&str]) -> Output {
    let run = env.aido(words);
    match asker {
        Asker::Anyone => run.output(),
        // The agent's shell has the variable, too.
        Asker::Agent => run
            .env("AI_AGENT", "tester")
            .env("DEPLOY_TOKEN", OWN)
            .output(),
    }
}

#[test]
fn no_planted_secret_gets_out_by_any_door() {
    let (env, corpus) = with_secrets();
    assert_eq!(env.recorded().len(), 4);
    let mut out = Vec::new();
    for (asker, words) in DOORS {
        let run = ask(&env, *asker, words);
        assert!(run.code() < 2, "{words:?}: {run:?}");
        for text in [&run.stdout, &run.stderr] {
            let seen = corpus.seen(text);
            if !seen.is_empty() {
                out.push(format!(
                    "{words:?}: {} pieces: {:?}",
                    seen.len(),
                    &seen[..seen.len().min(9)]
                ));
            }
        }
    }
    assert!(out.is_empty(), "{}", out.join("\n"));
    let file = fs::read(env.path("work/export.json")).unwrap();
    assert_eq!(corpus.seen(&file), [""; 0]);
}

/// The control: where nothing is replaced, the secrets are there.
#[test]
fn what_is_recorded_is_as_it_was_for_those_who_may_see_it() {
    let (env, corpus) = with_secrets();
    let all = corpus.pieces.len();
    let session = env.recorded().remove(0);
    assert!(session.transcript.starts_with(corpus.text.as_bytes()));
    for (asker, words) in [
        (Asker::Anyone, &["show", "--head", "1000000"][..]),
        (Asker::Agent, &["show", "--raw"]),
    ] {
        let run = ask(&env, asker, words);
        let seen: HashSet<String> = corpus.seen(&run.stdout).into_iter().collect();
        assert!(
            seen.len() * 10 > all * 9,
            "{words:?}: {} of {all}",
            seen.len()
        );
    }
    let token = Lot::new(1).cook(TOKENS[0].1);
    for words in [
        &["list", "--raw", "--json"][..],
        &["search", "--raw", "--in", "command", "."],
        &["list", "--json"],
    ] {
        let is_raw = words.contains(&"--raw");
        let run = ask(&env, Asker::Agent, words);
        assert_eq!(contains(&run.stdout, token.as_bytes()), is_raw, "{words:?}");
    }
}

#[test]
fn a_session_with_a_secret_is_marked_and_shown_so_and_still_verifies() {
    let env = TestEnv::in_repository();
    let token = Lot::new(1).cook(TOKENS[0].1);
    env.aido(["echo", "nothing"]).output();
    env.aido(["echo", OWN]).env("DEPLOY_TOKEN", OWN).output();
    env.aido(["-c", &format!("echo {token} >/dev/null")])
        .output();
    env.write(
        "work/print",
        &format!("echo out {token}; echo err {token} >&2"),
    );
    env.aido(["--tty", "never", "sh", "print"]).output();
    let sessions = env.recorded();
    let marks: Vec<&Value> = sessions
        .iter()
        .map(|session| &session.meta["sensitive"])
        .collect();
    assert_eq!(marks, [false, true, true, true]);
    let [plain, own, line, printed] = &sessions[..] else {
        panic!("four sessions")
    };
    assert_eq!(plain.meta["redactions"], Value::Null);
    assert_eq!(
        own.meta["argv"],
        json!(["echo", OWN]),
        "it is for running again"
    );
    let leaving = own.meta["redactions"]["argv"][1].as_str().unwrap();
    assert!(
        leaving.starts_with("[REDACTED:env.DEPLOY_TOKEN:"),
        "{leaving}"
    );
    assert_eq!(own.meta["stdout_tail"], format!("{leaving}\n").trim_end());
    assert_eq!(
        own.meta["redactions"]["counts"],
        json!({"env.DEPLOY_TOKEN": 2})
    );
    let leaving = line.meta["redactions"]["shell_line"].as_str().unwrap();
    assert!(
        leaving.starts_with("echo [REDACTED:github-token:"),
        "{leaving}"
    );
    for field in ["stdout_tail", "stderr_head"] {
        let text = printed.meta[field].as_str().unwrap();
        assert!(
            text.contains("[REDACTED:github-token:") && !text.contains(&token),
            "{text}"
        );
    }
    let list = env.aido(["list"]).output().stdout_text();
    let locks: Vec<bool> = list
        .lines()
        .skip(1)
        .map(|line| line.contains('\u{1f512}'))
        .collect();
    assert_eq!(locks, [true, true, true, false], "{list}");
    let shown = env.aido(["show", "--meta"]).output().stdout_text();
    assert!(
        shown.contains("secrets   github-token 2; replaced in what leaves"),
        "{shown}"
    );
    let verified = env.aido(["verify"]).output();
    assert_eq!(verified.stdout_text(), "4 sessions: 4 OK; 4 VALID\n");
}

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
fn letting_secrets_out_wants_a_yes_and_a_bad_rule_keeps_everything_in() {
    let env = TestEnv::in_repository();
    let token = Lot::new(1).cook(TOKENS[0].1);
    env.aido([
        "--note",
        &token,
        "tool-that-is-not-there",
        "customer 123456",
    ])
    .output();
    let run = env.aido(["export", "--no-redact"]).output();
    assert_eq!(run.code(), 2);
    assert!(run.stderr_text().contains("add --yes"), "{run:?}");
    let run = env.aido(["export", "--no-redact", "--yes"]).output();
    assert!(contains(&run.stdout, token.as_bytes()), "{run:?}");
    let rule =
        "[[rules]]\nid = \"acme\"\nregex = '''customer (\\d{6})'''\nkeywords = [\"customer\"]\n";
    env.write("work/nexus/redact.toml", rule);
    let run = env.aido(["export"]).output();
    assert!(
        run.stdout_text().contains("customer [REDACTED:acme:"),
        "{run:?}"
    );
    let said = run.stderr_text();
    assert!(
        said.starts_with("aido: ") && said.contains("acme ") && said.contains("github-token 1"),
        "{said}"
    );
    env.write(
        "work/nexus/redact.toml",
        &format!("{rule}[[rules]]\nid = \"bad\"\nregex = \"(\"\n"),
    );
    let run = env.aido(["export"]).output();
    assert_eq!((run.code(), run.stdout.len()), (1, 0));
    assert!(
        run.stderr_text()
            .contains("nexus/redact.toml: rule bad is left out: regex: "),
        "{run:?}"
    );
    let run = env.aido(["list"]).env("AI_AGENT", "x").output();
    assert!(
        run.stdout_text().contains("customer [REDACTED:acme:"),
        "the others count: {run:?}"
    );
    assert!(
        run.stderr_text().contains("rule bad is left out"),
        "{run:?}"
    );
}
