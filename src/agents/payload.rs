//! What a host says about a call, from its payload: one struct for every dialect.

#[cfg(test)]
mod tests;

use super::json::{self, Node, Problem};

/// Whose shape a payload has, and an answer must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Claude Code, and programs that took its shape over.
    Claude,
    /// Codex.
    Codex,
    /// Gemini CLI.
    Gemini,
    /// Cursor.
    Cursor,
    /// Copilot CLI.
    Copilot,
    /// Copilot in its other shape, which is Claude Code's: for events named as there.
    CopilotAsClaude,
}

impl Dialect {
    /// The agent's name in a session's id.
    #[must_use]
    pub fn agent(self) -> &'static str {
        match self {
            Self::Claude => "claude-code",
            Self::Codex => "codex",
            Self::Gemini => "gemini",
            Self::Cursor => "cursor",
            Self::Copilot | Self::CopilotAsClaude => "github-copilot",
        }
    }
}

/// When a hook is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A conversation starts, or goes on.
    Start,
    /// A tool is about to be used.
    Before,
    /// A tool was used.
    After,
    /// A tool was used, and the host counts it as failed.
    AfterFailure,
    /// Something else, which is nothing to aido.
    Other,
}

/// How a call ended, as far as the host tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// The exit code; none where the host doesn't say.
    pub exit_code: Option<i32>,
    /// What was printed on standard output, or on both where the host doesn't tell them apart.
    pub stdout: String,
    /// What was printed on standard error, where that is told apart.
    pub stderr: Option<String>,
    /// From start to end.
    pub duration_ms: Option<u64>,
    /// Whether somebody ended it.
    pub is_cut_short: bool,
    /// Whether it goes on in the background.
    pub is_running: bool,
}

/// What a payload says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its shape.
    pub dialect: Dialect,
    /// When.
    pub moment: Moment,
    /// The event, by the host's own name.
    pub event: String,
    /// The host's id of the conversation.
    pub conversation: Option<String>,
    /// The host's log of the conversation.
    pub log_file: Option<String>,
    /// The directory that the host stands in.
    pub cwd: Option<String>,
    /// The host's id of this use of the tool.
    pub tool_call: Option<String>,
    /// The model's name.
    pub model: Option<String>,
    /// How much the host asks: its own word.
    pub permission_mode: Option<String>,
    /// The line, where the tool is a shell.
    pub command: Option<String>,
    /// The tool's whole input as it stands in the payload, and the line's place in it.
    pub input: Option<Input>,
    /// How it ended, of a call that has.
    pub ending: Ending,
}

/// A tool's input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    text: String,
    command: std::ops::Range<usize>,
}

impl Input {
    /// The whole input with another line, every other byte as it was.
    #[must_use]
    pub fn with_command(&self, command: &str) -> String {
        let (before, after) = (
            &self.text[..self.command.start],
            &self.text[self.command.end..],
        );
        format!("{before}{}{after}", json::quoted(command))
    }
}

/// What hosts call their shell.
const SHELL_TOOLS: &[&str] = &[
    "Bash",
    "bash",
    "sh",
    "Shell",
    "shell",
    "run_shell_command",
    "runTerminalCommand",
    "runInTerminal",
    "run_in_terminal",
];

/// The longest id or name that is taken over.
const NAME_BYTES: usize = 400;

