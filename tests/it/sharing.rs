//! What leaves: no planted secret, by no way out. A command that lets text out gets a line in
//! [`DOORS`].

use std::collections::HashSet;
use std::fs;

use serde_json::json;

use crate::support::{Output, TestEnv, contains, has_program};

mod marks;
mod proof;
mod recipes;
mod rules;

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
    (Asker::Anyone, &["export", "--format", "asciicast"]),
    (Asker::Anyone, &["export", "--format", "asciicast-v2"]),
    (
        Asker::Anyone,
        &["export", "--format", "script", "-o", "export.script"],
    ),
    (Asker::Anyone, &["export", "--format", "text", "last~1"]),
    (Asker::Anyone, &["export", "--format", "markdown"]),
    (
        Asker::Anyone,
        &["export", "--format", "html", "last", "last~1"],
    ),
    (Asker::Anyone, &["export", "--format", "svg", "--strict"]),
    (
        Asker::Anyone,
        &["export", "--format", "otlp", "--profile", "full"],
    ),
    (Asker::Anyone, &["export", "--format", "bundle"]),
    (Asker::Anyone, &["report"]),
    (Asker::Anyone, &["report", "--lines", "100000"]),
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
    (Asker::Agent, &["capture"]),
    (Asker::Agent, &["capture", "--scrollback", "--ansi"]),
    (Asker::Agent, &["capture", "--scrollback", "--json"]),
    (Asker::Agent, &["show", "--changes"]),
    (Asker::Agent, &["show", "--changes", "--json"]),
    (Asker::Agent, &["show", "--changes", "--diff"]),
    (Asker::Agent, &["show", "--changes", "--diff", "--json"]),
    (Asker::Agent, &["checkpoint", "list"]),
    (Asker::Agent, &["checkpoint", "list", "--json"]),
    (Asker::Agent, &["checkpoint", "diff", "last"]),
    (Asker::Agent, &["checkpoint", "diff", "last", "--json"]),
    (
        Asker::Agent,
        &["checkpoint", "restore", "last", "--dry-run"],
    ),
    (
        Asker::Agent,
        &["checkpoint", "restore", "last", "--dry-run", "--json"],
    ),
    (Asker::Agent, &["list", "--tree"]),
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
    (Asker::Agent, &["__complete", "--", "list", "--agent", ""]),
    (Asker::Agent, &["__complete", "--", "list", "--branch", ""]),
    (Asker::Agent, &["__complete", "--", "list", "--tag", ""]),
    (Asker::Agent, &["__complete", "--", "tasks", "show", ""]),
    (Asker::Agent, &["rerun", "--dry-run"]),
    (Asker::Agent, &["rerun", "--dry-run", "--json"]),
    (
        Asker::Agent,
        &["prune", "--dry-run", "--keep-sessions", "1"],
    ),
    (Asker::Agent, &["replay"]),
    (Asker::Agent, &["replay", "--safe"]),
    (Asker::Agent, &["conversations"]),
    (Asker::Agent, &["conversations", "--json"]),
    (Asker::Anyone, &["hook", "claude"]),
    (Asker::Anyone, &["hook", "copilot", "sessionStart"]),
    (Asker::Anyone, &["handoff"]),
    (Asker::Anyone, &["handoff", "--json", "--budget", "50000"]),
    (Asker::Anyone, &["faults"]),
    (Asker::Anyone, &["faults", "--json"]),
    (Asker::Anyone, &["faults", "--ndjson"]),
    (Asker::Anyone, &["faults", "show", "last"]),
    (Asker::Anyone, &["faults", "show", "last", "--json"]),
    (Asker::Anyone, &["faults", "like", "refused"]),
    (Asker::Anyone, &["lessons"]),
    (Asker::Anyone, &["lessons", "--json"]),
    (Asker::Anyone, &["lessons", "--ndjson"]),
    (Asker::Anyone, &["check", "--", "sh", "-c", "exit 3"]),
    (Asker::Agent, &["tasks"]),
    (Asker::Agent, &["tasks", "--json"]),
    (Asker::Agent, &["tasks", "show", "a-task"]),
    (Asker::Agent, &["tasks", "show", "a-task", "--json"]),
    (Asker::Agent, &["stats"]),
    (Asker::Agent, &["stats", "--json"]),
    (Asker::Agent, &["verify"]),
];

