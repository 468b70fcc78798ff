//! Telling agents' programs of `aido mcp`: where each keeps its list of such servers, and the entry in it.

use std::path::PathBuf;

use super::block::Block;
use super::edit::{insert, object, remove, shape};
use super::host::{Homes, Host, Scope};
use super::json::{Node, Problem};

/// The server's name in every list.
const NAME: &str = "aido";
/// The members that hold such lists.
const LISTS: [&str; 2] = ["mcpServers", "mcp"];

/// The entry in a list that is TOML: a table of its own, at the end.
pub const CODEX: Block = Block {
    begin: "# aido:begin",
    end: "# aido:end",
    text: "# aido:begin (managed by `aido init --mcp`)\n\
           [mcp_servers.aido]\n\
           command = \"aido\"\n\
           args = [\"mcp\"]\n\
           # aido:end\n",
};

/// What is put into a host's list of servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// A member of a member of this name.
    Member {
        /// The member that holds the list.
        list: &'static str,
        /// The entry, as JSON indented by two blanks.
        entry: &'static str,
    },
    /// Lines.
    Lines(Block),
}

/// What is put into a host's list of servers.
#[must_use]
pub fn registration(host: Host) -> Registration {
    let (list, entry) = match host {
        Host::Codex => return Registration::Lines(CODEX),
        Host::OpenCode => (
            "mcp",
            "{\n  \"type\": \"local\",\n  \"command\": [\"aido\", \"mcp\"],\n  \"enabled\": true\n}",
        ),
        Host::Copilot => (
            "mcpServers",
            "{\n  \"type\": \"local\",\n  \"command\": \"aido\",\n  \"args\": [\"mcp\"],\n  \"tools\": [\"*\"]\n}",
        ),
        Host::Claude | Host::Gemini | Host::Cursor => (
            "mcpServers",
            "{\n  \"command\": \"aido\",\n  \"args\": [\"mcp\"]\n}",
        ),
    };
    Registration::Member { list, entry }
}

/// The file that a host's list is in; none where it is among things that its program writes all the time.
#[must_use]
pub fn file(host: Host, scope: Scope, homes: &Homes<'_>) -> Option<PathBuf> {
    let home = |variable: &str, below: &str| {
        let own = (homes.variable)(variable);
        own.or_else(|| Some((homes.variable)("HOME")?.join(below)))
    };
    match (host, scope) {
        (Host::Gemini, _) => host.file(scope, homes),
        (Host::Claude, Scope::User) => None,
        (Host::Codex, Scope::User) => Some(home("CODEX_HOME", ".codex")?.join("config.toml")),
        (Host::Cursor, Scope::User) => Some((homes.variable)("HOME")?.join(".cursor/mcp.json")),
        (Host::Copilot, Scope::User) => {
            Some(home("COPILOT_HOME", ".copilot")?.join("mcp-config.json"))
        }
        (Host::OpenCode, Scope::User) => {
            Some(home("XDG_CONFIG_HOME", ".config")?.join("opencode/opencode.json"))
        }
        (host, Scope::Local | Scope::Project) => Some(homes.root?.join(match host {
            Host::Claude => ".mcp.json",
            Host::Codex => ".codex/config.toml",
            Host::Cursor => ".cursor/mcp.json",
            Host::Copilot => ".github/mcp.json",
            Host::OpenCode => "opencode.json",
            Host::Gemini => ".gemini/settings.json",
        })),
    }
}

/// The command that does it where there is no such file.
pub const CLAUDE_USER: &str = "claude mcp add --scope user aido -- aido mcp\n";

