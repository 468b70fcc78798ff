//! The record that is exported: the fields of a session that may leave, one by one.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::clean;
use crate::redact::{Depth, Redactor, Report};
use crate::session::Metadata;

/// How much of a session leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// What was run, where, by whom and how it ended; nothing that was printed, and no path of a file
    /// that stays here.
    #[default]
    Minimal,
    /// Also what the sidecar quotes of the output, the machine's name, and where the files are.
    Full,
}

/// Whether secrets are replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redaction {
    /// They are.
    #[default]
    On,
    /// They aren't, except in a command line and in where it ran, as far as these were marked.
    Off,
}

/// How an export is made: who makes it again likewise gets the same bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// How much leaves.
    pub profile: Profile,
    /// Whether secrets are replaced.
    pub redaction: Redaction,
    /// How thoroughly they are looked for.
    pub depth: Depth,
    /// Which rules: those of this version, and the digest of the user's.
    pub ruleset: String,
}

/// A session that is to be exported.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// What is known of it.
    pub metadata: &'a Metadata,
    /// Its state, in a word.
    pub state: &'a str,
    /// What its mac says, in a word.
    pub signature: Option<&'a str>,
    /// The size of its transcript in bytes, if there is one.
    pub transcript_bytes: Option<u64>,
}

/// The fields of a sidecar that leave, and with which profile. What is not named here doesn't.
const FIELDS: &[(&str, Profile)] = {
    use Profile::{Full, Minimal};
    &[
        ("session_id", Minimal),
        ("agent", Minimal),
        ("timestamp", Minimal),
        ("command", Minimal),
        ("exit_code", Minimal),
        ("typescript_file", Full),
        ("sha256", Minimal),
        ("stdout_tail", Full),
        ("stderr_head", Full),
        ("env", Minimal),
        ("notes", Minimal),
        ("fault", Minimal),
        ("lessons", Minimal),
        ("schema_version", Minimal),
        ("origin", Minimal),
        ("argv", Minimal),
        ("shell_line", Minimal),
        ("cwd", Minimal),
        ("ended_at", Minimal),
        ("duration_ms", Minimal),
        ("status", Minimal),
        ("signal", Minimal),
        ("start_error", Minimal),
        ("outcome", Minimal),
        ("output_bytes", Minimal),
        ("dropped_bytes", Minimal),
        ("streams", Minimal),
        ("tty", Minimal),
        ("git", Minimal),
        ("host", Minimal),
        ("aido_version", Minimal),
        ("parent", Minimal),
        ("within", Minimal),
        ("task", Minimal),
        ("tags", Minimal),
        ("pinned", Minimal),
        ("durable", Minimal),
        ("harness", Minimal),
        ("detached", Minimal),
        ("name", Minimal),
        ("sensitive", Minimal),
    ]
};

/// The same inside of fields that are objects.
const INNER_FIELDS: &[(&str, &[(&str, Profile)])] = {
    use Profile::{Full, Minimal};
    &[
        (
            "env",
            &[
                ("SHELL", Minimal),
                ("TERM", Minimal),
                ("LANG", Minimal),
                ("LC_ALL", Minimal),
                ("TZ", Minimal),
                ("CI", Minimal),
                ("TRACEPARENT", Minimal),
                ("OS", Minimal),
                ("REPO_ROOT", Minimal),
            ],
        ),
        (
            "tty",
            &[
                ("mode", Minimal),
                ("situation", Minimal),
                ("stdin", Minimal),
                ("stdout", Minimal),
                ("stderr", Minimal),
                ("size", Minimal),
                ("bare_line_feeds", Minimal),
            ],
        ),
        ("git", &[("branch", Minimal), ("commit", Minimal)]),
        (
            "host",
            &[("os", Minimal), ("arch", Minimal), ("hostname", Full)],
        ),
        (
            "harness",
            &[
                ("name", Minimal),
                ("conversation", Minimal),
                ("log_file", Full),
            ],
        ),
    ]
};

impl Profile {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Minimal, Self::Full];

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Full => "full",
        }
    }

    fn has(self, least: Self) -> bool {
        least == Self::Minimal || self == Self::Full
    }
}

