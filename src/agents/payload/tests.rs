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
        (
            "PostToolUse",
            r#""tool_response":"Exit code: 3\nOutput:\nx""#,
            Some(3),
        ),
        ("PostToolUse", r#""tool_response":"some text""#, None),
        (
            "PostToolUseFailure",
            r#""error":"Exit code 2\nno rule""#,
            Some(2),
        ),
        ("PostToolUseFailure", r#""error":"Exit code 999\nx""#, None),
        ("PostToolUseFailure", r#""error":"the user said no""#, None),
        (
            "AfterTool",
            r#""tool_response":{"llmContent":"Output: x\nExit Code: 4\nSignal: none"}"#,
            Some(4),
        ),
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