/// Puts the entry into settings, in the place of an own one that is there.
///
/// # Errors
/// When the settings are no plain JSON, of another shape, or have something else of this name.
pub fn register(text: &str, list: &'static str, entry: &str) -> Result<String, Problem> {
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    let root = object(text)?;
    let there = root.get(list).and_then(|servers| servers.get(NAME));
    // The same entry, wherever it stands and however it is laid out.
    if there.is_some_and(|there| bare(&text[there.span.clone()]) == bare(entry)) {
        return Ok(text.to_owned());
    }
    let without = unregister(text)?;
    let root = object(&without)?;
    match root.get(list) {
        None => {
            let value = format!("{{\n  \"{NAME}\": {}\n}}", entry.replace('\n', "\n  "));
            Ok(insert(&without, &root, Some(list), &value))
        }
        Some(servers) if servers.members().is_none() => {
            Err(shape("its list of servers is no object"))
        }
        Some(servers) if servers.get(NAME).is_some() => {
            Err(shape("it has another server called \"aido\""))
        }
        Some(servers) => Ok(insert(&without, servers, Some(NAME), entry)),
    }
}

/// Takes the entry out of settings, and the list that is empty without it.
///
/// # Errors
/// When the settings are no plain JSON.
pub fn unregister(text: &str) -> Result<String, Problem> {
    let root = object(text)?;
    for list in LISTS {
        let members = root.members().unwrap_or_default();
        let Some(place) = members.iter().position(|member| member.name == list) else {
            continue;
        };
        let servers = &members[place].value;
        let entries = servers.members().unwrap_or_default();
        let own = entries
            .iter()
            .position(|member| member.name == NAME && is_own(&member.value));
        return Ok(match (own, entries.len()) {
            (None, _) => continue,
            (Some(_), 1) => remove(text, &root, place),
            (Some(own), _) => remove(text, servers, own),
        });
    }
    Ok(text.to_owned())
}

/// Whether the entry is in settings.
#[must_use]
pub fn is_registered(text: &str) -> bool {
    object(text).is_ok_and(|root| {
        let mut servers = LISTS.iter().filter_map(|list| root.get(list)?.get(NAME));
        servers.any(is_own)
    })
}

/// Whether an entry starts `aido mcp`.
fn is_own(entry: &Node) -> bool {
    let says = |wanted: &'static str| entry.any_text(&move |text| text == wanted);
    says("aido") && says("mcp")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUND: &[&str] = &[
        "{}\n",
        "{\n  \"mcpServers\": {\n    \"other\": { \"command\": \"x\" }\n  },\n  \"z\": 1.0e5\n}\n",
        "{\n\t\"mcp\": {\n\t\t\"other\": {}\n\t}\n}",
        "{\r\n    \"model\": \"m\"\r\n}\r\n",
        "{\"mcpServers\": {\"a\": {\"command\": \"aido\"}}, \"hooks\": {}}",
    ];

    #[test]
    fn an_entry_goes_in_once_and_comes_out_leaving_every_byte() {
        for host in Host::ALL {
            let Registration::Member { list, entry } = registration(*host) else {
                assert_eq!(*host, Host::Codex);
                continue;
            };
            for found in FOUND {
                let there = register(found, list, entry).unwrap();
                assert!(is_registered(&there) && !is_registered(found), "{there}");
                assert_eq!(register(&there, list, entry).unwrap(), there);
                assert_eq!(&unregister(&there).unwrap(), found, "{host:?}");
                serde_json::from_str::<serde_json::Value>(&there).unwrap();
            }
        }
    }

    #[test]
    fn another_ones_entry_of_the_same_name_is_left_alone() {
        let theirs = "{\"mcpServers\": {\"aido\": {\"command\": \"other\"}}}";
        assert!(register(theirs, "mcpServers", "{}").is_err());
        assert_eq!(unregister(theirs).unwrap(), theirs);
        for unfit in ["{\"mcpServers\": []}", "[]", "{ // comment\n}"] {
            assert!(register(unfit, "mcpServers", "{}").is_err(), "{unfit}");
        }
    }

    #[test]
    fn an_entry_of_an_earlier_form_is_replaced() {
        let old = "{\"mcp\": {\"aido\": {\"command\": [\"aido\", \"mcp\"], \"x\": 1}}}";
        let Registration::Member { list, entry } = registration(Host::OpenCode) else {
            unreachable!("it takes JSON");
        };
        let new = register(old, list, entry).unwrap();
        assert!(!new.contains("\"x\"") && new.contains("enabled"));
    }
}
