//! OpenTelemetry spans: a session as one span, in OTLP's JSON.
//!
//! Source: OTLP 1.x, "JSON Protobuf Encoding" (ids in hex, 64-bit integers as strings), trace.proto, W3C
//! Trace Context (`traceparent`), and the semantic conventions for processes, command-line programs and
//! agents.

use std::path::Path;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::session::Timestamp;

/// What ids are derived with, so that the same session has the same ones each time.
const TRACE_CONTEXT: &str = "aido trace 1\0";
const SPAN_CONTEXT: &str = "aido span 1\0";

/// A span of the program's own: neither a server's nor a client's.
const KIND_INTERNAL: u8 = 1;
const STATUS_OK: u8 = 1;
const STATUS_ERROR: u8 = 2;

/// Where a trace goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct TraceParent {
    trace: String,
    span: String,
}

impl TraceParent {
    /// Reads a `traceparent`; none if it is not valid.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut hex = |digits: usize| {
            let part = parts.next()?;
            let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            (part.len() == digits && part.bytes().all(is_hex)).then(|| part.to_owned())
        };
        let (version, trace, span, _flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
        let is_there = |id: &str| id.bytes().any(|digit| digit != b'0');
        let is_whole = version != "00" || parts.next().is_none();
        (version != "ff" && is_whole && is_there(&trace) && is_there(&span))
            .then_some(Self { trace, span })
    }
}

/// A request for a collector, with a span for each record.
#[must_use]
pub fn request(records: &[Record<'_>]) -> Value {
    let spans: Vec<Value> = records.iter().map(span).collect();
    json!({
        "resourceSpans": [{
            "resource": {"attributes": [
                attribute("service.name", "aido".into()),
                attribute("service.version", env!("CARGO_PKG_VERSION").into()),
            ]},
            "scopeSpans": [{
                "scope": {"name": "aido", "version": env!("CARGO_PKG_VERSION")},
                "spans": spans,
            }],
        }],
    })
}

/// A record that leaves.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its fields.
    pub fields: &'a Map<String, Value>,
    /// The sessions that it ran in, the nearest first.
    pub around: &'a [OuterSession],
}

/// A session around another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OuterSession {
    /// Its id.
    pub id: String,
    /// `TRACEPARENT` in its environment, if that is known.
    pub trace_parent: Option<String>,
}

/// The trace that a session belongs to, and the span above its own. A `TRACEPARENT` that the session around
/// it has too was handed down by that, which is nearer; another was set inside of it.
fn place(
    id: &str,
    given: Option<TraceParent>,
    around: &[OuterSession],
) -> (String, Option<String>) {
    let Some((outer, beyond)) = around.split_first() else {
        return match given {
            Some(given) => (given.trace, Some(given.span)),
            None => (derived(TRACE_CONTEXT, id, 32), None),
        };
    };
    let outer_given = outer.trace_parent.as_deref().and_then(TraceParent::parse);
    match given {
        Some(given) if Some(&given) != outer_given.as_ref() => (given.trace, Some(given.span)),
        _ => {
            let (trace, _) = place(&outer.id, outer_given, beyond);
            (trace, Some(derived(SPAN_CONTEXT, &outer.id, 16)))
        }
    }
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields.get(name)?.as_str()
}

fn span(record: &Record<'_>) -> Value {
    let fields = record.fields;
    let id = text(fields, "session_id").unwrap_or_default();
    let variables = fields.get("env").and_then(Value::as_object);
    let given = variables.and_then(|variables| text(variables, "TRACEPARENT"));
    let given = given.and_then(TraceParent::parse);
    let (trace, parent) = place(id, given, record.around);
    let (start, end) = times(fields);
    let mut span = json!({
        "traceId": trace,
        "spanId": derived(SPAN_CONTEXT, id, 16),
        "name": executable(fields).unwrap_or("command"),
        "kind": KIND_INTERNAL,
        "startTimeUnixNano": start,
        "endTimeUnixNano": end,
        "attributes": attributes(fields),
        "status": status(fields),
    });
    if let Some(parent) = parent {
        span["parentSpanId"] = parent.into();
    }
    span
}

/// Digits of a hash in hex.
fn derived(context: &str, id: &str, digits: usize) -> String {
    let mut digest = hex::encode(Sha256::digest(format!("{context}{id}")));
    digest.truncate(digits);
    digest
}

