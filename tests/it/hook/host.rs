//! Hosts that say and take what the documentation of each says.

use serde_json::{Value, json};

use crate::support::Output;

/// A host, as far as hooks are concerned.
pub(super) struct Host {
    pub(super) name: &'static str,
    /// Its name in a session's id.
    pub(super) agent: &'static str,
    /// Its settings in a repository, and what is in them before.
    pub(super) file: &'static str,
    pub(super) settings: &'static str,
    pub(super) start: &'static str,
    pub(super) before: &'static str,
    tool: &'static str,
    /// Whether it takes another line without a permission.
    pub(super) rewrites: bool,
    /// Whether it says how a call ended.
    pub(super) says_codes: bool,
    /// Whether it takes a text after a call.
    pub(super) hears_after: bool,
    /// Whether an empty answer is one.
    pub(super) may_be_silent: bool,
}

pub(super) const HOSTS: &[Host] = &[
    Host {
        name: "claude",
        agent: "claude-code",
        file: ".claude/settings.local.json",
        settings: "{\n    \"model\": \"opus\",\n    \"env\": { \"A\" : \"b\" }\n}",
        start: "SessionStart",
        before: "PreToolUse",
        tool: "Bash",
        rewrites: true,
        says_codes: true,
        hears_after: true,
        may_be_silent: true,
    },
    Host {
        name: "codex",
        agent: "codex",
        file: ".codex/hooks.json",
        settings: "{\"hooks\": {\"Stop\": [{\"hooks\": []}]}}\n",
        start: "SessionStart",
        before: "PreToolUse",
        tool: "Bash",
        rewrites: false,
        says_codes: false,
        hears_after: true,
        may_be_silent: true,
    },
    Host {
        name: "gemini",
        agent: "gemini",
        file: ".gemini/settings.json",
        settings: "{\n\t\"theme\": \"x\",\n\t\"hooks\": {}\n}\n",
        start: "SessionStart",
        before: "BeforeTool",
        tool: "run_shell_command",
        rewrites: true,
        says_codes: false,
        hears_after: true,
        may_be_silent: false,
    },
    Host {
        name: "cursor",
        agent: "cursor",
        file: ".cursor/hooks.json",
        settings: "{ \"version\": 1, \"hooks\": { \"stop\": [] } }",
        start: "sessionStart",
        before: "preToolUse",
        tool: "Shell",
        rewrites: true,
        says_codes: false,
        hears_after: false,
        may_be_silent: false,
    },
    Host {
        name: "copilot",
        agent: "github-copilot",
        file: ".github/hooks/aido.json",
        settings: "{\n  \"version\": 1,\n  \"hooks\": {\n    \"sessionEnd\": []\n  }\n}\n",
        start: "sessionStart",
        before: "preToolUse",
        tool: "bash",
        rewrites: true,
        says_codes: false,
        hears_after: true,
        may_be_silent: true,
    },
];

impl Host {
    /// The commands that its settings name for an event.
    pub(super) fn commands(&self, settings: &Value, event: &str) -> Vec<String> {
        let empty = Vec::new();
        let elements = settings["hooks"][event].as_array().unwrap_or(&empty);
        let mut commands = Vec::new();
        for element in elements {
            let handlers = match element["hooks"].as_array() {
                Some(handlers) => handlers.clone(),
                None => vec![element.clone()],
            };
            for handler in handlers {
                let command = handler["command"].as_str().or(handler["bash"].as_str());
                commands.extend(command.map(str::to_owned));
            }
        }
        commands
    }

    /// What it says before a call, and at the start.
    pub(super) fn payload(
        &self,
        event: &str,
        conversation: &str,
        cwd: &str,
        line: Option<&str>,
    ) -> Value {
        let mut payload = match self.name {
            "claude" => json!({
                "session_id": conversation, "transcript_path": "/home/u/.claude/x.jsonl", "cwd": cwd,
                "hook_event_name": event, "permission_mode": "default", "effort": {"level": "high"},
            }),
            "codex" => json!({
                "session_id": conversation, "turn_id": "turn-1", "transcript_path": null, "cwd": cwd,
                "hook_event_name": event, "model": "gpt", "permission_mode": "default",
            }),
            "gemini" => json!({
                "session_id": conversation, "transcript_path": "/home/u/.gemini/x.json", "cwd": cwd,
                "hook_event_name": event, "timestamp": "2026-11-01T10:00:00Z",
            }),
            "cursor" => json!({
                "conversation_id": conversation, "generation_id": "g1", "hook_event_name": event,
                "workspace_roots": [cwd], "model": "x", "cursor_version": "2.1",
            }),
            "copilot" => {
                json!({"sessionId": conversation, "timestamp": 1_800_000_000_000_u64, "cwd": cwd})
            }
            name => panic!("{name}"),
        };
        if let Some(line) = line {
            let input = json!({"command": line, "description": "d", "timeout": 120_000});
            match self.name {
                "copilot" => {
                    payload["toolName"] = json!(self.tool);
                    // In a text, as some versions have it.
                    payload["toolArgs"] = json!(input.to_string());
                }
                _ => {
                    payload["tool_name"] = json!(self.tool);
                    payload["tool_input"] = input;
                }
            }
        } else {
            payload["source"] = json!("startup");
        }
        payload
    }

