//! A session's fields with secrets replaced, as they are shown where secrets may not be.

use serde_json::{Map, Value};

use super::command_line;
use crate::redact::Redactor;
use crate::session::Metadata;

/// Fields of an event that are fixed by their form.
const FIXED: &[&str] = &[
    "type",
    "session_id",
    "timestamp",
    "sha256",
    "typescript_file",
];

/// Replaces secrets in every text of a session.
pub fn clean(metadata: &mut Metadata, redactor: &Redactor) {
    let line = command_line(metadata, redactor);
    let (argv, cwd) = (metadata.argv.clone(), metadata.cwd.clone());
    super::put_marks(metadata);
    if line.argv != argv {
        // The same bytes again, in hex.
        metadata.argv_hex = None;
    }
    metadata.command = line.command;
    metadata.argv = line.argv;
    metadata.shell_line = line.shell_line;
    let mut text = |text: &mut String| *text = redactor.text(text).0;
    text(&mut metadata.agent);
    text(&mut metadata.stdout_tail);
    let optional = [
        &mut metadata.stderr_head,
        &mut metadata.notes,
        &mut metadata.fault,
        &mut metadata.cwd,
        &mut metadata.start_error,
        &mut metadata.task,
        &mut metadata.parent,
        &mut metadata.within,
    ];
    optional.into_iter().flatten().for_each(&mut text);
    if metadata.cwd != cwd {
        metadata.cwd_hex = None;
    }
    metadata.lessons.iter_mut().for_each(&mut text);
    metadata.tags.iter_mut().for_each(&mut text);
    text(&mut metadata.host.hostname);
    if let Some(branch) = metadata.git.as_mut().and_then(|git| git.branch.as_mut()) {
        text(branch);
    }
    if let Some(harness) = &mut metadata.harness {
        text(&mut harness.name);
        harness.conversation.iter_mut().for_each(&mut text);
        harness.log_file.iter_mut().for_each(&mut text);
        fields(&mut harness.other, redactor);
    }
    let others = [
        &mut metadata.other,
        &mut metadata.tty.other,
        &mut metadata.host.other,
    ];
    for other in others {
        fields(other, redactor);
    }
    if let Some(checkpoint) = &mut metadata.checkpoint {
        let moments = [Some(&mut checkpoint.before), checkpoint.after.as_mut()];
        for moment in moments.into_iter().flatten() {
            let paths = moment.left_out.iter_mut().map(|left| &mut left.path);
            paths.chain(&mut moment.problem).for_each(&mut text);
            fields(&mut moment.other, redactor);
        }
        fields(&mut checkpoint.other, redactor);
    }
    if let Some(git) = &mut metadata.git {
        fields(&mut git.other, redactor);
    }
    fields(&mut metadata.env, redactor);
}

/// Replaces secrets in an event, of which the first holds a command line.
pub fn clean_event(event: &mut Value, redactor: &Redactor) {
    if let Ok(mut metadata) = serde_json::from_value::<Metadata>(event.clone()) {
        clean(&mut metadata, redactor);
        let cleaned = serde_json::to_value(&metadata).unwrap_or_default();
        if let (Value::Object(event), Value::Object(cleaned)) = (event, cleaned) {
            for (name, value) in event.iter_mut() {
                if let Some(cleaned) = cleaned.get(name) {
                    *value = cleaned.clone();
                }
            }
        }
        return;
    }
    match event {
        Value::Object(event) => fields(event, redactor),
        other => value(other, redactor),
    }
}

/// Replaces secrets in the values of fields; the name of one says something about its value.
fn fields(fields: &mut Map<String, Value>, redactor: &Redactor) {
    for (name, one) in fields {
        match one {
            _ if FIXED.contains(&name.as_str()) => {}
            Value::String(text) => {
                *text = field(name, text, redactor);
            }
            other => value(other, redactor),
        }
    }
}

/// A field's value, which its name says something about.
pub(super) fn field(name: &str, text: &str, redactor: &Redactor) -> String {
    let before = format!("{name}=");
    let (shown, _) = redactor.text(&format!("{before}{text}"));
    match shown.strip_prefix(&before) {
        Some(shown) => shown.to_owned(),
        None => redactor.text(text).0,
    }
}

fn value(one: &mut Value, redactor: &Redactor) {
    match one {
        Value::String(text) => *text = redactor.text(text).0,
        Value::Array(values) => values.iter_mut().for_each(|one| value(one, redactor)),
        Value::Object(named) => fields(named, redactor),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