/// The record of a session on these terms, and what was replaced in it.
#[must_use]
pub fn record(
    subject: Subject<'_>,
    terms: &Terms,
    redactor: &Redactor,
) -> (Map<String, Value>, Report) {
    let mut metadata = subject.metadata.clone();
    leave(&mut metadata, terms.redaction, redactor);
    let mut record = Map::new();
    let known = serde_json::to_value(&metadata).unwrap_or_default();
    for (name, _) in FIELDS.iter().filter(|(_, least)| terms.profile.has(*least)) {
        if let Some(value) = known.get(name) {
            record.insert((*name).to_owned(), chosen(name, value, terms.profile));
        }
    }
    record.insert("state".to_owned(), subject.state.into());
    record.insert("signature".to_owned(), subject.signature.into());
    let mut report = Report::default();
    report.count_in(&Value::Object(record.clone()).to_string());
    let source = json!({
        "sha256": subject.metadata.sha256,
        "size_bytes": subject.transcript_bytes,
    });
    record.insert("source".to_owned(), source);
    record.insert("export".to_owned(), terms.to_json(&report));
    let digest = digest(&mut record);
    if let Some(Value::Object(export)) = record.get_mut("export") {
        export.insert("sha256".to_owned(), digest.into());
    }
    (record, report)
}

/// Makes of a session's fields what may leave of them.
pub fn leave(metadata: &mut Metadata, redaction: Redaction, redactor: &Redactor) {
    match redaction {
        Redaction::On => clean(metadata, redactor),
        Redaction::Off => keep_marks(metadata, redactor),
    }
}

/// A command line that was marked never leaves as it is, nor does where it ran.
fn keep_marks(metadata: &mut Metadata, redactor: &Redactor) {
    super::put_marks_of_place(metadata);
    if metadata.sensitive == Some(true) {
        let line = super::command_line(metadata, redactor);
        metadata.command = line.command;
        metadata.argv = line.argv;
        metadata.shell_line = line.shell_line;
    }
}

/// What of a field leaves.
fn chosen(name: &str, value: &Value, profile: Profile) -> Value {
    let inner = INNER_FIELDS.iter().find(|(field, _)| *field == name);
    let (Some((_, inner)), Value::Object(fields)) = (inner, value) else {
        return value.clone();
    };
    let inner = inner.iter().filter(|(_, least)| profile.has(*least));
    let chosen = inner.filter_map(|(name, _)| {
        let value = fields.get(*name)?;
        Some(((*name).to_owned(), value.clone()))
    });
    Value::Object(chosen.collect())
}

/// SHA-256 of a record as compact JSON with sorted names, without the digest itself.
pub(super) fn digest(record: &mut Map<String, Value>) -> String {
    if let Some(Value::Object(export)) = record.get_mut("export") {
        export.remove("sha256");
    }
    let text = Value::Object(record.clone()).to_string();
    hex::encode(Sha256::digest(text))
}

impl Terms {
    fn to_json(&self, report: &Report) -> Value {
        json!({
            "profile": self.profile.name(),
            "redacted": self.redaction == Redaction::On,
            "strict": self.depth == Depth::Strict,
            "ruleset": self.ruleset,
            "counts": report,
        })
    }

