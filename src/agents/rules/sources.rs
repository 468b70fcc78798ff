//! Where hosts have their rules.

use crate::agents::payload::Dialect;

/// Something that a host reads rules from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Where it is looked for.
    pub place: Place,
    /// Its path there. A directory `*` in it is any.
    pub path: &'static str,
    /// What it is.
    pub form: Form,
}

/// Where something with rules is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the directories that the host works and was started in, and in all above them.
    Project,
    /// In the user's home.
    Home,
    /// In the directory that this variable names in the home's stead.
    Variable(&'static str),
    /// From the root.
    System,
    /// The file that this variable names.
    Named(&'static str),
    /// The text of this variable.
    Text(&'static str),
}

/// What something with rules is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON settings, which are read.
    Settings,
    /// OpenCode's permissions alone.
    Permission,
    /// Any text, which has rules if one of these is in it.
    Naming(&'static [&'static str]),
    /// Something else that is there or not: then any command may have a rule.
    Anything,
}

/// What an editor's settings call commands that are run without a question, or never.
const AUTOMATIC: &[&str] = &["autoApprove", "allowList", "denyList"];

/// What says that an extension is somewhere else.
const LINKED: &[&str] = &["\"link\""];

const fn source(place: Place, path: &'static str, form: Form) -> Source {
    Source { place, path, form }
}

/// Claude Code's.
const CLAUDE: &[Source] = &[
    source(Place::Project, ".claude/settings.json", Form::Settings),
    source(
        Place::Project,
        ".claude/settings.local.json",
        Form::Settings,
    ),
    source(Place::Home, ".claude/settings.json", Form::Settings),
    source(Place::Home, ".claude/settings.local.json", Form::Settings),
    source(
        Place::Variable("CLAUDE_CONFIG_DIR"),
        "settings.json",
        Form::Settings,
    ),
    source(
        Place::Variable("CLAUDE_CONFIG_DIR"),
        "settings.local.json",
        Form::Settings,
    ),
    source(
        Place::System,
        "/etc/claude-code/managed-settings.json",
        Form::Settings,
    ),
    source(
        Place::System,
        "/etc/claude-code/managed-settings.d",
        Form::Anything,
    ),
    source(
        Place::System,
        "/Library/Application Support/ClaudeCode/managed-settings.json",
        Form::Settings,
    ),
    source(
        Place::System,
        "/Library/Application Support/ClaudeCode/managed-settings.d",
        Form::Anything,
    ),
];

/// Copilot's besides Claude Code's, which it reads as well: its own, and those of the editor that it is in.
const COPILOT: &[Source] = &[
    source(
        Place::Project,
        ".github/copilot/settings.json",
        Form::Settings,
    ),
    source(
        Place::Project,
        ".github/copilot/settings.local.json",
        Form::Settings,
    ),
    source(Place::Home, ".copilot/settings.json", Form::Settings),
    source(
        Place::Variable("COPILOT_HOME"),
        "settings.json",
        Form::Settings,
    ),
    source(
        Place::Project,
        ".vscode/settings.json",
        Form::Naming(AUTOMATIC),
    ),
    source(
        Place::Home,
        ".config/Code/User/settings.json",
        Form::Naming(AUTOMATIC),
    ),
    source(
        Place::Home,
        ".config/Code - Insiders/User/settings.json",
        Form::Naming(AUTOMATIC),
    ),
    source(
        Place::Home,
        ".config/VSCodium/User/settings.json",
        Form::Naming(AUTOMATIC),
    ),
    source(
        Place::Home,
        ".vscode-server/data/Machine/settings.json",
        Form::Naming(AUTOMATIC),
    ),
    source(
        Place::Home,
        ".vscode-server-insiders/data/Machine/settings.json",
        Form::Naming(AUTOMATIC),
    ),
    source(
        Place::Home,
        ".vscode-remote/data/Machine/settings.json",
        Form::Naming(AUTOMATIC),
    ),
];

/// Codex's.
const CODEX: &[Source] = &[
    source(Place::Project, ".codex/rules", Form::Anything),
    source(Place::Home, ".codex/rules", Form::Anything),
    source(Place::Variable("CODEX_HOME"), "rules", Form::Anything),
    source(Place::System, "/etc/codex/rules", Form::Anything),
    source(
        Place::System,
        "/etc/codex/requirements.toml",
        Form::Anything,
    ),
];

/// Gemini CLI's.
const GEMINI: &[Source] = &[
    source(Place::Project, ".gemini/settings.json", Form::Settings),
    source(Place::Home, ".gemini/settings.json", Form::Settings),
    source(
        Place::System,
        "/etc/gemini-cli/settings.json",
        Form::Settings,
    ),
    source(
        Place::System,
        "/etc/gemini-cli/system-defaults.json",
        Form::Settings,
    ),
    source(
        Place::Named("GEMINI_CLI_SYSTEM_SETTINGS_PATH"),
        "",
        Form::Settings,
    ),
    source(
        Place::Named("GEMINI_CLI_SYSTEM_DEFAULTS_PATH"),
        "",
        Form::Settings,
    ),
    source(
        Place::System,
        "/Library/Application Support/GeminiCli/settings.json",
        Form::Settings,
    ),
    source(Place::Project, ".gemini/policies", Form::Anything),
    source(Place::Home, ".gemini/policies", Form::Anything),
    source(Place::System, "/etc/gemini-cli/policies", Form::Anything),
    source(
        Place::Project,
        ".gemini/extensions/*/gemini-extension.json",
        Form::Settings,
    ),
    source(
        Place::Home,
        ".gemini/extensions/*/gemini-extension.json",
        Form::Settings,
    ),
    source(
        Place::Project,
        ".gemini/extensions/*/policies",
        Form::Anything,
    ),
    source(Place::Home, ".gemini/extensions/*/policies", Form::Anything),
    source(
        Place::Project,
        ".gemini/extensions/*/.gemini-extension-install.json",
        Form::Naming(LINKED),
    ),
    source(
        Place::Home,
        ".gemini/extensions/*/.gemini-extension-install.json",
        Form::Naming(LINKED),
    ),
];