/// The same by `aido mcp`: what is asked, and with which parameters.
#[cfg(feature = "mcp")]
const MCP_DOORS: &[(&str, &str)] = &[
    ("sessions_list", "{}"),
    ("session_show", "{}"),
    ("session_show", r#"{"session": "last:failed", "head": 200}"#),
    ("session_show", r#"{"lines": "201:400"}"#),
    ("session_show", r#"{"tail": 200}"#),
    ("session_show", r#"{"grep": ".", "context": 2}"#),
    ("sessions_search", r#"{"query": ".", "limit": 200}"#),
    (
        "sessions_search",
        r#"{"query": "[0-9]", "limit": 200, "context": 3}"#,
    ),
    ("sessions_search", r#"{"query": ".", "in": "command"}"#),
    ("sessions_search", r#"{"query": ".", "in": "notes"}"#),
    ("lessons_check", r#"{"command": "sh -c 'exit 3'"}"#),
    ("handoff", r#"{"budget": 20000}"#),
    (
        "lesson_add",
        r#"{"text": "do it otherwise", "fault": "last"}"#,
    ),
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
    let script = format!(
        "cat secrets; cat secrets >>'copy {token}'; echo 'error: {token} was refused'; exit 3"
    );
    for _ in 0..2 {
        let options = ["--task", "a-task", "--checkpoint", "both"];
        let words = ["sh", "-c", &script, "sh", &token, OWN];
        let words = [&options[..], &words].concat();
        let run = env.aido(words).env("DEPLOY_TOKEN", OWN).output();
        assert_eq!(run.code(), 3, "{run:?}");
    }
    (env, corpus)
}

fn ask(env: &TestEnv, asker: Asker, words: &[&str]) -> Output {
    // What a host says when a conversation starts; nothing to the others.
    let payload =
        json!({"hook_event_name": "SessionStart", "session_id": "c", "transcript_path": "x"});
    let run = env.aido(words).stdin(payload.to_string());
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
    if has_program("git", "no_planted_secret_gets_out_by_any_door") {
        let changes = &env.recorded()[3].meta["checkpoint"]["changes"];
        assert_eq!(changes["changed"], 1, "what the doors of checkpoints show");
    }
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
    for name in ["export.json", "export.script"] {
        let file = fs::read(env.path("work").join(name)).unwrap();
        assert_eq!(corpus.seen(&file), [""; 0], "{name}");
    }
}

#[test]
#[cfg(feature = "mcp")]
fn no_planted_secret_gets_out_by_mcp() {
    let (env, corpus) = with_secrets();
    let run = env.aido(["mcp"]).env("DEPLOY_TOKEN", OWN);
    let mut client = crate::mcp::Asking::of(run);
    client.initialize("2025-11-25");
    let mut answers = Vec::new();
    for (tool, parameters) in MCP_DOORS {
        let parameters = serde_json::from_str(parameters).unwrap();
        let answer = client.call(tool, &parameters);
        answers.push((format!("{tool} {parameters}"), answer));
    }
    let list = client.ask("resources/list", &json!({}));
    for resource in list["resources"].as_array().unwrap() {
        let read = client.ask("resources/read", &json!({"uri": resource["uri"]}));
        answers.push((resource["uri"].to_string(), read));
    }
    assert!(answers.len() > MCP_DOORS.len() + 2);
    answers.push(("resources/list".to_owned(), list));
    let mut out = Vec::new();
    for (asked, answer) in answers {
        let mut texts = Vec::new();
        gather(&answer, &mut texts);
        assert!(!texts.is_empty(), "{asked}");
        let seen = corpus.seen(texts.join("\n").as_bytes());
        if !seen.is_empty() {
            out.push(format!("{asked}: {:?}", &seen[..seen.len().min(9)]));
        }
    }
    assert!(out.is_empty(), "{}", out.join("\n"));
    client.end();
}

/// Every text in JSON, as a reader of it has it.
#[cfg(feature = "mcp")]
fn gather(json: &serde_json::Value, texts: &mut Vec<String>) {
    match json {
        serde_json::Value::String(text) => texts.push(text.clone()),
        serde_json::Value::Array(elements) => {
            elements.iter().for_each(|element| gather(element, texts));
        }
        serde_json::Value::Object(members) => {
            for (name, value) in members {
                texts.push(name.clone());
                gather(value, texts);
            }
        }
        _ => {}
    }
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
