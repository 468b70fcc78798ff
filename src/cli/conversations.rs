//! `aido conversations`

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::ops::ControlFlow;

use serde_json::json;

use super::error::{CliError, Kind};
use super::reading::{Reader, width};
use super::word::StoreArguments;
use super::{Answer, CliResult, io, redaction};
use crate::clock;
use crate::config::Layer;
use crate::conversations::{Finding, LOGS_MAX, Reach, Repository, Unread, find};
use crate::environment::Environment;
use crate::place::Place;
use crate::session::metadata::SCHEMA_VERSION;
use crate::session::{Query, SessionId};
use crate::store::{Found, Store};
use crate::view::conversations::{Conversation, Ran, Table};
use crate::view::sanitize;

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
    let mut reader = Reader::open(&arguments.store, flags)?;
    let environment = Environment::of_process();
    redaction::guard(&mut reader, None, &environment)?;
    let place = Place::find(std::env::current_dir().ok(), &environment);
    let repository = Repository::of(&place, &environment).ok_or_else(|| {
        CliError::new(Kind::NotFound, "there is no repository here")
            .with_hint("conversations are listed of the repository that one stands in")
    })?;
    let reach = match (arguments.count, arguments.action) {
        (0, _) | (_, Some(Action::Resume)) => Reach::All,
        _ => Reach::Newest,
    };
    let Finding {
        conversations: mut found,
        unread,
        cut,
    } = find(&repository, &environment, reach);
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
        out.json(&as_json(&found, &unread, &cut))?;
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
    if !cut.is_empty() && !arguments.store.json {
        let agents = cut.join(", ");
        io::say(&format!(
            "aido: only the newest {LOGS_MAX} logs of {agents} were looked at; -n 0 looks at all"
        ));
    }
    Ok(if found.is_empty() {
        Answer::No
    } else {
        Answer::Yes
    })
}

fn resume(found: &[Conversation], id: &str) -> CliResult {
    let mut fits: Vec<&Conversation> = found
        .iter()
        .filter(|conversation| match &conversation.id {
            Some(known) => known.starts_with(id),
            None => conversation.agent == id,
        })
        .collect();
    // An id may begin with another one that is whole.
    if fits.iter().any(|it| it.id.as_deref() == Some(id)) {
        fits.retain(|it| it.id.as_deref() == Some(id));
    }
    match fits.as_slice() {
        [one] => {
            io::Out::stdout().write(&format!("{}\n", one.resume))?;
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
    let mut ran: HashMap<String, Vec<Ran>> = HashMap::new();
    let known = conversations.iter().filter_map(|it| it.id.clone());
    let known: HashSet<String> = known.collect();
    let mut left = SESSIONS_MAX;
    let mut take = |found: Found| {
        let id = found.entry.id();
        let of = id.as_ref().and_then(|id| conversation(reader, id));
        let of = of.filter(|conversation| known.contains(conversation));
        if let (Some(id), Some(conversation)) = (id, of) {
            ran.entry(conversation).or_default().push(Ran {
                command: reader.leaving_command(&id, &found.entry.command),
                exit_code: found.entry.exit_code,
                id,
            });
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
        let ran = conversation.id.as_ref().and_then(|id| ran.remove(id));
        conversation.ran = ran.unwrap_or_default();
    }
}

/// The conversation that a session is of.
fn conversation(reader: &Reader, id: &SessionId) -> Option<String> {
    reader.store.metadata(id).ok()?.harness?.conversation
}

fn as_json(found: &[Conversation], unread: &[Unread], cut: &[&'static str]) -> serde_json::Value {
    let conversations = found.iter().map(|conversation| {
        let sessions: Vec<&SessionId> = conversation.ran.iter().map(|ran| &ran.id).collect();
        let commands = conversation.ran.iter().map(
            |ran| json!({"session_id": ran.id, "exit_code": ran.exit_code, "command": ran.command}),
        );
        json!({
            "agent": conversation.agent,
            "conversation": conversation.id,
            "log_file": conversation.log_file,
            "at": conversation.at,
            "size_bytes": conversation.size_bytes,
            "sessions": sessions,
            "commands": commands.collect::<Vec<_>>(),
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
        "only_newest_of": cut,
    })
}
