//! Who called: the agent's name, and its program's conversation, as far as the environment tells.
//!
//! Only variables that a program sets for the commands it runs count, not its configuration. Which
//! those are is from the programs' own documentation and from the lists of detect-agent, std-env and
//! am-i-vibing.

use serde_json::Map;

use crate::environment::Environment;
use crate::session::AgentName;
use crate::session::metadata::Harness;

/// What one agent program sets for its commands.
struct Program {
    name: &'static str,
    /// A variable, and the value it must have where presence alone says nothing.
    signs: &'static [(&'static str, Option<&'static str>)],
    /// The variable with the id of its conversation.
    conversation: Option<&'static str>,
}

/// In the order asked: the first that fits is the one. Programs that also set another's variables
/// for compatibility stand before that other.
const PROGRAMS: &[Program] = &[
    Program {
        name: "cursor",
        signs: &[
            ("CURSOR_AGENT", None),
            ("CURSOR_TRACE_ID", None),
            ("CURSOR_EXTENSION_HOST_ROLE", Some("agent-exec")),
        ],
        conversation: None,
    },
    Program {
        name: "gemini",
        signs: &[("GEMINI_CLI", None)],
        conversation: Some("GEMINI_SESSION_ID"),
    },
    Program {
        name: "qwen-code",
        signs: &[("QWEN_CODE", None)],
        conversation: None,
    },
    Program {
        name: "codex",
        signs: &[
            ("CODEX_THREAD_ID", None),
            ("CODEX_SANDBOX", None),
            ("CODEX_CI", None),
        ],
        conversation: Some("CODEX_THREAD_ID"),
    },
    Program {
        name: "antigravity",
        signs: &[("ANTIGRAVITY_AGENT", None)],
        conversation: None,
    },
    Program {
        name: "augment",
        signs: &[("AUGMENT_AGENT", None)],
        conversation: None,
    },
    Program {
        name: "opencode",
        signs: &[("OPENCODE", None), ("OPENCODE_CLIENT", None)],
        conversation: Some("OPENCODE_SESSION_ID"),
    },
    Program {
        name: "goose",
        signs: &[("GOOSE_TERMINAL", None), ("AGENT", Some("goose"))],
        conversation: Some("AGENT_SESSION_ID"),
    },
    Program {
        name: "amp",
        signs: &[("AMP_CURRENT_THREAD_ID", None), ("AGENT", Some("amp"))],
        conversation: Some("AMP_CURRENT_THREAD_ID"),
    },
    Program {
        name: "crush",
        signs: &[("CRUSH", None), ("AGENT", Some("crush"))],
        conversation: None,
    },
    Program {
        name: "claude-code",
        signs: &[("CLAUDECODE", None), ("CLAUDE_CODE", None)],
        conversation: Some("CLAUDE_CODE_SESSION_ID"),
    },
    Program {
        name: "github-copilot",
        signs: &[("COPILOT_CLI", None)],
        conversation: None,
    },
    Program {
        name: "cline",
        signs: &[("CLINE_ACTIVE", None)],
        conversation: None,
    },
    Program {
        name: "pi",
        signs: &[("PI_CODING_AGENT", None)],
        conversation: None,
    },
    Program {
        name: "replit",
        signs: &[("REPL_ID", None)],
        conversation: None,
    },
];

/// The longest conversation id that is recorded.
const CONVERSATION_MAX_BYTES: usize = 200;

/// Who called.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// The agent's name.
    pub agent: AgentName,
    /// The agent program, where one was recognised.
    pub harness: Option<Harness>,
}

/// Whether the variables say that an agent program reads what is printed.
#[must_use]
pub fn is_agent(environment: &Environment) -> bool {
    environment.text("AI_AGENT").is_some() || program(environment).is_some()
}

fn program(environment: &Environment) -> Option<&'static Program> {
    PROGRAMS.iter().find(|program| {
        program.signs.iter().any(|(variable, wanted)| {
            let value = environment.text(variable);
            value.is_some_and(|value| wanted.is_none_or(|wanted| value == wanted))
        })
    })
}

/// Finds out who called. `configured` is what `--agent`, `AIDO_AGENT` or a configuration says.
#[must_use]
pub fn identify(configured: Option<&str>, environment: &Environment) -> Identity {
    let program = program(environment);
    let announced = environment.text("AI_AGENT").map(first_word);
    let name = configured
        .or(announced)
        .or(program.map(|program| program.name))
        .unwrap_or_default();
    let harness_name = program.map(|program| program.name).or(announced);
    Identity {
        agent: AgentName::from_any(name),
        harness: harness_name.map(|name| harness(name, program, environment)),
    }
}

