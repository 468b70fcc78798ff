//! What a hook answers, in the host's own shape. No answer ever permits what the host didn't.

use std::fmt::Write;

use super::json::quoted;
use super::payload::{Call, Dialect, Moment};

/// What is printed where there is nothing to say: some hosts want an object all the same, or look for one on
/// standard error.
#[must_use]
pub fn nothing(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Gemini | Dialect::Cursor => "{}",
        Dialect::Claude | Dialect::Codex | Dialect::Copilot | Dialect::CopilotAsClaude => "",
    }
}

/// Why a host can't be given another line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The payload has no line to be changed.
    NoInput,
    /// It takes one only together with a permission, which is the user's to give.
    WantsPermission,
}

/// The answer that has a call's line replaced.
///
/// # Errors
/// Why there is none.
pub fn with_command(call: &Call, command: &str) -> Result<String, Refusal> {
    let given = call.input.as_ref().map(|input| input.with_command(command));
    let input = match (given, call.dialect) {
        (Some(input), _) => input,
        (None, Dialect::Cursor) => format!("{{\"command\":{}}}", quoted(command)),
        (None, _) => return Err(Refusal::NoInput),
    };
    Ok(match call.dialect {
        Dialect::Claude | Dialect::CopilotAsClaude => {
            specific("PreToolUse", &format!("\"updatedInput\":{input}"))
        }
        // Its user has said that everything is permitted.
        Dialect::Codex if call.permission_mode.as_deref() == Some("bypassPermissions") => {
            let fields = format!("\"permissionDecision\":\"allow\",\"updatedInput\":{input}");
            specific("PreToolUse", &fields)
        }
        Dialect::Codex => return Err(Refusal::WantsPermission),
        Dialect::Gemini => specific("BeforeTool", &format!("\"tool_input\":{input}")),
        Dialect::Cursor => format!("{{\"updated_input\":{input}}}"),
        Dialect::Copilot => format!("{{\"modifiedArgs\":{input}}}"),
    })
}

/// The answer that tells the agent something; none where the host takes no text then.
#[must_use]
pub fn with_context(call: &Call, text: &str) -> Option<String> {
    let text = quoted(text);
    match call.dialect {
        Dialect::Cursor if call.event == "afterShellExecution" => None,
        Dialect::Cursor => Some(format!("{{\"additional_context\":{text}}}")),
        Dialect::Copilot => Some(format!("{{\"additionalContext\":{text}}}")),
        Dialect::Claude | Dialect::Codex | Dialect::CopilotAsClaude | Dialect::Gemini => {
            let event = match (call.moment, call.dialect) {
                (Moment::Start, _) => "SessionStart",
                (Moment::After, Dialect::Gemini) => "AfterTool",
                (Moment::After, _) => "PostToolUse",
                (Moment::AfterFailure, _) => "PostToolUseFailure",
                (Moment::Before | Moment::Other, _) => return None,
            };
            Some(specific(event, &format!("\"additionalContext\":{text}")))
        }
    }
}

fn specific(event: &str, fields: &str) -> String {
    let mut text = String::with_capacity(fields.len() + 80);
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "{{\"hookSpecificOutput\":{{\"hookEventName\":\"{event}\",{fields}}}}}"
    );
    text
}
