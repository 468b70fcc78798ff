//! What belongs into which file, as was asked for.

use std::path::{Path, PathBuf};

use super::{Agent, Arguments};
use crate::agents::block::{AGENTS, GITIGNORE};
use crate::agents::host::Scope;
use crate::agents::server::CLAUDE_USER;
use crate::agents::{Host, Mode};
use crate::cli::error::{CliError, Kind};
use crate::cli::mcp;
use crate::install::{Piece, Records, Site, Step, plan};

/// What is to be done so that everything is in place that was asked for.
///
/// # Errors
/// When there is no repository, no host or no home, or this build has no MCP.
pub(super) fn to_install(
    arguments: &Arguments,
    site: &Site<'_>,
    records: Option<&Records>,
) -> Result<Vec<Step>, CliError> {
    let scope = arguments.scope.unwrap_or(Scope::Local);
    let root = site.place.root.as_deref();
    if root.is_none() && scope != Scope::User {
        return Err(CliError::new(Kind::Failed, "there is no repository here")
            .with_hint("aido init --scope user installs for all of yours"));
    }
    let mut hosts = arguments.named();
    if arguments.agents.is_empty() || arguments.agents.contains(&Agent::Auto) {
        hosts.extend(site.hosts());
    }
    hosts.sort_unstable();
    hosts.dedup();
    check_homes(&hosts, scope, site)?;
    if hosts.is_empty() && !arguments.agents_md && !arguments.skill {
        return Err(
            CliError::new(Kind::NotFound, "no agent's program is used here")
                .with_hint("aido init --agent NAME installs for one that isn't there yet"),
        );
    }
    if arguments.mcp && !mcp::IS_THERE {
        let message = "this aido was built without MCP, so nothing could start it";
        return Err(CliError::new(Kind::Failed, message)
            .with_hint("without --mcp the hooks are installed; the feature `mcp` builds it in"));
    }
    let mut wanted: Vec<(Piece, PathBuf)> = Vec::new();
    let mut by_hand = Vec::new();
    for host in &hosts {
        let hooks = site.file(*host, scope);
        let server = site.server_file(*host, scope).filter(|_| arguments.mcp);
        if server.is_some() && hooks == server {
            wanted.extend(hooks.map(|file| (Piece::Both(*host), file)));
            continue;
        }
        wanted.extend(hooks.map(|file| (Piece::Hooks(*host), file)));
        if arguments.mcp && server.is_none() {
            by_hand.push(Step::Refused {
                shown: PathBuf::from(".claude.json"),
                why: "Claude Code writes it all the time; this puts the server into it".to_owned(),
                snippet: CLAUDE_USER.to_owned(),
            });
        }
        wanted.extend(server.map(|file| (Piece::Server(*host), file)));
    }
    if let Some(root) = root.filter(|_| scope != Scope::User) {
        if arguments.skill {
            wanted.extend(site.skill(&hosts).map(|place| (Piece::Skill, place)));
        }
        if arguments.agents_md {
            wanted.push((Piece::Lines(AGENTS), root.join("AGENTS.md")));
        }
        wanted.push((Piece::Lines(GITIGNORE), root.join(".gitignore")));
    }
    let steps = wanted.iter();
    let mode = |path: &Path| arguments.mode.or_else(|| plan::mode_in(path));
    let mode = |path: &Path| mode(path).unwrap_or(Mode::Observe);
    let steps = steps.map(|(piece, path)| plan::install(piece, path, mode(path), records));
    Ok(steps.chain(by_hand).collect())
}

/// Whether it is known where these hosts' files are.
fn check_homes(hosts: &[Host], scope: Scope, site: &Site<'_>) -> Result<(), CliError> {
    let mut hosts = hosts.iter();
    match hosts.find(|host| site.file(**host, scope).is_none()) {
        None => Ok(()),
        Some(host) => {
            let message = format!("nobody knows where the settings of {} are", host.name());
            Err(CliError::new(Kind::Failed, message).with_hint("set HOME"))
        }
    }
}

/// What is to be done so that nothing is left of what was asked for.
///
/// # Errors
/// When nobody knows where a host's settings are.
pub(super) fn to_uninstall(
    arguments: &Arguments,
    site: &Site<'_>,
    records: Option<&Records>,
) -> Result<Vec<Step>, CliError> {
    let scopes: &[Scope] = match arguments.scope {
        Some(Scope::User) => &[Scope::User],
        Some(Scope::Local) | Some(Scope::Project) | None => &[Scope::Local, Scope::Project],
    };
    let named = arguments.named();
    if scopes.contains(&Scope::User) {
        let hosts = if named.is_empty() { Host::ALL } else { &named };
        check_homes(hosts, Scope::User, site)?;
    }
    let all = site.all(scopes);
    let wanted = all.iter().filter(|(piece, _)| match piece {
        Piece::Hooks(host) | Piece::Server(host) | Piece::Both(host) => {
            named.is_empty() || named.contains(host)
        }
        // They are everybody's.
        Piece::Lines(_) | Piece::Skill => named.is_empty(),
    });
    let steps = wanted.filter_map(|(piece, path)| plan::uninstall(piece, path, records));
    Ok(steps.collect())
}