/// Reads a payload. `named` is what the hook was called with: the host, and the event where the payload
/// doesn't say.
///
/// # Errors
/// When it is no JSON object.
pub fn read(text: &str, named: Named<'_>) -> Result<Call, Problem> {
    let whole = json::whole_characters(text);
    let root = json::parse(&whole)?;
    if root.members().is_none() {
        return Err(Problem {
            line: 1,
            what: "it is no object".into(),
        });
    }
    let field = |names: &[&str]| {
        let found = names.iter().find_map(|name| root.get(name)?.text());
        let is_name = |text: &&str| text.len() <= NAME_BYTES && !text.chars().any(char::is_control);
        found
            .filter(is_name)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let event = field(&["hook_event_name", "hookEventName"]);
    let event = event.or_else(|| named.event.map(str::to_owned));
    let event = event.unwrap_or_default();
    let dialect = dialect(&root, &event, named);
    let moment = moment(&event);
    let is_shell = match field(&["tool_name", "toolName"]) {
        Some(tool) => SHELL_TOOLS.contains(&tool.as_str()),
        // Only Cursor has events that are about its shell alone.
        None => dialect == Dialect::Cursor,
    };
    let given = is_shell.then(|| given(text, &whole, &root)).flatten();
    // Of what is no text to its last character, no other line can be made.
    let given = given.filter(|given| given.is_exact || moment != Moment::Before);
    let (command, input) = match given {
        Some(given) => (Some(given.line), given.input),
        None => (None, None),
    };
    Ok(Call {
        dialect,
        moment,
        conversation: field(&["conversation_id", "session_id", "sessionId"]),
        log_file: field(&["transcript_path", "transcriptPath"]),
        cwd: field(&["cwd"]).or_else(|| {
            let roots = root.get("workspace_roots")?.elements()?;
            roots.first()?.text().map(str::to_owned)
        }),
        tool_call: field(&["tool_use_id", "toolUseId", "tool_call_id", "toolCallId"]),
        model: field(&["model"]),
        permission_mode: field(&["permission_mode", "permissionMode"]),
        command,
        input,
        ending: ending(text, &root, dialect, moment),
        event,
    })
}

/// What a hook was called with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named<'a> {
    /// The host; none to go by the payload alone.
    pub dialect: Option<Dialect>,
    /// The event.
    pub event: Option<&'a str>,
}

/// The payload decides; what the hook was called with only where that says nothing: hosts read each other's
/// settings.
fn dialect(root: &Node, event: &str, named: Named<'_>) -> Dialect {
    let has = |name: &str| root.get(name).is_some();
    let begins_large = event.starts_with(|letter: char| letter.is_ascii_uppercase());
    if has("conversation_id") || has("cursor_version") {
        Dialect::Cursor
    } else if has("sessionId") {
        Dialect::Copilot
    } else if ["BeforeTool", "AfterTool", "BeforeAgent", "AfterAgent"].contains(&event) {
        Dialect::Gemini
    } else if has("turn_id") {
        Dialect::Codex
    } else if begins_large && has("timestamp") && !has("transcript_path") {
        Dialect::CopilotAsClaude
    } else {
        match named.dialect {
            // Cursor and Copilot would have said so; what they are called with may be read by others.
            Some(dialect @ (Dialect::Codex | Dialect::Gemini)) => dialect,
            Some(dialect) if !begins_large => dialect,
            _ => Dialect::Claude,
        }
    }
}

fn moment(event: &str) -> Moment {
    match event {
        "SessionStart" | "sessionStart" => Moment::Start,
        "PreToolUse" | "preToolUse" | "BeforeTool" => Moment::Before,
        "PostToolUse" | "postToolUse" | "AfterTool" | "afterShellExecution" => Moment::After,
        "PostToolUseFailure" | "postToolUseFailure" => Moment::AfterFailure,
        _ => Moment::Other,
    }
}

/// A line, and the input that it is in.
struct Given {
    line: String,
    input: Option<Input>,
    /// Whether the line is what the host has, and not only what of it is text.
    is_exact: bool,
}

/// The tool's input and its line. Copilot may give it as JSON in a text; the answer is the object either way.
/// Some builds of Cursor have the line alone. `whole` is the text with whole characters only.
fn given(text: &str, whole: &str, root: &Node) -> Option<Given> {
    let is_same = |node: &Node| text[node.span.clone()] == whole[node.span.clone()];
    let named = ["tool_input", "toolInput", "toolArgs", "tool_args"];
    let found = named.iter().find_map(|name| root.get(name));
    let in_input = found.and_then(|node| match node.text() {
        Some(inner) => {
            let whole = json::whole_characters(inner);
            let parsed = json::parse(&whole).ok()?;
            let is_exact = is_same(node) && inner == &*whole;
            within(inner, &parsed, &|_| is_exact)
        }
        None => within(text, node, &is_same),
    });
    in_input.or_else(|| {
        let command = root.get("command")?;
        Some(Given {
            line: command.text()?.to_owned(),
            input: None,
            is_exact: is_same(command),
        })
    })
}

