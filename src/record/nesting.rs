//! What a command is told of the session that it runs in, and what the session around is told of it.

use std::ffi::OsStr;
use std::path::Path;

use super::{Request, SESSION_VARIABLE, shell};
use crate::plan::{self, RunPlan, TerminalPlan};
use crate::session::{Metadata, SessionId};
use crate::wire::{self, Client};

/// The variable with the directory of the socket of the detached session around.
const CHANNEL_VARIABLE: &str = "AIDO_CHANNEL";
/// The variable in which some shells give each program the path that they found it at.
const PATH_VARIABLE: &str = "_";

/// The plan of a run in the session of this id.
pub(super) fn plan(request: &Request, terminal: TerminalPlan, id: Option<&SessionId>) -> RunPlan {
    let mut environment = request.environment.all().to_vec();
    terminal.adapt(&mut environment);
    if request.settings.is_hooked {
        if let Some(path) = path_of_shell(request) {
            plan::set(&mut environment, PATH_VARIABLE, &path);
        }
    } else if let Some(id) = id {
        plan::set(&mut environment, SESSION_VARIABLE, id.as_str());
        let channel = request.detached.as_ref();
        let channel = channel.and_then(|detached| detached.channel.as_deref()?.to_str());
        if let Some(channel) = channel {
            plan::set(&mut environment, CHANNEL_VARIABLE, channel);
        }
    }
    RunPlan {
        argv: request.command.argv.clone(),
        environment,
        terminal,
        timeout: request.settings.timeout,
    }
}

/// What the shell would have said that the program's path is, where it says aido's.
fn path_of_shell(request: &Request) -> Option<String> {
    let said = Path::new(request.environment.value(PATH_VARIABLE)?);
    if said.file_name() != Some(OsStr::new("aido")) {
        return None;
    }
    let path = shell::find_program(request.command.argv.first()?, &request.environment)?;
    path.into_os_string().into_string().ok()
}

/// Tells the detached session around this one which conversation of its own the agent is in. Nobody
/// waits for it, and where it can't be told it isn't.
pub(super) fn tell_conversation(request: &Request, known: &Metadata) {
    let conversation = known.harness.as_ref();
    let conversation =
        conversation.and_then(|harness| Some((&harness.name, harness.conversation.as_ref()?)));
    let environment = &request.environment;
    let around = known
        .within
        .as_deref()
        .and_then(|id| id.parse::<SessionId>().ok());
    let channel = environment.absolute_path(CHANNEL_VARIABLE);
    if let (Some((agent, id)), Some(around), Some(channel)) = (conversation, around, channel) {
        let (agent, id) = (agent.clone(), id.clone());
        let told = wire::Request::Conversation { agent, id };
        let _ = Client::tell(&channel, &around, &told);
    }
}