    /// The terms that an export says it was made on.
    pub(super) fn of_json(export: &Value) -> Option<Self> {
        let is = |name: &str| export.get(name).and_then(Value::as_bool);
        let profile = export.get("profile").and_then(Value::as_str)?;
        let mut profiles = Profile::ALL.into_iter();
        Some(Self {
            profile: profiles.find(|one| one.name() == profile)?,
            redaction: if is("redacted")? {
                Redaction::On
            } else {
                Redaction::Off
            },
            depth: if is("strict")? {
                Depth::Strict
            } else {
                Depth::Normal
            },
            ruleset: export.get("ruleset").and_then(Value::as_str)?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::{mark, weigh};
    use crate::redact::tests::made::Lot;
    use crate::redact::{Options, OwnSecret};
    use crate::session::metadata::tests::minimal;

    const ID: &str = "a-20260305_132522-1-abcdef12";

    fn subject(metadata: &Metadata) -> Subject<'_> {
        Subject {
            metadata,
            state: "finished",
            signature: Some("VALID"),
            transcript_bytes: Some(24),
        }
    }

    fn terms(profile: Profile, redaction: Redaction) -> Terms {
        Terms {
            profile,
            redaction,
            depth: Depth::Normal,
            ruleset: "aido-1".to_owned(),
        }
    }

    fn exported(metadata: &Metadata, terms: &Terms) -> Map<String, Value> {
        record(subject(metadata), terms, &Redactor::default()).0
    }

    #[test]
    fn nothing_leaves_that_is_not_named() {
        let mut metadata = minimal(ID);
        metadata.stdout_tail = "printed".to_owned();
        metadata.argv_hex = Some(vec![Some("ff".to_owned())]);
        metadata.mac = Some("00".to_owned());
        for name in ["from_the_future", "LD_PRELOAD"] {
            metadata.other.insert(name.to_owned(), "x".into());
            metadata.env.insert(name.to_owned(), "x".into());
            metadata.host.other.insert(name.to_owned(), "x".into());
        }
        metadata.env.insert("TZ".to_owned(), "UTC".into());
        let record = exported(&metadata, &terms(Profile::Minimal, Redaction::On));
        for name in [
            "stdout_tail",
            "stderr_head",
            "typescript_file",
            "argv_hex",
            "mac",
        ] {
            assert!(!record.contains_key(name), "{name}");
        }
        assert_eq!(record["env"], json!({"TZ": "UTC"}));
        assert_eq!(record["host"], json!({"os": "linux", "arch": "x86_64"}));
        let text = Value::Object(record).to_string();
        assert!(!text.contains("from_the_future") && !text.contains("printed"));
        let record = exported(&metadata, &terms(Profile::Full, Redaction::On));
        assert_eq!(record["stdout_tail"], "printed");
        assert!(!record.contains_key("mac") && !record.contains_key("from_the_future"));
    }

    #[test]
    fn every_field_of_the_sidecar_was_thought_of() {
        let mut metadata = minimal(ID);
        (metadata.name, metadata.cwd_hex) = (Some("gov".to_owned()), Some("2fff".to_owned()));
        let known = serde_json::to_value(metadata).unwrap();
        let mut names: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
        names.extend(["argv_hex", "cwd_hex", "redactions", "mac"]);
        names.sort_unstable();
        let known = known.as_object().unwrap().keys();
        let mut known: Vec<&str> = known.map(String::as_str).collect();
        known.sort_unstable();
        assert_eq!(names, known);
    }

    #[test]
    fn a_secret_in_any_text_is_replaced_and_counted() {
        let secret = Lot::new(1).cook("gh|p_{a36}");
        let mut metadata = minimal(ID);
        metadata.argv = vec!["tool".to_owned(), format!("--x={secret}")];
        metadata.command = format!("tool --x={secret}");
        let text = format!("a {secret} b");
        metadata.notes = Some(text.clone());
        metadata.cwd = Some(format!("/tmp/{secret}"));
        metadata.tags = vec![text.clone()];
        metadata.lessons = vec![text.clone()];
        metadata.stdout_tail.clone_from(&text);
        metadata.start_error = Some(text.clone());
        metadata.env.insert("REPO_ROOT".to_owned(), text.into());
        let (record, report) = record(
            subject(&metadata),
            &terms(Profile::Full, Redaction::On),
            &Redactor::default(),
        );
        let shown = Value::Object(record.clone()).to_string();
        assert!(!shown.contains(&secret), "{shown}");
        assert_eq!(report.total(), 9);
        assert_eq!(record["export"]["counts"], json!({"github-token": 9}));
        assert_eq!(record["command"], "tool '--x=[REDACTED:github-token]'");
        let raw = exported(&metadata, &terms(Profile::Full, Redaction::Off));
        assert!(raw["notes"].as_str().unwrap().contains(&secret));
    }

    #[test]
    fn a_command_line_that_was_marked_never_leaves_as_it_is() {
        let value = "only the caller knows 1";
        let own = OwnSecret::of_environment([("DEPLOY_TOKEN", value)]);
        let marker = Redactor::new(Options {
            own,
            ..Options::default()
        });
        let mut metadata = minimal(ID);
        metadata.argv = vec!["tool".to_owned(), value.to_owned()];
        metadata.command = format!("tool '{value}'");
        metadata.stdout_tail = format!("it is {value}");
        mark(&mut metadata, &marker);
        assert_eq!(metadata.sensitive, Some(true));
        assert!(metadata.command.contains(value), "it is for running again");
        assert_eq!(metadata.stdout_tail, "it is [REDACTED:env.DEPLOY_TOKEN]");
        for redaction in [Redaction::On, Redaction::Off] {
            let record = exported(&metadata, &terms(Profile::Full, redaction));
            let text = Value::Object(record.clone()).to_string();
            assert!(!text.contains(value), "{text}");
            assert_eq!(record["argv"][1], "[REDACTED:env.DEPLOY_TOKEN]");
        }
    }

    #[test]
    fn an_export_proves_where_it_came_from_until_something_changes() {
        let metadata = minimal(ID);
        let terms = terms(Profile::Minimal, Redaction::On);
        let record = exported(&metadata, &terms);
        let claim = super::super::read(&Value::Object(record.clone()).to_string()).unwrap();
        assert_eq!(claim.len(), 1);
        let claim = claim.into_iter().next().unwrap().unwrap();
        let again = || exported(&metadata, &terms);
        assert!(weigh(&claim, again(), &terms.ruleset).problems.is_empty());
        // Whatever is changed, the record's own digest tells; where that is changed, too, the session does.
        let named = |field: &str| Some(format!("another export.{field}"));
        for (path, value, problem) in [
            (
                &["exit_code"][..],
                json!(7),
                Some("another exit_code".to_owned()),
            ),
            (&["export", "counts"], json!({"jwt": 1}), named("counts")),
            (&["export", "strict"], json!(true), None),
            (
                &["export", "ruleset"],
                json!("aido-0"),
                Some("with the rules aido-0".to_owned()),
            ),
            (&["export", "more"], json!(1), named("more")),
            (
                &["source", "size_bytes"],
                json!(1),
                Some("another source".to_owned()),
            ),
        ] {
            let mut altered = Value::Object(record.clone());
            let place = path
                .iter()
                .fold(&mut altered, |value, name| &mut value[*name]);
            *place = value;
            for is_new_digest in [false, true] {
                let Value::Object(mut altered) = altered.clone() else {
                    unreachable!()
                };
                let digest = digest(&mut altered);
                let digest = if is_new_digest {
                    json!(digest)
                } else {
                    record["export"]["sha256"].clone()
                };
                altered["export"]["sha256"] = digest;
                let claims = super::super::read(&Value::Object(altered).to_string()).unwrap();
                let claim = claims.into_iter().next().unwrap().unwrap();
                let again = exported(
                    &metadata,
                    &Terms {
                        ruleset: terms.ruleset.clone(),
                        ..claim.terms.clone()
                    },
                );
                let proof = weigh(&claim, again, &terms.ruleset);
                let expected = usize::from(!is_new_digest) + usize::from(problem.is_some());
                assert_eq!(proof.problems.len(), expected, "{path:?}: {proof:?}");
                let all = proof.problems.concat();
                assert!(
                    problem.iter().all(|problem| all.contains(problem)),
                    "{proof:?}"
                );
            }
        }
    }

    #[test]
    fn each_record_of_a_file_is_read_by_itself() {
        let record = Value::Object(exported(
            &minimal(ID),
            &terms(Profile::Minimal, Redaction::On),
        ));
        for (text, expected) in [
            (format!("{record}\n{record}\n"), &[true, true][..]),
            (
                format!("[{record},\n{{\"a\": 1}}, {record}]\n"),
                &[true, false, true],
            ),
            (
                format!("{record}\n{{\"session_id\": 1, \"expo"),
                &[true, false],
            ),
        ] {
            let claims = super::super::read(&text).unwrap();
            let read: Vec<bool> = claims.iter().map(Result::is_ok).collect();
            assert_eq!(read, expected, "{text}");
        }
        for text in ["", "[]", "{}", "[1]", "no"] {
            assert!(super::super::read(text).is_err(), "{text}");
        }
    }
}
