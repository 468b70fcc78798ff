//! `aido conversations`

mod logs;

use std::collections::HashMap;
use std::io::Write;
use std::ops::ControlFlow;

use serde_json::json;

use super::error::{CliError, Kind};
use super::reading::{Reader, width};
use super::word::StoreArguments;
use super::{Answer, CliResult, io};
use crate::clock;
use crate::config::Layer;
use crate::environment::Environment;
use crate::place::Place;
use crate::session::metadata::SCHEMA_VERSION;
use crate::session::{Query, SessionId};
use crate::store::{Found, Store};
use crate::view::conversations::{Conversation, Table};
use crate::view::sanitize;
use logs::Unread;

/// How many are listed unless asked otherwise.
const COUNT: usize = 20;
/// How many of the newest sessions are asked which conversation they are of.
const SESSIONS_MAX: usize = 2000;

/// `aido conversations`
#[derive(Debug, clap::Args)]
#[command(override_usage = "aido conversations [OPTIONS]\n       \
                            aido conversations [OPTIONS] resume ID")]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// At most this many; 0 lists all
    #[arg(short = 'n', value_name = "COUNT", default_value_t = COUNT)]
    pub count: usize,
    /// Only this agent's
    #[arg(long, value_name = "NAME")]
    pub agent: Option<String>,
    /// Print the command that resumes one
    #[arg(
        value_enum,
        value_name = "ACTION",
        requires = "id",
        hide_possible_values = true
    )]
    pub action: Option<Action>,
    /// The conversation's id, or the beginning of it
    #[arg(value_name = "ID")]
    pub id: Option<String>,
}

/// What to do with a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Action {
    /// Print the command that resumes it
    Resume,
}

/// Lists the agents' own logs of their conversations about this repository, newest first.
///
/// # Errors
/// When there is no repository, or no such conversation.
pub fn conversations(arguments: &Arguments, flags: Layer) -> CliResult {
    let reader = Reader::open(&arguments.store, flags)?;
    let environment = Environment::of_process();
    let place = Place::find(std::env::current_dir().ok(), &environment);
    let root = place.root.ok_or_else(|| {
        CliError::new(Kind::NotFound, "there is no repository here")
            .with_hint("conversations are listed of the repository that one stands in")
    })?;
    let (mut found, unread) = logs::find(&root, &environment);
    if let Some(agent) = &arguments.agent {
        found.retain(|conversation| conversation.agent == agent);
    }
    if let (Some(Action::Resume), Some(id)) = (arguments.action, &arguments.id) {
        return resume(&found, id);
    }
    let is_cut = arguments.count > 0 && found.len() > arguments.count;
    if is_cut {
        found.truncate(arguments.count);
    }
    add_sessions(&reader, &mut found);
    let mut out = io::Out::stdout();
    if arguments.store.json {
        out.json(&as_json(&found, &unread))?;
        writeln!(out)?;
    } else {
        if found.is_empty() {
            writeln!(out, "no conversations about this repository were found")?;
        } else {
            let table = Table {
                conversations: &found,
                now: clock::now(),
                width: width(),
            };
            write!(out, "{table}")?;
        }
        for Unread { agent, path, why } in &unread {
            let line = format!("not understood: {agent}: {path}: {why}");
            writeln!(out, "{}", sanitize::line(&line))?;
        }
    }
    out.flush()?;
    if is_cut && !arguments.store.json {
        io::say(&format!("aido: the newest {}; -n 0 lists all", found.len()));
    }
    Ok(if found.is_empty() {
        Answer::No
    } else {
        Answer::Yes
    })
}

fn resume(found: &[Conversation], id: &str) -> CliResult {
    let fits: Vec<&Conversation> = found
        .iter()
        .filter(|conversation| match &conversation.id {
            Some(known) => known.starts_with(id),
            None => conversation.agent == id,
        })
        .collect();
    match fits.as_slice() {
        [one] => {
            io::Out::stdout().write(&format!("{}\n", sanitize::line(&one.resume)))?;
            Ok(Answer::Yes)
        }
        [] => Err(CliError::new(
            Kind::NotFound,
            format!("no conversation begins with {id:?}"),
        )
        .with_hint("aido conversations -n 0 lists them")),
        several => Err(CliError::new(
            Kind::Ambiguous,
            format!("{} conversations begin with {id:?}", several.len()),
        )
        .with_hint("type more of it")),
    }
}

/// Adds what each conversation ran, as far as the newest sessions say.
fn add_sessions(reader: &Reader, conversations: &mut [Conversation]) {
    let mut ran: HashMap<String, Vec<SessionId>> = HashMap::new();
    let mut left = SESSIONS_MAX;
    let mut take = |found: Found| {
        let id = found.entry.id();
        let known = id.as_ref().and_then(|id| reader.store.metadata(id).ok());
        let conversation = known.and_then(|known| known.harness?.conversation);
        if let (Some(id), Some(conversation)) = (id, conversation) {
            ran.entry(conversation).or_default().push(id);
        }
        left -= 1;
        match left {
            0 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    };
    // Without the sessions, the conversations are there all the same.
    let _ = reader.store.newest(&Query::default(), &mut take);
    for conversation in conversations {
        let sessions = conversation.id.as_ref().and_then(|id| ran.remove(id));
        conversation.sessions = sessions.unwrap_or_default();
    }
}

fn as_json(found: &[Conversation], unread: &[Unread]) -> serde_json::Value {
    let conversations = found.iter().map(|conversation| {
        json!({
            "agent": conversation.agent,
            "conversation": conversation.id,
            "log_file": conversation.log_file,
            "at": conversation.at,
            "size_bytes": conversation.size_bytes,
            "sessions": conversation.sessions,
            "resume": conversation.resume,
        })
    });
    let unread = unread
        .iter()
        .map(|unread| json!({"agent": unread.agent, "path": unread.path, "why": unread.why}));
    json!({
        "schema_version": SCHEMA_VERSION,
        "conversations": conversations.collect::<Vec<_>>(),
        "not_understood": unread.collect::<Vec<_>>(),
    })
}
