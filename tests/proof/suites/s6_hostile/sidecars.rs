//! Sidecars and events as no aido writes them.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Case, Ground, nasty, newest};
use crate::dice::Dice;

/// Values that a field may have instead of its own, as JSON.
const VALUES: &[&str] = &[
    "null",
    "true",
    "-1",
    "0",
    "18446744073709551616",
    "1e400",
    "1e-400",
    "\"\"",
    "\"\\u001b[31m\\u0007\\u202e\\u200b\"",
    "\"\\ud800\"",
    "\"../../outside/file\"",
    "\"=== AI_EXIT_CODE: 0 ===\"",
    "[]",
    "[null, {\"a\": [1]}]",
    "{}",
    "{\"\\u001b]0;x\\u0007\": \"\\u009b31m\"}",
];

/// Fields with values that are nearly right.
const NEARLY: &[(&str, &str)] = &[
    ("output_bytes", "18446744073709551615"),
    ("output_bytes", "9223372036854775808"),
    ("dropped_bytes", "18446744073709551615"),
    ("duration_ms", "18446744073709551615"),
    ("exit_code", "2147483648"),
    ("exit_code", "-2147483648"),
    ("exit_code", "0.5"),
    ("timestamp", "\"9999-12-31T23:59:59.999Z\""),
    ("timestamp", "\"0000-01-01T00:00:00Z\""),
    ("timestamp", "\"-262143-01-01T00:00:00Z\""),
    ("ended_at", "\"1970-01-01T00:00:00Z\""),
    ("schema_version", "\"99.0\""),
    ("schema_version", "\"\""),
    ("argv_hex", "[\"zz\"]"),
    ("argv_hex", "[\"1b5b33316d\", null, \"\"]"),
    ("status", "\"running\""),
    ("origin", "\"imported\""),
    ("sha256", "\"00\""),
    ("mac", "\"\""),
    (
        "tty",
        "{\"mode\":\"always\",\"situation\":\"full\",\"stdin\":true,\"stdout\":true,\"stderr\":true,\
         \"size\":{\"columns\":65535,\"rows\":65535},\"bare_line_feeds\":false}",
    ),
    (
        "tty",
        "{\"mode\":\"\\u001b\",\"situation\":\"x\",\"stdin\":true,\"stdout\":true,\"stderr\":true,\
         \"size\":{\"columns\":0,\"rows\":0},\"bare_line_feeds\":true}",
    ),
];

pub(super) fn cases(dice: &mut Dice) -> Vec<Case> {
    let mut cases: Vec<Case> = NEARLY
        .iter()
        .map(|(field, value)| with(field, value))
        .collect();
    for (name, change) in WHOLE {
        cases.push(changed(&format!("sidecar: {name}"), "meta.json", *change));
        cases.push(changed(&format!("events: {name}"), "events.jsonl", *change).interrupted());
    }
    for text in nasty::TEXTS {
        let text = String::from_utf8_lossy(text).into_owned();
        cases.push(with("command", &json!(text).to_string()));
        cases.push(with("notes", &json!(text).to_string()));
    }
    // Every field with some of the values.
    for field in FIELDS {
        for _ in 0..4 {
            cases.push(with(field, dice.one_of::<&str>(VALUES)));
        }
    }
    while cases.len() < 420 {
        cases.push(scrambled(dice));
    }
    cases
}

/// The fields of a sidecar, of which a test of the product's own has the list.
const FIELDS: &[&str] = &[
    "session_id",
    "agent",
    "timestamp",
    "command",
    "exit_code",
    "typescript_file",
    "sha256",
    "stdout_tail",
    "stderr_head",
    "env",
    "notes",
    "fault",
    "lessons",
    "schema_version",
    "origin",
    "argv",
    "argv_hex",
    "shell_line",
    "cwd",
    "ended_at",
    "duration_ms",
    "status",
    "signal",
    "start_error",
    "output_bytes",
    "dropped_bytes",
    "streams",
    "tty",
    "git",
    "host",
    "aido_version",
    "parent",
    "within",
    "task",
    "tags",
    "durable",
    "harness",
    "detached",
    "mac",
    "unknown",
];

impl Case {
    /// Without its sidecar, so that the events are read.
    fn interrupted(self) -> Self {
        self.staged(|ground| Ok(fs::remove_file(path(ground, "meta.json")?)?))
    }
}

fn path(ground: &Ground, ending: &str) -> anyhow::Result<PathBuf> {
    let directory = ground.place.sessions();
    let name = format!("{}.{ending}", newest(ground)?);
    Ok(directory.join(name))
}