    /// The event after a call, and what it says then. Each call has an id of its own where there are any.
    pub(super) fn after(
        &self,
        conversation: &str,
        cwd: &str,
        line: &str,
        shown: &Output,
    ) -> (&'static str, Value) {
        let code = shown.code();
        let (stdout, stderr) = (shown.stdout_text(), shown.stderr_text());
        let both = format!("{stdout}{stderr}");
        let id = format!("call-{:p}", shown.stdout.as_ptr());
        let id = format!("{id}-{}", next());
        let mut payload = self.payload("", conversation, cwd, Some(line));
        let event = match (self.name, code) {
            ("claude", 0) => {
                payload["tool_response"] = json!({"stdout": stdout, "stderr": stderr, "interrupted": false, "isImage": false});
                "PostToolUse"
            }
            ("claude", _) => {
                payload["error"] = json!(format!("Exit code {code}\n{both}"));
                "PostToolUseFailure"
            }
            ("codex", _) => {
                payload["tool_response"] = json!(format!("Exit code: {code}\nOutput:\n{both}"));
                "PostToolUse"
            }
            ("gemini", _) => {
                let said = format!("Command: {line}\nOutput: {both}\nExit Code: {code}");
                payload["tool_response"] = json!({"llmContent": said, "returnDisplay": both});
                "AfterTool"
            }
            ("cursor", _) => {
                payload.as_object_mut().unwrap().remove("tool_name");
                payload.as_object_mut().unwrap().remove("tool_input");
                payload["command"] = json!(line);
                // A host measures each call anew.
                payload["output"] = json!(format!("{both}[{}]", next()));
                payload["duration"] = json!(12.5);
                "afterShellExecution"
            }
            ("copilot", 0) => {
                let said = format!("{both}[{}]\n<exited with exit code 0>", next());
                payload["toolResult"] = json!({"resultType": "success", "textResultForLlm": said});
                "postToolUse"
            }
            ("copilot", _) => {
                payload["error"] = json!(format!("Exit code {code}\n{both}[{}]", next()));
                "postToolUseFailure"
            }
            (name, _) => panic!("{name}"),
        };
        match self.name {
            "copilot" => {}
            "cursor" | "gemini" => payload["hook_event_name"] = json!(event),
            _ => {
                payload["hook_event_name"] = json!(event);
                payload["tool_use_id"] = json!(id);
                payload["duration_ms"] = json!(42);
            }
        }
        if self.name == "gemini" {
            let said = payload["tool_response"]["llmContent"].as_str().unwrap();
            payload["tool_response"]["llmContent"] = json!(format!("({}) {said}", next()));
        }
        (event, payload)
    }

    /// The answer, if it is one that the host takes: only members that it knows, where it is strict.
    pub(super) fn checked(&self, event: &str, text: &str) -> Value {
        let answer: Value = serde_json::from_str(text).unwrap_or_else(|_| panic!("{text}"));
        let known: &[&str] = match self.name {
            "claude" | "codex" | "gemini" => &["hookSpecificOutput"],
            "cursor" => &["updated_input", "additional_context"],
            _ => &["modifiedArgs", "additionalContext"],
        };
        for name in answer.as_object().unwrap().keys() {
            assert!(known.contains(&name.as_str()), "{}: {text}", self.name);
        }
        if let Some(specific) = answer.get("hookSpecificOutput") {
            assert_eq!(specific["hookEventName"], event, "{text}");
            for name in specific.as_object().unwrap().keys() {
                let known = [
                    "hookEventName",
                    "updatedInput",
                    "tool_input",
                    "additionalContext",
                ];
                assert!(known.contains(&name.as_str()), "{}: {text}", self.name);
            }
        }
        answer
    }

    /// The line that an answer asks for.
    pub(super) fn line(&self, answer: &Value) -> Option<String> {
        let input = match self.name {
            "claude" | "codex" => &answer["hookSpecificOutput"]["updatedInput"],
            "gemini" => &answer["hookSpecificOutput"]["tool_input"],
            "cursor" => &answer["updated_input"],
            _ => &answer["modifiedArgs"],
        };
        // It replaces the whole input, so nothing of it may be missing.
        let line = input["command"].as_str()?;
        assert_eq!(input["timeout"], 120_000, "{answer}");
        Some(line.to_owned())
    }

    /// What an answer tells the agent.
    pub(super) fn context(&self, answer: &Value) -> Option<String> {
        let text = match self.name {
            "cursor" => &answer["additional_context"],
            "copilot" => &answer["additionalContext"],
            _ => &answer["hookSpecificOutput"]["additionalContext"],
        };
        text.as_str().map(str::to_owned)
    }
}

/// A number that nothing else has.
fn next() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}
