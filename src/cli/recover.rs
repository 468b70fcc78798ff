//! `aido recover`

use std::io::Write;

use serde_json::{Value, json};

use super::page::Page;
use super::reading::Reader;
use super::word::StoreArguments;
use super::{Answer, CliResult, redaction};
use crate::clock;
use crate::config::Layer;
use crate::egress;
use crate::environment::Environment;
use crate::session::metadata::SCHEMA_VERSION;
use crate::session::{Metadata, SessionId};
use crate::store::{Recovery, Store, StoreError};
use crate::view::{sanitize, units};

/// `aido recover`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
}

/// Finishes all sessions whose recorder was killed, and clears away what it left besides.
///
/// # Errors
/// When the store can't be read or written to.
pub fn recover(arguments: &Arguments, flags: Layer) -> CliResult {
    let mut reader = Reader::open(&arguments.store, flags)?;
    let environment = Environment::of_process();
    redaction::guard(&mut reader, None, &environment)?;
    let now = clock::now();
    let torn = reader.store.tidy(now)?;
    let mut done = Report::default();
    for id in reader.store.unfinished()? {
        match reader.store.recover(&id, reader.key().ok(), now) {
            Ok(Recovery::Finished(mut metadata)) => {
                if let Some(guard) = reader.guard() {
                    egress::clean(&mut metadata, guard);
                }
                done.finished.push(*metadata);
            }
            Ok(Recovery::Running) => done.running += 1,
            Ok(Recovery::Unneeded) => {}
            Ok(Recovery::NeverBegan) => done.cleared += 1,
            Err(error) => done.failed.push((id, error)),
        }
    }
    if done.finished.iter().any(|metadata| metadata.task.is_some()) {
        // Their recorders did not add them to their tasks; who reads tasks later does so too.
        let _ = reader.store.tasks();
    }
    let mut page = Page::of_word(arguments.store.form(), &environment)?;
    if arguments.store.json {
        page.json(&done.to_json(&torn))?;
        writeln!(page)?;
    } else {
        write!(page, "{}", done.to_text(&torn))?;
    }
    for (id, error) in &done.failed {
        page.note(format!("{id}: {error}"));
    }
    page.close()?;
    Ok(if done.failed.is_empty() {
        Answer::Yes
    } else {
        Answer::No
    })
}

#[derive(Default)]
struct Report {
    finished: Vec<Metadata>,
    running: usize,
    cleared: usize,
    failed: Vec<(SessionId, StoreError)>,
}

impl Report {
    fn to_text(&self, torn: &[SessionId]) -> String {
        let mut text = String::new();
        for id in torn {
            text.push_str(&format!(
                "{id}  its sidecar was damaged and is kept as .torn\n"
            ));
        }
        for metadata in &self.finished {
            let output = units::size(metadata.output_bytes);
            let command = sanitize::line(&metadata.command);
            let id = &metadata.session_id;
            text.push_str(&format!(
                "{id}  interrupted, {output} of output: {command}\n"
            ));
        }
        let mut rest = Vec::new();
        if self.cleared > 0 {
            rest.push(format!("{} that never began cleared away", self.cleared));
        }
        if self.running > 0 {
            rest.push(format!("{} still running", self.running));
        }
        text.push_str(&format!("{} recovered", self.finished.len()));
        for part in rest {
            text.push_str(&format!(", {part}"));
        }
        text.push('\n');
        text
    }

    fn to_json(&self, torn: &[SessionId]) -> Value {
        let ids = |sessions: &[Metadata]| -> Vec<Value> {
            sessions
                .iter()
                .map(|metadata| metadata.session_id.as_str().into())
                .collect()
        };
        let failed: Vec<Value> = self
            .failed
            .iter()
            .map(|(id, error)| json!({"session_id": id, "message": error.to_string()}))
            .collect();
        json!({
            "schema_version": SCHEMA_VERSION,
            "recovered": ids(&self.finished),
            "running": self.running,
            "cleared": self.cleared,
            "torn": torn,
            "failed": failed,
        })
    }
}
