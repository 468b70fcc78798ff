//! Rules of a repository's own, and what happens where they can't be used.

use std::fs;
use std::os::unix::fs::symlink;

use super::made::{Lot, TOKENS};
use crate::support::{Output, TestEnv, contains};

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

const RULE: &str =
    "[[rules]]\nid = \"acme\"\nregex = '''customer (\\d{6})'''\nkeywords = [\"customer\"]\n";
const OTHER_RULE: &str =
    "[[rules]]\nid = \"ours\"\nregex = '''ticket (\\d{6})'''\nkeywords = [\"ticket\"]\n";

/// Words that show recorded text to an agent, or let it out to anyone.
const WORDS: &[&[&str]] = &[
    &["export"],
    &["show"],
    &["show", "--meta"],
    &["list"],
    &["search", "."],
    &["handoff"],
    &["stats"],
    &["rerun", "--dry-run", "--trust"],
];

fn ask(env: &TestEnv, words: &[&str], store: Option<&str>) -> Output {
    let run = env.aido(words).env("AI_AGENT", "x");
    match store {
        Some(store) => run.env("AIDO_SESSION_DIR", store).output(),
        None => run.output(),
    }
}

#[test]
fn the_rules_of_the_store_and_of_the_place_both_count() {
    let (env, store) = (TestEnv::in_repository(), TestEnv::in_repository());
    let said = "customer 483921, ticket 772046";
    store.aido(["--note", said, "echo", said]).output();
    store.write("work/nexus/redact.toml", RULE);
    env.write("work/nexus/redact.toml", OTHER_RULE);
    let sessions = store.sessions();
    for words in WORDS {
        let run = ask(&env, words, sessions.to_str());
        assert!(run.code() < 2, "{run:?}");
        let text = run.stdout_text();
        assert!(
            !text.contains("483921") && !text.contains("772046"),
            "{words:?}: {text}"
        );
    }
    let words = ["export", "--session-dir", sessions.to_str().unwrap()];
    let text = env.aido(words).output().stdout_text();
    assert!(
        text.contains("[REDACTED:acme") && text.contains("[REDACTED:ours"),
        "{text}"
    );
}

/// What can't be read as rules keeps everything in: nobody knows what it was meant to keep in.
#[test]
fn nothing_is_shown_where_rules_can_not_be_read() {
    let env = TestEnv::in_repository();
    env.aido(["sh", "-c", "echo customer 483921; exit 1"])
        .output();
    env.write("work/nexus/redact.toml", RULE);
    let file = env.path("work/nexus/redact.toml");
    let large = "#".repeat(1024 * 1024 + 1);
    let spoilers: [(&str, &dyn Fn()); 5] = [
        ("no TOML", &|| fs::write(&file, "[[rules]\n").unwrap()),
        ("no UTF-8", &|| fs::write(&file, b"# \xff\n").unwrap()),
        ("too large", &|| fs::write(&file, &large).unwrap()),
        ("a directory", &|| fs::create_dir(&file).unwrap()),
        ("a link to nothing", &|| symlink("nothing", &file).unwrap()),
    ];
    for (what, spoil) in spoilers {
        let _ = fs::remove_file(&file);
        let _ = fs::remove_dir(&file);
        spoil();
        for words in WORDS {
            let run = ask(&env, words, None);
            let shown = [&run.stdout[..], &run.stderr].concat();
            assert!(!contains(&shown, b"483921"), "{what}: {words:?}: {run:?}");
            if words[0] == "handoff" {
                assert_eq!(run.code(), 0, "{run:?}");
                let text = run.stdout_text();
                assert!(text.contains("left out: nexus/redact.toml"), "{text}");
                continue;
            }
            let outcome = (run.code(), run.stdout.len());
            assert_eq!(outcome, (1, 0), "{what}: {words:?}: {run:?}");
            let said = run.stderr_text();
            assert!(said.contains("nexus/redact.toml: "), "{said}");
        }
        let run = env.aido(["show"]).output();
        assert!(contains(&run.stdout, b"483921"), "a person: {run:?}");
        let run = ask(&env, &["show", "--raw"], None);
        assert!(contains(&run.stdout, b"483921"), "on demand: {run:?}");
    }
}

/// Rules of the user's count for failure memory and tasks, too, where an agent reads.
#[test]
fn rules_of_the_users_count_wherever_an_agent_reads() {
    let env = TestEnv::in_repository();
    env.write(
        "work/nexus/redact.toml",
        "[[rules]]\nid = \"customer\"\nregex = '''customer([0-9]{6})'''\nkeywords = [\"customer\"]\n",
    );
    let script = "echo 'error: customer867531 was refused'; exit 3";
    let words = [
        "--task",
        "customer867531",
        "sh",
        "-c",
        script,
        "customer867531",
    ];
    env.aido(words).output();
    env.aido(words).output();
    for words in [
        &["faults"][..],
        &["faults", "--json"],
        &["faults", "show", "last"],
        &["faults", "show", "last", "--json"],
        &["tasks"],
        &["tasks", "--json"],
        &["prune", "--dry-run", "--keep-sessions", "1", "--json"],
        &[
            "check",
            "--json",
            "--",
            "sh",
            "-c",
            script,
            "customer867531",
        ],
    ] {
        let run = env.aido(words).env("AI_AGENT", "tester").output();
        assert!(run.code() < 2, "{words:?}: {run:?}");
        let told = run.stdout_text();
        assert!(!told.contains("867531"), "{words:?}: {told}");
        // A person sees what is recorded.
        let run = env.aido(words).output().stdout_text();
        let is_about_it = run.contains("867531") || words[0] == "faults";
        assert!(is_about_it, "{words:?}: {run}");
    }
}