/// Cursor's.
const CURSOR: &[Source] = &[
    source(Place::Project, ".cursor/cli.json", Form::Settings),
    source(Place::Home, ".cursor/cli-config.json", Form::Settings),
    source(
        Place::Variable("CURSOR_CONFIG_DIR"),
        "cli-config.json",
        Form::Settings,
    ),
    source(
        Place::Variable("XDG_CONFIG_HOME"),
        "cursor/cli-config.json",
        Form::Settings,
    ),
    source(Place::Project, ".cursor/hooks.json", Form::Settings),
    source(Place::Home, ".cursor/hooks.json", Form::Settings),
    source(Place::System, "/etc/cursor/hooks.json", Form::Settings),
    source(
        Place::System,
        "/Library/Application Support/Cursor/hooks.json",
        Form::Settings,
    ),
    source(Place::Project, ".cursor/permissions.json", Form::Anything),
    source(Place::Home, ".cursor/permissions.json", Form::Anything),
];

/// OpenCode's, which has a plugin and no payloads.
pub const OPENCODE: &[Source] = &[
    source(Place::Project, "opencode.json", Form::Settings),
    source(Place::Project, "opencode.jsonc", Form::Settings),
    source(Place::Project, ".opencode/opencode.json", Form::Settings),
    source(Place::Project, ".opencode/opencode.jsonc", Form::Settings),
    source(Place::Project, ".opencode/agent", Form::Anything),
    source(Place::Project, ".opencode/agents", Form::Anything),
    source(Place::Project, ".opencode/mode", Form::Anything),
    source(Place::Project, ".opencode/modes", Form::Anything),
    source(
        Place::Home,
        ".config/opencode/opencode.json",
        Form::Settings,
    ),
    source(
        Place::Home,
        ".config/opencode/opencode.jsonc",
        Form::Settings,
    ),
    source(Place::Home, ".config/opencode/config.json", Form::Settings),
    source(Place::Home, ".config/opencode/agent", Form::Anything),
    source(Place::Home, ".config/opencode/agents", Form::Anything),
    source(Place::Home, ".config/opencode/mode", Form::Anything),
    source(Place::Home, ".config/opencode/modes", Form::Anything),
    source(
        Place::Variable("XDG_CONFIG_HOME"),
        "opencode/opencode.json",
        Form::Settings,
    ),
    source(
        Place::Variable("XDG_CONFIG_HOME"),
        "opencode/opencode.jsonc",
        Form::Settings,
    ),
    source(
        Place::Variable("XDG_CONFIG_HOME"),
        "opencode/config.json",
        Form::Settings,
    ),
    source(
        Place::Variable("XDG_CONFIG_HOME"),
        "opencode/agent",
        Form::Anything,
    ),
    source(
        Place::Variable("XDG_CONFIG_HOME"),
        "opencode/agents",
        Form::Anything,
    ),
    source(
        Place::Variable("XDG_CONFIG_HOME"),
        "opencode/mode",
        Form::Anything,
    ),
    source(
        Place::Variable("XDG_CONFIG_HOME"),
        "opencode/modes",
        Form::Anything,
    ),
    source(
        Place::Variable("OPENCODE_CONFIG_DIR"),
        "opencode.json",
        Form::Settings,
    ),
    source(
        Place::Variable("OPENCODE_CONFIG_DIR"),
        "opencode.jsonc",
        Form::Settings,
    ),
    source(
        Place::Variable("OPENCODE_CONFIG_DIR"),
        "config.json",
        Form::Settings,
    ),
    source(
        Place::Variable("OPENCODE_CONFIG_DIR"),
        "agent",
        Form::Anything,
    ),
    source(
        Place::Variable("OPENCODE_CONFIG_DIR"),
        "agents",
        Form::Anything,
    ),
    source(
        Place::Variable("OPENCODE_CONFIG_DIR"),
        "mode",
        Form::Anything,
    ),
    source(
        Place::Variable("OPENCODE_CONFIG_DIR"),
        "modes",
        Form::Anything,
    ),
    source(Place::System, "/etc/opencode/opencode.json", Form::Settings),
    source(
        Place::System,
        "/etc/opencode/opencode.jsonc",
        Form::Settings,
    ),
    source(Place::System, "/etc/opencode/config.json", Form::Settings),
    source(Place::System, "/etc/opencode/agent", Form::Anything),
    source(Place::System, "/etc/opencode/agents", Form::Anything),
    source(Place::System, "/etc/opencode/mode", Form::Anything),
    source(Place::System, "/etc/opencode/modes", Form::Anything),
    source(Place::Named("OPENCODE_CONFIG"), "", Form::Settings),
    source(Place::Text("OPENCODE_CONFIG_CONTENT"), "", Form::Settings),
    source(Place::Text("OPENCODE_PERMISSION"), "", Form::Permission),
];

/// Where a host's rules are looked for: in another's places, if it reads those too, and in its own.
#[must_use]
pub fn sources(dialect: Dialect) -> [&'static [Source]; 2] {
    match dialect {
        Dialect::Claude => [CLAUDE, &[]],
        Dialect::Codex => [CODEX, &[]],
        Dialect::Gemini => [GEMINI, &[]],
        Dialect::Cursor => [CURSOR, &[]],
        Dialect::Copilot | Dialect::CopilotAsClaude => [CLAUDE, COPILOT],
    }
}
