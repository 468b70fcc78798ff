//! JSON Schemas of the tools' answers: the members that are always there, and of which kind they are.

use serde_json::{Map, Value, json};

/// Members of an object, each with its schema.
fn object(members: &[(&str, Value)]) -> Value {
    let required: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    let properties: Map<String, Value> = members
        .iter()
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    json!({"type": "object", "properties": properties, "required": required})
}

/// The schema of an answer: an object of these members, and those that every answer has.
fn answer(members: &[(&str, Value)]) -> Map<String, Value> {
    let common = [("schema_version", json!({})), ("recorded_text", text())];
    match object(&[&common, members].concat()) {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

fn text() -> Value {
    json!({"type": "string"})
}

fn number() -> Value {
    json!({"type": "integer"})
}

fn flag() -> Value {
    json!({"type": "boolean"})
}

fn list(of: &Value) -> Value {
    json!({"type": "array", "items": of})
}

/// The same, or null.
fn or_null(schema: &Value) -> Value {
    let mut schema = schema.clone();
    schema["type"] = json!([schema["type"], "null"]);
    schema
}

pub(super) fn sessions() -> Map<String, Value> {
    let session = object(&[
        ("session_id", text()),
        ("timestamp", text()),
        ("command", text()),
        ("exit_code", or_null(&number())),
        ("status", text()),
        ("duration_ms", or_null(&number())),
        ("agent", text()),
        ("notes", or_null(&text())),
        ("task", or_null(&text())),
        ("tags", list(&text())),
        ("fault", or_null(&text())),
    ]);
    answer(&[("sessions", list(&session)), ("next", or_null(&text()))])
}

pub(super) fn session() -> Map<String, Value> {
    let line = object(&[("number", or_null(&number())), ("text", text())]);
    answer(&[
        ("session_id", text()),
        ("command", text()),
        ("timestamp", text()),
        ("exit_code", or_null(&number())),
        ("state", text()),
        ("lines", list(&line)),
        ("line_count", or_null(&number())),
        ("next_line", or_null(&number())),
    ])
}

pub(super) fn found() -> Map<String, Value> {
    let found = object(&[
        ("session_id", text()),
        ("where", text()),
        ("line", number()),
        ("text", text()),
        ("is_cut", flag()),
        ("signature", or_null(&text())),
    ]);
    answer(&[("matches", list(&found)), ("is_cut", flag())])
}

pub(super) fn check() -> Map<String, Value> {
    let worked = object(&[
        ("session_id", text()),
        ("timestamp", text()),
        ("commit", or_null(&text())),
    ]);
    let fault = object(&[
        ("fault", text()),
        ("class", text()),
        ("count", number()),
        ("why", or_null(&text())),
        ("lessons", list(&object(&[]))),
    ]);
    answer(&[
        ("command", text()),
        ("known", flag()),
        ("faults", list(&fault)),
        ("last_worked", or_null(&worked)),
    ])
}

pub(super) fn handoff() -> Map<String, Value> {
    let any = object(&[]);
    answer(&[
        ("at", text()),
        ("for", or_null(&text())),
        ("repository", any.clone()),
        ("sums", any.clone()),
        ("failures", list(&any)),
        ("tasks", list(&any)),
        ("notes", list(&any)),
        ("commands", list(&any)),
        ("turns", list(&any)),
        ("left_out", any.clone()),
        ("unknown", list(&any)),
    ])
}

pub(super) fn lessons() -> Map<String, Value> {
    let lesson = object(&[("lesson", text()), ("standing", text()), ("text", text())]);
    answer(&[("lessons", list(&lesson))])
}
