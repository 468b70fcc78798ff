//! What agents' programs hand over.

use aido::agents::block::{AGENTS, GITIGNORE};
use aido::agents::host::{Content, Host, Mode};
use aido::agents::payload::{Dialect, Named};
use aido::agents::rules::{Rules, sources};
use aido::agents::{conversation, edit, json, payload, reply};
use aido::rewrite::{rewrite, undo};
use serde_json::Value;

const DIALECTS: [Dialect; 6] = [
    Dialect::Claude,
    Dialect::Codex,
    Dialect::Gemini,
    Dialect::Cursor,
    Dialect::Copilot,
    Dialect::CopilotAsClaude,
];

/// The payload of a hook.
pub(super) fn hook(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    // The own reader keeps places; what it takes is JSON.
    if json::parse(text).is_ok() {
        let read = serde_json::from_str::<Value>(text);
        let is_depth = |error: &serde_json::Error| error.to_string().contains("recursion");
        let is_number = |error: &serde_json::Error| error.to_string().contains("number");
        let is_taken = match &read {
            Ok(_) => true,
            Err(error) => is_depth(error) || is_number(error),
        };
        assert!(is_taken, "{read:?}");
    }
    let dialects = DIALECTS.into_iter().map(Some).chain([None]);
    for dialect in dialects {
        let named = Named {
            dialect,
            event: Some("preToolUse"),
        };
        let Ok(call) = payload::read(text, named) else {
            return;
        };
        let line = "aido --hooked -- echo \"\u{1b}\n";
        if let Ok(answer) = reply::with_command(&call, line) {
            let answer = value(&answer);
            let said = answer.to_string();
            assert!(said.contains("aido --hooked -- echo"), "{said}");
        }
        if let Some(given) = &call.input {
            let (before, after) = (
                value(&given.with_command("")),
                value(&given.with_command(line)),
            );
            assert_eq!(without_texts(before), without_texts(after));
        }
        if let Some(answer) = reply::with_context(&call, line) {
            let _ = value(&answer);
        }
    }
    for keeper in conversation::Keeper::ALL {
        let _ = keeper.told(text);
    }
    for dialect in DIALECTS {
        for source in sources(dialect).concat() {
            let mut rules = Rules::default();
            rules.add(source.form, Some(text));
            let _ = rules.may_be_about("git status");
        }
    }
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A value in which all texts are empty: the line is one of them.
fn without_texts(value: Value) -> Value {
    match value {
        Value::String(_) => Value::String(String::new()),
        Value::Array(items) => items.into_iter().map(without_texts).collect(),
        Value::Object(members) => {
            let emptied = members
                .into_iter()
                .map(|(name, value)| (name, without_texts(value)));
            Value::Object(emptied.collect())
        }
        other => other,
    }
}

/// Somebody's settings, into which hooks are put.
pub(super) fn settings(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    for block in [GITIGNORE, AGENTS] {
        let installed = block.install(text);
        assert!(block.is_in(&installed));
        assert_eq!(
            block.install(&installed),
            installed,
            "a second time changes it"
        );
        assert!(text.contains(block.begin) || !block.is_in(&block.uninstall(&installed)));
    }
    for host in Host::ALL {
        for mode in [Mode::Wrap, Mode::Observe] {
            let Content::Entries { entries, version } = host.content(mode) else {
                continue;
            };
            let Ok(installed) = edit::install(text, &entries, version) else {
                continue;
            };
            assert!(edit::is_installed(&installed, &entries).expect("it was read before"));
            let again = edit::install(&installed, &entries, version);
            assert_eq!(again.as_ref(), Ok(&installed), "a second time changes it");
            let taken = edit::uninstall(&installed).expect("it was read before");
            assert!(!edit::has_own(&taken), "{taken}");
        }
    }
}

/// A line of shell.
pub(super) fn shell_line(input: &[u8]) {
    let Ok(line) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(rewritten) = rewrite(line, &|_| true) {
        assert!(rewritten.len() > line.len(), "nothing was put in");
        if !line.contains("aido") {
            assert_eq!(undo(&rewritten), line);
        }
        assert!(
            rewrite(&rewritten, &|_| true).is_err(),
            "twice: {rewritten}"
        );
    }
}
