//! `aido note`

use std::io::Write;

use super::error::{CliError, Kind};
use super::page::Page;
use super::reading::Reader;
use super::word::StoreArguments;
use super::{Answer, CliResult, io, redaction};
use crate::caller;
use crate::clock;
use crate::config::Layer;
use crate::egress;
use crate::environment::Environment;
use crate::faults::lesson::{Learned, Standing, Subject};
use crate::faults::{FaultId, Lesson};
use crate::memory::{FaultStore, Hide};
use crate::record::secrets;
use crate::session::Metadata;
use crate::store::Store;
use crate::store::resolve::resolve;
use crate::view::session::Summary;

/// `aido note`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// last, last~2, last:failed, @agent, an id, or the beginning or end of one
    #[arg(value_name = "SESSION")]
    pub selector: String,
    /// The note; takes the place of the present one, and an empty one removes it
    #[arg(value_name = "TEXT", allow_hyphen_values = true)]
    pub text: Option<String>,
    /// Add the text to the present note as a line of its own
    #[arg(long, requires = "text")]
    pub append: bool,
    /// Add a label; may be given more than once
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// Remove a label; may be given more than once
    #[arg(long, value_name = "TAG")]
    pub untag: Vec<String>,
    /// Keep the session when old ones go
    #[arg(long, conflicts_with = "unpin")]
    pub pin: bool,
    /// Let it go like any other
    #[arg(long)]
    pub unpin: bool,
    /// Name the fault that it ran into; an empty id removes it
    #[arg(long, value_name = "ID")]
    pub fault: Option<String>,
    /// Add what was learned from it; may be given more than once
    #[arg(long, value_name = "TEXT")]
    pub lesson: Vec<String>,
    /// Remove a lesson, word for word; may be given more than once
    #[arg(long, value_name = "TEXT")]
    pub unlesson: Vec<String>,
}

/// Changes what people say about a session: its note, labels, pin, fault and lessons.
///
/// # Errors
/// When the session isn't there, is still running, or its sidecar can't be changed.
pub fn note(arguments: &Arguments, flags: Layer) -> CliResult {
    let lists = [
        &arguments.tag,
        &arguments.untag,
        &arguments.lesson,
        &arguments.unlesson,
    ];
    let says_nothing = arguments.text.is_none()
        && arguments.fault.is_none()
        && !arguments.pin
        && !arguments.unpin
        && lists.iter().all(|list| list.is_empty());
    if says_nothing {
        return Err(CliError::new(Kind::Usage, "there is nothing to change")
            .with_hint("aido note SESSION TEXT, --tag, --pin, --fault or --lesson"));
    }
    for (option, texts) in [("--tag", &arguments.tag), ("--lesson", &arguments.lesson)] {
        if texts.iter().any(|text| text.trim().is_empty()) {
            let message = format!("{option}: text that is not empty");
            return Err(CliError::new(Kind::Usage, message)
                .with_hint(format!("{} takes one away", option.replace("--", "--un"))));
        }
    }
    let mut reader = Reader::open(&arguments.store, flags)?;
    let id = resolve(&reader.store, &arguments.selector)?;
    // Only here are the values of the caller's own secrets known.
    let environment = Environment::of_process();
    let marker = secrets::redactor(secrets::own(&environment), reader.key().ok());
    let mut fault = None;
    let mut change = |metadata: &mut Metadata| {
        let before = metadata.clone();
        apply(arguments, metadata);
        egress::mark_again(metadata, &before, &marker);
        fault.clone_from(&metadata.fault);
    };
    reader
        .store
        .edit(&id, reader.key().ok(), clock::now(), &mut change)?;
    if let Some(fault) = fault.and_then(|fault| fault.parse::<FaultId>().ok()) {
        teach(arguments, &reader, &environment, &fault);
    }
    redaction::guard(&mut reader, None, &environment)?;
    let session = reader.read(&id)?;
    let mut page = Page::of_word(arguments.store.form(), &environment)?;
    if arguments.store.json {
        page.json(&session.to_json())?;
        writeln!(page)?;
    } else {
        let summary = Summary {
            shown: &session,
            palette: page.palette,
            audience: page.audience,
        };
        write!(page, "{summary}")?;
    }
    page.close()?;
    Ok(Answer::Yes)
}

/// Lets failure memory know what was learned of a session's failure, or is no longer held of it, as
/// `aido lesson add --fault` and `retire` do. The session has it in any case.
fn teach(arguments: &Arguments, reader: &Reader, environment: &Environment, fault: &FaultId) {
    let memory = FaultStore::beside(&reader.store);
    let hide = Hide::new(environment.texts());
    let about = Subject {
        fault: Some(fault.clone()),
        ..Subject::default()
    };
    let lesson = |text: &String| Lesson::written(&hide.text(text), about.clone());
    let agent = caller::identify(None, environment).agent;
    let now = clock::now();
    let learn = |learned: &mut Learned| {
        if learned.at.is_empty() {
            learned.at = now.to_string();
            learned.agent = agent.to_string();
        }
    };
    let retired = arguments.unlesson.iter().map(|text| {
        match memory.judge_lesson(&lesson(text).lesson, Standing::Retired) {
            // It was the session's alone.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            retired => retired,
        }
    });
    let added = arguments.lesson.iter().map(|text| {
        let known = memory.add_lesson(&lesson(text), &learn)?;
        if known.standing == Standing::Retired {
            memory.judge_lesson(&known.lesson.lesson, Standing::Active)?;
        }
        Ok(())
    });
    for error in retired.chain(added).filter_map(Result::err) {
        io::say(&format!("aido: {}: {error}", memory.path().display()));
    }
}

fn apply(arguments: &Arguments, metadata: &mut Metadata) {
    if let Some(text) = &arguments.text {
        let before = metadata.notes.take().filter(|_| arguments.append);
        let note = match before {
            Some(before) => format!("{before}\n{text}"),
            None => text.clone(),
        };
        metadata.notes = Some(note).filter(|note| !note.is_empty());
    }
    change_list(&mut metadata.tags, &arguments.tag, &arguments.untag);
    change_list(
        &mut metadata.lessons,
        &arguments.lesson,
        &arguments.unlesson,
    );
    if let Some(fault) = &arguments.fault {
        metadata.fault = Some(fault.clone()).filter(|fault| !fault.is_empty());
    }
    metadata.pinned = (metadata.pinned || arguments.pin) && !arguments.unpin;
}

/// Each thing once, in the order in which they came.
fn change_list(list: &mut Vec<String>, added: &[String], removed: &[String]) {
    list.retain(|item| !removed.contains(item));
    for item in added {
        if !list.contains(item) {
            list.push(item.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_hold_each_thing_once() {
        let owned = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
        let mut list: Vec<String> = owned(&["a", "b"]);
        let added: Vec<String> = owned(&["c", "b", "c"]);
        let removed: Vec<String> = owned(&["a", "x"]);
        change_list(&mut list, &added, &removed);
        assert_eq!(list, ["b", "c"]);
    }
}