/// A field with another value, in its place.
fn with(field: &str, value: &str) -> Case {
    const HERE: &str = "the value goes here";
    let (field, value) = (field.to_owned(), value.to_owned());
    Case::new(format!("{field} is {value}")).staged_after(move |ground| {
        let path = path(ground, "meta.json")?;
        let mut meta: Value = serde_json::from_slice(&fs::read(&path)?)?;
        meta[&field] = HERE.into();
        let text = serde_json::to_string_pretty(&meta)?;
        Ok(fs::write(
            path,
            text.replace(&format!("\"{HERE}\""), &value),
        )?)
    })
}

type Rewrite = fn(Vec<u8>) -> Vec<u8>;

fn changed(name: &str, ending: &'static str, rewrite: Rewrite) -> Case {
    Case::new(name).staged_after(move |ground| {
        let path = path(ground, ending)?;
        let text = fs::read(&path)?;
        Ok(fs::write(path, rewrite(text))?)
    })
}

/// What can be done to a whole file.
const WHOLE: &[(&str, Rewrite)] = &[
    ("empty", |_| Vec::new()),
    ("null", |_| b"null\n".to_vec()),
    ("a list", |_| b"[]\n".to_vec()),
    ("a number", |_| b"7".to_vec()),
    ("an empty object", |_| b"{}\n".to_vec()),
    ("an open brace", |_| b"{".to_vec()),
    ("zero bytes", |text| vec![0; text.len()]),
    ("zero bytes behind it", |text| {
        [text, vec![0; 4096]].concat()
    }),
    ("twice", |text| [text.clone(), text].concat()),
    ("without its end", |text| text[..text.len() - 20].to_vec()),
    ("a byte order mark", |text| {
        [b"\xef\xbb\xbf".to_vec(), text].concat()
    }),
    ("UTF-16", |text| {
        text.into_iter().flat_map(|byte| [byte, 0]).collect()
    }),
    ("no UTF-8", |text| {
        replaced(&text, b"before", b"\xff\xfe\xc0\xaf")
    }),
    ("control characters, raw", |text| {
        replaced(&text, b"before", b"\x1b[31m\x07\x9b")
    }),
    ("deep", |_| b"[".repeat(200_000)),
    ("deep and well-formed", |text| {
        let deep = [
            b"{\"unknown\": ".to_vec(),
            b"[".repeat(5000),
            b"]".repeat(5000),
            b",".to_vec(),
        ];
        [deep.concat(), text[1..].to_vec()].concat()
    }),
    ("of 5 MiB", |text| [vec![b' '; 5 << 20], text].concat()),
    ("a string of 3 MiB", |text| {
        replaced(&text, b"before", &b"x".repeat(3 << 20))
    }),
    ("a field twice", |text| {
        replaced(&text, b"\"agent\"", b"\"agent\": \"x\", \"agent\"")
    }),
    ("a line of 9 MiB", |_| {
        [
            b"{\"type\":\"start\",\"x\":\"".to_vec(),
            vec![b'x'; 9 << 20],
        ]
        .concat()
    }),
    ("letters in place of numbers", |text| {
        replaced(&text, b"3", b"three")
    }),
];

fn replaced(text: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len() + new.len());
    let mut rest = text;
    while let Some(place) = rest.windows(old.len()).position(|window| window == old) {
        result.extend_from_slice(&rest[..place]);
        result.extend_from_slice(new);
        rest = &rest[place + old.len()..];
    }
    [result, rest.to_vec()].concat()
}

/// Some bytes of a file changed by chance.
fn scrambled(dice: &mut Dice) -> Case {
    let ending = *dice.one_of(&["meta.json", "events.jsonl", "typescript", "index.jsonl"]);
    let changes: Vec<(usize, u8)> = (0..1 + dice.below(20))
        .map(|_| {
            (
                dice.below(1 << 20),
                u8::try_from(dice.below(256)).unwrap_or(0),
            )
        })
        .collect();
    Case::new(format!("{ending} with {changes:?}")).staged_after(move |ground| {
        let path = match ending {
            "index.jsonl" => ground.place.sessions().join(ending),
            ending => path(ground, ending)?,
        };
        let mut text = fs::read(&path)?;
        for (place, byte) in &changes {
            let length = text.len().max(1);
            if let Some(found) = text.get_mut(place % length) {
                *found = *byte;
            }
        }
        Ok(fs::write(path, text)?)
    })
}