/// Nanoseconds since 1970, as OTLP writes them. A session that isn't over ends where it began.
fn times(fields: &Map<String, Value>) -> (String, String) {
    let time = |name: &str| text(fields, name)?.parse::<Timestamp>().ok();
    let nanos = |time: Timestamp| time.0.timestamp_nanos_opt().unwrap_or_default().max(0);
    let start = time("timestamp").map_or(0, nanos);
    let end = time("ended_at").map_or(start, nanos).max(start);
    (start.to_string(), end.to_string())
}

/// The name of the program.
fn executable(fields: &Map<String, Value>) -> Option<&str> {
    let program = fields.get("argv")?.get(0)?.as_str()?;
    Path::new(program).file_name()?.to_str()
}

fn attribute(name: &str, value: Value) -> Value {
    let value = match value {
        Value::String(text) => json!({"stringValue": text}),
        Value::Bool(is) => json!({"boolValue": is}),
        Value::Array(words) => {
            let words = words.iter().filter_map(Value::as_str);
            let words = words.map(|word| json!({"stringValue": word}));
            json!({"arrayValue": {"values": words.collect::<Vec<_>>()}})
        }
        number => json!({"intValue": number.to_string()}),
    };
    json!({"key": name, "value": value})
}

fn attributes(fields: &Map<String, Value>) -> Vec<Value> {
    let within = |path: &str| {
        let mut names = path.split('.');
        let first = fields.get(names.next()?)?;
        names
            .try_fold(first, |value, name| value.get(name))
            .filter(|value| !value.is_null())
            .cloned()
    };
    let named = [
        ("process.exit.code", "exit_code"),
        ("process.command_args", "argv"),
        ("process.working_directory", "cwd"),
        ("gen_ai.agent.name", "agent"),
        ("gen_ai.conversation.id", "harness.conversation"),
        ("vcs.ref.head.name", "git.branch"),
        ("vcs.ref.head.revision", "git.commit"),
        ("host.name", "host.hostname"),
        ("aido.session.id", "session_id"),
        ("aido.sha256", "sha256"),
        ("aido.state", "state"),
        ("aido.task", "task"),
        ("aido.fault", "fault"),
        ("aido.output_bytes", "output_bytes"),
    ];
    let mut all = Vec::new();
    if let Some(name) = executable(fields) {
        all.push(attribute("process.executable.name", name.into()));
    }
    for (name, path) in named {
        all.extend(within(path).map(|value| attribute(name, value)));
    }
    all.extend(error(fields).map(|error| attribute("error.type", error.into())));
    all
}

/// What kind of error it ended with: a signal, a status, or the exit code.
fn error(fields: &Map<String, Value>) -> Option<String> {
    let code = fields.get("exit_code")?.as_i64()?;
    let by_signal = text(fields, "signal").map(str::to_owned);
    let by_status = || {
        let status = text(fields, "status")?;
        matches!(status, "timed_out" | "not_started").then(|| status.to_owned())
    };
    (code != 0).then(|| {
        by_status()
            .or(by_signal)
            .unwrap_or_else(|| code.to_string())
    })
}