/// The line in an input, which stands in `text`.
fn within(text: &str, node: &Node, is_exact: &dyn Fn(&Node) -> bool) -> Option<Given> {
    let command = node.get("command")?;
    let start = node.span.start;
    Some(Given {
        line: command.text()?.to_owned(),
        input: Some(Input {
            text: text[node.span.clone()].to_owned(),
            command: command.span.start - start..command.span.end - start,
        }),
        is_exact: is_exact(command),
    })
}

/// How a call ended. An exit code is taken only from where no command can put one: a member of its own, the
/// line that Claude Code puts before the output of what failed, and its event for what didn't. What a command
/// printed may say anything, so Codex, Gemini CLI, Cursor and Copilot, which hand on a text, state none.
fn ending(text: &str, root: &Node, dialect: Dialect, moment: Moment) -> Ending {
    if !matches!(moment, Moment::After | Moment::AfterFailure) {
        return Ending::default();
    }
    let number = |node: &Node| text[node.span.clone()].parse::<f64>().ok();
    let duration = ["duration_ms", "duration"];
    let duration = duration.iter().find_map(|name| number(root.get(name)?));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast saturates, and the number is a host's word anyway"
    )]
    let duration_ms = duration
        .filter(|number| *number >= 0.0)
        .map(|number| number as u64);
    let flag = |node: Option<&Node>| node.is_some_and(|node| &text[node.span.clone()] == "true");
    let response = ["tool_response", "toolResult", "tool_result", "tool_output"];
    let response = response.iter().find_map(|name| root.get(name));
    let mut ending = Ending {
        duration_ms,
        ..Ending::default()
    };
    if let Some(error) = root.get("error").and_then(Node::text) {
        let is_stating = dialect == Dialect::Claude && moment == Moment::AfterFailure;
        let stated = stated_code(error).filter(|_| is_stating);
        ending.exit_code = stated.map(|(code, _)| code);
        let output = stated.map_or(error, |(_, output)| output);
        output.clone_into(&mut ending.stdout);
        ending.is_cut_short = flag(root.get("is_interrupt"));
    }
    let output = root.get("output").and_then(Node::text);
    if let Some(text) = output.or(response.and_then(Node::text)) {
        text.clone_into(&mut ending.stdout);
    }
    let Some(response) = response.filter(|response| response.members().is_some()) else {
        return ending;
    };
    let inner = |name: &str| response.get(name);
    if let Some(stdout) = inner("stdout").and_then(Node::text) {
        stdout.clone_into(&mut ending.stdout);
        let stderr = inner("stderr").and_then(Node::text);
        ending.stderr = Some(stderr.unwrap_or_default().to_owned());
    }
    for name in ["llmContent", "textResultForLlm", "output"] {
        if let Some(said) = inner(name).and_then(Node::text) {
            said.clone_into(&mut ending.stdout);
        }
    }
    let stated = ["exit_code", "exitCode"]
        .iter()
        .find_map(|name| text[inner(name)?.span.clone()].parse().ok());
    ending.exit_code = stated.or(ending.exit_code);
    let in_background = inner("backgroundTaskId").is_some_and(|node| node.text().is_some());
    let was_too_long = inner("timedOutAfterMs").is_some_and(|node| number(node).is_some());
    ending.is_cut_short |= flag(inner("interrupted")) || was_too_long;
    ending.is_running = in_background || flag(inner("backgroundedByUser"));
    let explained = inner("returnCodeInterpretation").is_some_and(|node| node.text().is_some());
    let is_in_parts = inner("stdout").is_some() && dialect == Dialect::Claude;
    // Of these the host says nothing more: a failure is another event, and a code that is no failure is
    // explained.
    if is_in_parts
        && moment == Moment::After
        && ending.exit_code.is_none()
        && !explained
        && !ending.is_cut_short
        && !ending.is_running
    {
        ending.exit_code = Some(0);
    }
    ending
}

/// The code in the first line of what Claude Code says of a failure, `Exit code 2`, and the output behind it.
fn stated_code(error: &str) -> Option<(i32, &str)> {
    let (line, output) = error.split_once('\n').unwrap_or((error, ""));
    let digits = line.strip_prefix("Exit code ")?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let code = digits.parse().ok().filter(|_| is_number)?;
    (1..=255).contains(&code).then_some((code, output))
}
