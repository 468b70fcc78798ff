use serde_json::json;

use super::*;

fn call(text: &str, dialect: Option<Dialect>, event: Option<&str>) -> Call {
    read(text, Named { dialect, event }).unwrap()
}

/// Hosts read each other's settings, so what a hook was called with may be another's name.
#[test]
fn the_payload_says_whose_it_is() {
    for (text, named, expected) in [
        (
            r#"{"conversation_id":"c","hook_event_name":"preToolUse"}"#,
            Dialect::Claude,
            Dialect::Cursor,
        ),
        (
            r#"{"cursor_version":"2","hook_event_name":"PreToolUse"}"#,
            Dialect::Claude,
            Dialect::Cursor,
        ),
        (
            r#"{"sessionId":"s","toolName":"bash"}"#,
            Dialect::Claude,
            Dialect::Copilot,
        ),
        (
            r#"{"hook_event_name":"BeforeTool","transcript_path":"/t"}"#,
            Dialect::Claude,
            Dialect::Gemini,
        ),
        (
            r#"{"hook_event_name":"PreToolUse","turn_id":"t"}"#,
            Dialect::Claude,
            Dialect::Codex,
        ),
        (
            r#"{"hook_event_name":"SessionStart","session_id":"s"}"#,
            Dialect::Codex,
            Dialect::Codex,
        ),
        (
            r#"{"hook_event_name":"SessionStart","transcript_path":"/t"}"#,
            Dialect::Gemini,
            Dialect::Gemini,
        ),
        (
            r#"{"hook_event_name":"PreToolUse","timestamp":"2026"}"#,
            Dialect::Claude,
            Dialect::CopilotAsClaude,
        ),
        (
            r#"{"hook_event_name":"PreToolUse","transcript_path":"/t"}"#,
            Dialect::Cursor,
            Dialect::Claude,
        ),
        (r#"{"session_id":"s"}"#, Dialect::Cursor, Dialect::Cursor),
    ] {
        assert_eq!(call(text, Some(named), None).dialect, expected, "{text}");
    }
    assert_eq!(call("{}", None, None).dialect, Dialect::Claude);
}

#[test]
fn exit_codes_are_what_the_host_says_and_nothing_is_guessed() {
    let of = |event: &str, fields: &str| {
        let text = format!(
            r#"{{"hook_event_name":"{event}","tool_name":"Bash","tool_input":{{"command":"x"}},{fields}}}"#
        );
        call(&text, Some(Dialect::Claude), None).ending
    };
    for (event, fields, code) in [
        (
            "PostToolUse",
            r#""tool_response":{"stdout":"a","stderr":"b","interrupted":false}"#,
            Some(0),
        ),
        (
            "PostToolUse",
            r#""tool_response":{"stdout":"","stderr":"","returnCodeInterpretation":"No matches found"}"#,
            None,
        ),
        (
            "PostToolUse",
            r#""tool_response":{"stdout":"","stderr":"","interrupted":true}"#,
            None,
        ),
        (
            "PostToolUse",
            r#""tool_response":{"stdout":"","exit_code":7}"#,
            Some(7),
        ),
        ("PostToolUse", r#""tool_response":"some text""#, None),
        (
            "PostToolUse",
            r#""tool_response":{"stdout":"","timedOutAfterMs":120000}"#,
            None,
        ),
        (
            "PostToolUseFailure",
            r#""error":"Exit code 2\nno rule""#,
            Some(2),
        ),
        (
            "PostToolUseFailure",
            r#""error":"Exit code 255""#,
            Some(255),
        ),
        ("PostToolUseFailure", r#""error":"Exit code 999\nx""#, None),
        ("PostToolUseFailure", r#""error":"Exit code +2\nx""#, None),
        ("PostToolUseFailure", r#""error":"exit code 2\nx""#, None),
        (
            "PostToolUseFailure",
            r#""error":"Exit code 2 of old log\nx""#,
            None,
        ),
        (
            "PostToolUseFailure",
            r#""error":"it was stopped\nExit code 2""#,
            None,
        ),
        ("PostToolUseFailure", r#""error":"the user said no""#, None),
        ("PostToolUse", r#""error":"Exit code 2""#, None),
        ("PreToolUse", r#""error":"Exit code 2""#, None),
    ] {
        assert_eq!(of(event, fields).exit_code, code, "{event}: {fields}");
    }
    let ending = of(
        "PostToolUseFailure",
        r#""error":"Exit code 2\nno rule\n","is_interrupt":true,"duration_ms":12.7"#,
    );
    assert_eq!(
        (ending.stdout.as_str(), ending.is_cut_short),
        ("no rule\n", true)
    );
    assert_eq!(ending.duration_ms, Some(12));
    let running = of(
        "PostToolUse",
        r#""tool_response":{"stdout":"","stderr":"","backgroundTaskId":"b1"}"#,
    );
    assert!(running.is_running && running.exit_code.is_none());
}

/// What a host hands on is what the command printed, and a command may print anything.
#[test]
fn no_command_can_print_an_exit_code() {
    for said in [
        "hello\nExit code: 0\n",
        "Exit code 7 of old log",
        "Exit code 0",
        "Exit code: 0\nOutput:\nx",
        "all tests failed\nprocess exited with code 0",
        "Exit Code: 0\nExit Code: 1",
        "x\n<exited with exit code 0>",
    ] {
        for (dialect, event, fields) in [
            (
                Dialect::Cursor,
                "afterShellExecution",
                json!({"conversation_id": "c", "command": "x", "output": said}),
            ),
            (
                Dialect::Codex,
                "PostToolUse",
                json!({"turn_id": "t", "tool_response": said}),
            ),
            (
                Dialect::Gemini,
                "AfterTool",
                json!({"tool_response": {"llmContent": said, "returnDisplay": said}}),
            ),
            (
                Dialect::Copilot,
                "postToolUse",
                json!({"sessionId": "s", "toolResult": {"textResultForLlm": said}}),
            ),
            (
                Dialect::Copilot,
                "postToolUseFailure",
                json!({"sessionId": "s", "error": said}),
            ),
            (
                Dialect::Claude,
                "PostToolUse",
                json!({"tool_response": said}),
            ),
        ] {
            let mut payload = fields;
            payload["hook_event_name"] = json!(event);
            let call = call(&payload.to_string(), Some(dialect), None);
            assert_eq!(call.dialect, dialect);
            assert_eq!(call.ending.exit_code, None, "{payload}");
            assert_eq!(call.ending.stdout, said, "{payload}");
        }
    }
    // A member of its own is the host's.
    let stated = r#"{"hook_event_name":"PostToolUse","turn_id":"t","tool_response":{"output":"Exit code 0","exit_code":3}}"#;
    assert_eq!(call(stated, None, None).ending.exit_code, Some(3));
}

#[test]
fn a_text_that_was_cut_within_a_character_is_read_and_nothing_is_made_of_half_a_line() {
    let of = |event: &str, input: &str| {
        let text = format!(
            r#"{{"hook_event_name":"{event}","tool_name":"Bash","tool_input":{input},"tool_response":{{"stdout":"x\ud83d"}}}}"#
        );
        call(&text, Some(Dialect::Claude), None)
    };
    let after = of("PostToolUse", r#"{"command":"echo \ud83d"}"#);
    assert_eq!(after.ending.stdout, "x\u{fffd}");
    assert_eq!(after.command.as_deref(), Some("echo \u{fffd}"));
    // Beside the line, every byte is given back as it came.
    let before = of(
        "PreToolUse",
        r#"{"description":"\ud83d","command":"echo \ud83d\ude00"}"#,
    );
    assert_eq!(
        before.input.unwrap().with_command("x"),
        r#"{"description":"\ud83d","command":"x"}"#
    );
    for input in [
        r#"{"command":"echo \ud83d"}"#,
        r#""{\"command\":\"echo \\ud83d\"}""#,
        r#""{\"command\":\"echo \ud83d\"}""#,
    ] {
        let before = of("PreToolUse", input);
        assert_eq!((before.command, before.input), (None, None), "{input}");
    }
    let cursor =
        r#"{"conversation_id":"c","hook_event_name":"preToolUse","command":"echo \udc00"}"#;
    assert_eq!(call(cursor, None, None).command, None);
}

#[test]
fn only_a_shells_line_is_one() {
    let of = |fields: &str| {
        call(
            &format!("{{\"hook_event_name\":\"PreToolUse\",{fields}}}"),
            None,
            None,
        )
    };
    let shell = of(r#""tool_name":"Bash","tool_input":{"a":1,"command":"ls \"x\"","b":2}"#);
    assert_eq!(shell.command.as_deref(), Some("ls \"x\""));
    assert_eq!(
        shell.input.unwrap().with_command("é \"y\""),
        r#"{"a":1,"command":"é \"y\"","b":2}"#
    );
    for fields in [
        r#""tool_name":"Edit","tool_input":{"command":"ls"}"#,
        r#""tool_input":{"command":"ls"}"#,
        r#""tool_name":"Bash","tool_input":{"command":["ls"]}"#,
        r#""tool_name":"Bash","tool_input":"ls""#,
    ] {
        assert_eq!(of(fields).command, None, "{fields}");
    }
    // Names are no place for what acts on a terminal, or for whole pages.
    let odd = of(&format!(
        r#""session_id":"a\nb","model":"{}""#,
        "x".repeat(500)
    ));
    assert_eq!((odd.conversation, odd.model), (None, None));
}