fn status(fields: &Map<String, Value>) -> Value {
    match (
        fields.get("exit_code").and_then(Value::as_i64),
        error(fields),
    ) {
        (None, _) => json!({}),
        (Some(_), None) => json!({"code": STATUS_OK}),
        (Some(code), Some(_)) => {
            json!({"code": STATUS_ERROR, "message": format!("exit {code}")})
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTER: &str = "a-20260305_132522-1-abcdef12";

    fn span_of(change: Value) -> Value {
        span_within(change, &[])
    }

    fn span_within(change: Value, around: &[OuterSession]) -> Value {
        let mut fields = json!({
            "session_id": "a-20260305_132523-2-abcdef13", "agent": "a", "argv": ["/usr/bin/git", "status"],
            "timestamp": "2026-03-05T13:25:23.000Z", "ended_at": "2026-03-05T13:25:23.250Z",
            "exit_code": 3, "status": "exited", "signal": null, "within": null, "env": {},
            "git": {"branch": "main"}, "harness": null, "output_bytes": 5,
        });
        for (name, value) in change.as_object().unwrap() {
            fields[name] = value.clone();
        }
        let fields = fields.as_object().unwrap();
        let record = Record { fields, around };
        let request = request(&[record]);
        request["resourceSpans"][0]["scopeSpans"][0]["spans"][0].clone()
    }

    #[test]
    fn a_session_is_a_span_with_what_is_known_of_it() {
        let span = span_of(json!({}));
        assert_eq!((&span["name"], &span["kind"]), (&json!("git"), &json!(1)));
        assert_eq!(span["startTimeUnixNano"], "1772717123000000000");
        assert_eq!(span["endTimeUnixNano"], "1772717123250000000");
        assert_eq!(span["status"], json!({"code": 2, "message": "exit 3"}));
        let attributes = span["attributes"].as_array().unwrap();
        for expected in [
            json!({"key": "process.exit.code", "value": {"intValue": "3"}}),
            json!({"key": "process.command_args", "value": {"arrayValue": {"values":
                [{"stringValue": "/usr/bin/git"}, {"stringValue": "status"}]}}}),
            json!({"key": "vcs.ref.head.name", "value": {"stringValue": "main"}}),
            json!({"key": "error.type", "value": {"stringValue": "3"}}),
        ] {
            assert!(attributes.contains(&expected), "{expected} in {span}");
        }
        let is_hex = |id: &Value, digits: usize| {
            let id = id.as_str().unwrap();
            id.len() == digits && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        assert!(is_hex(&span["traceId"], 32) && is_hex(&span["spanId"], 16));
        assert_eq!(span.get("parentSpanId"), None);
    }

    #[test]
    fn the_parent_is_the_outer_session_or_the_one_that_the_environment_named() {
        let (trace, parent) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
        let variable = json!({"env": {"TRACEPARENT": format!("00-{trace}-{parent}-01")}});
        let span = span_of(variable.clone());
        assert_eq!(
            (&span["traceId"], &span["parentSpanId"]),
            (&json!(trace), &json!(parent))
        );
        let given = variable["env"]["TRACEPARENT"].as_str().map(str::to_owned);
        let around = |trace_parent: Option<String>| {
            [OuterSession {
                id: OUTER.to_owned(),
                trace_parent,
            }]
        };
        let outer = span_of(json!({"session_id": OUTER}));
        for (change, trace_parent, expected) in [
            // Handed down by the session around it.
            (
                &variable,
                given.clone(),
                (json!(trace), outer["spanId"].clone()),
            ),
            // Set inside of that.
            (&variable, None, (json!(trace), json!(parent))),
            (
                &json!({}),
                None,
                (outer["traceId"].clone(), outer["spanId"].clone()),
            ),
            // Taken away inside of it.
            (&json!({}), given, (json!(trace), outer["spanId"].clone())),
        ] {
            let span = span_within(change.clone(), &around(trace_parent));
            assert_eq!(
                (&span["traceId"], &span["parentSpanId"]),
                (&expected.0, &expected.1)
            );
        }
    }

    #[test]
    fn a_traceparent_that_is_not_valid_is_none() {
        let (trace, span) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
        assert!(TraceParent::parse(&format!("00-{trace}-{span}-00")).is_some());
        assert!(TraceParent::parse(&format!("01-{trace}-{span}-00-more")).is_some());
        for text in [
            String::new(),
            format!("00-{trace}-{span}-00-more"),
            format!("ff-{trace}-{span}-00"),
            format!("00-{}-{span}-00", "0".repeat(32)),
            format!("00-{trace}-{}-00", "0".repeat(16)),
            format!("00-{}-{span}-00", trace.to_uppercase()),
            format!("00-{trace}-{span}"),
        ] {
            assert_eq!(TraceParent::parse(&text), None, "{text}");
        }
    }

    #[test]
    fn how_it_ended_is_an_error_of_some_type_or_none() {
        for (change, status, error) in [
            (json!({"exit_code": 0}), json!({"code": 1}), None),
            (json!({"exit_code": null}), json!({}), None),
            (
                json!({"exit_code": 143, "signal": "SIGTERM"}),
                json!({"code": 2, "message": "exit 143"}),
                Some("SIGTERM"),
            ),
            (
                json!({"exit_code": 124, "signal": "SIGTERM", "status": "timed_out"}),
                json!({"code": 2, "message": "exit 124"}),
                Some("timed_out"),
            ),
        ] {
            let span = span_of(change);
            assert_eq!(span["status"], status);
            let attributes = span["attributes"].as_array().unwrap().iter();
            let found = attributes.clone().find(|one| one["key"] == "error.type");
            assert_eq!(
                found.map(|one| &one["value"]["stringValue"]),
                error.map(Value::from).as_ref()
            );
        }
        let span = span_of(json!({"ended_at": null}));
        assert_eq!(span["startTimeUnixNano"], span["endTimeUnixNano"]);
    }
}