/// `claude-code/2.1` and `claude-code@2.1 (linux)` are both `claude-code`.
fn first_word(announced: &str) -> &str {
    announced.split(['/', '@', ' ']).next().unwrap_or(announced)
}

fn harness(name: &str, program: Option<&Program>, environment: &Environment) -> Harness {
    let variable = program.and_then(|program| program.conversation);
    let conversation = variable
        .and_then(|variable| environment.text(variable))
        .filter(|id| id.len() <= CONVERSATION_MAX_BYTES && !id.chars().any(char::is_control));
    Harness {
        name: AgentName::from_any(name).to_string(),
        conversation: conversation.map(str::to_owned),
        log_file: conversation.and_then(|id| log_file(name, id, environment)),
        other: Map::new(),
    }
}

/// Where the program keeps its log of the conversation, if the name can be computed and the file
/// is there. Claude Code names the directory after the working directory with every character but
/// letters and digits as a dash.
fn log_file(name: &str, conversation: &str, environment: &Environment) -> Option<String> {
    if name != "claude-code" || conversation.contains('/') {
        return None;
    }
    let home = environment
        .absolute_path("CLAUDE_CONFIG_DIR")
        .or_else(|| Some(environment.absolute_path("HOME")?.join(".claude")))?;
    let directory = environment.text("CLAUDE_PROJECT_DIR");
    let directory = directory.or_else(|| environment.text("PWD"))?;
    let dashed: String = directory
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character
            } else {
                '-'
            }
        })
        .collect();
    let file = home
        .join("projects")
        .join(dashed)
        .join(format!("{conversation}.jsonl"));
    file.is_file().then(|| file.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::conversation::Keeper;
    use crate::agents::{Dialect, Host};

    fn agent(configured: Option<&str>, environment: &[(&str, &str)]) -> String {
        let environment = Environment::from_pairs(environment.iter().copied());
        identify(configured, &environment).agent.to_string()
    }

    #[test]
    fn the_name_comes_from_the_first_that_says_one() {
        let claude = [("CLAUDECODE", "1"), ("AI_AGENT", "my-agent/1.2")];
        assert_eq!(agent(Some("Reviewer"), &claude), "reviewer");
        assert_eq!(agent(None, &claude), "my-agent");
        assert_eq!(agent(None, &claude[..1]), "claude-code");
        assert_eq!(agent(None, &[]), "ai-agent");
        assert_eq!(agent(None, &[("AGENT", "amp")]), "amp");
        assert_eq!(agent(None, &[("AGENT", "something")]), "ai-agent");
    }

    #[test]
    fn configuration_of_a_program_is_no_sign_of_it() {
        for variable in ["CODEX_HOME", "CLAUDE_PROJECT_DIR", "COPILOT_MODEL"] {
            assert_eq!(agent(None, &[(variable, "x")]), "ai-agent", "{variable}");
            assert!(!is_agent(&Environment::from_pairs([(variable, "x")])));
        }
        for variable in ["CLAUDECODE", "AI_AGENT", "CODEX_THREAD_ID"] {
            assert!(is_agent(&Environment::from_pairs([(variable, "x")])));
        }
    }

    #[test]
    fn a_program_has_one_name_wherever_it_is_met() {
        let known = |name: &str| PROGRAMS.iter().any(|program| program.name == name);
        for host in Host::ALL {
            let name = host.dialect().map_or(host.name(), Dialect::agent);
            assert!(known(name), "{name}");
        }
        // Nothing in the environment of its commands tells of it.
        let unseen = Keeper::Aider;
        for keeper in Keeper::ALL {
            let name = keeper.agent();
            assert_eq!(known(name), *keeper != unseen, "{name}");
        }
    }

    #[test]
    fn the_conversation_is_recorded_where_the_program_tells() {
        let pairs = [("CODEX_THREAD_ID", "0199-abc")];
        let identity = identify(None, &Environment::from_pairs(pairs));
        let harness = identity.harness.unwrap();
        assert_eq!(harness.name, "codex");
        assert_eq!(harness.conversation.as_deref(), Some("0199-abc"));
    }
}
