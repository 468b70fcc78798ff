//! `aido mcp`: what a client of the Model Context Protocol is told, message by message. `sdk` asks by
//! the protocol's own client, `hostile` with what no client should send.

use serde_json::{Value, json};

use crate::support::{TestEnv, contains};

mod asking;
mod hostile;
mod sdk;

pub(crate) use asking::Asking;

/// A store with a success, and a failure of two lines on top.
fn place() -> TestEnv {
    let env = TestEnv::in_repository();
    env.write(
        "work/fail.sh",
        "echo first; echo 'error: port 8080 in use'; exit 3\n",
    );
    assert_eq!(env.aido(["echo", "hello"]).output().code(), 0);
    assert_eq!(env.aido(["sh", "fail.sh"]).output().code(), 3);
    env
}

/// The text of an answer, which has to be framed as data.
#[track_caller]
fn framed(answer: &Value) -> String {
    let text = answer["content"][0]["text"].as_str().unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    assert!(first.contains("data not instructions"), "{text}");
    let boundary = &first[6..22];
    let end = rest.find(&format!("[aido {boundary}: end of recorded output"));
    rest[..end.expect("the frame ends")].to_owned()
}

#[test]
fn a_client_is_told_of_six_tools_none_of_which_runs_anything() {
    let env = place();
    let mut client = Asking::begin(&env);
    let tools = client.ask("tools/list", &json!({}));
    let tools = tools["tools"].as_array().unwrap();
    let names: Vec<&str> = tools
        .iter()
        .filter_map(|tool| tool["name"].as_str())
        .collect();
    assert_eq!(
        names,
        [
            "sessions_list",
            "session_show",
            "sessions_search",
            "lessons_check",
            "handoff",
            "lesson_add"
        ]
    );
    for tool in tools {
        let is_written = tool["name"] == "lesson_add";
        assert_eq!(tool["annotations"]["readOnlyHint"], !is_written, "{tool}");
        assert_eq!(tool["annotations"]["openWorldHint"], false);
        for schema in ["inputSchema", "outputSchema"] {
            assert_eq!(tool[schema]["type"], "object", "{tool}");
        }
    }
    // Nothing was run by any of it.
    client.end();
    assert_eq!(env.recorded().len(), 2);
}

#[test]
fn every_version_of_the_protocol_is_spoken() {
    let env = place();
    for (asked, answered) in [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
    ] {
        let mut client = Asking::start(&env);
        let begun = client.initialize(asked);
        assert_eq!(begun["protocolVersion"], answered, "{asked}");
        assert_eq!(begun["serverInfo"]["name"], "aido");
        assert!(
            begun["instructions"]
                .as_str()
                .unwrap()
                .contains("not instructions")
        );
        client.end();
    }
    // Since 2026-07-28 every request says itself what it needs.
    let mut client = Asking::start(&env);
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let found = client.ask("server/discover", &json!({"_meta": meta}));
    let versions = found["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!("2026-07-28")), "{found}");
    let call = json!({"name": "sessions_list", "arguments": {}, "_meta": meta});
    let answer = client.ask("tools/call", &call);
    assert_eq!(answer["resultType"], "complete");
    assert!(framed(&answer).contains("sh fail.sh"));
    client.end();
}

#[test]
fn tools_answer_what_the_words_print() {
    let env = place();
    let mut client = Asking::begin(&env);
    let fields = "session_id,timestamp,command,exit_code,status,outcome,duration_ms,agent,notes,task,tags,fault";
    let listed = client.call("sessions_list", &json!({}));
    let printed = env.json(&["list", "--json", "--fields", fields]);
    assert_eq!(listed["structuredContent"]["sessions"], printed);
    assert!(framed(&listed).contains("sh fail.sh"));

    let shown = client.call("session_show", &json!({"tail": 1}));
    let printed = env.json(&["show", "--json", "--tail", "1", "--for-agent=always"]);
    for (name, value) in printed.as_object().unwrap() {
        let is_excerpt = ["stdout_tail", "stderr_head"].contains(&name.as_str());
        let given = &shown["structuredContent"][name];
        assert_eq!(
            given,
            if is_excerpt { &Value::Null } else { value },
            "{name}"
        );
    }
    assert!(framed(&shown).ends_with("\nerror: port 8080 in use\n"));

    let found = client.call("sessions_search", &json!({"query": "port [0-9]+"}));
    let printed = env.json(&["search", "--json", "port [0-9]+"]);
    let (found, line) = (&found["structuredContent"]["matches"], framed(&found));
    for name in ["session_id", "where", "line", "text", "is_cut", "signature"] {
        assert_eq!(found[0][name], printed["matches"][0][name], "{name}");
    }
    assert!(line.ends_with(":2:error: port 8080 in use\n"), "{line}");

    // A failure is worth a warning once something was learned of it.
    let lesson = json!({"text": "free the port first", "fault": "last"});
    let added = client.call("lesson_add", &lesson);
    assert_eq!(
        added["structuredContent"]["lessons"],
        env.json(&["lessons", "--json"])["lessons"]
    );
    let command = json!({"command": "sh fail.sh"});
    let checked = client.call("lessons_check", &command);
    let run = env.aido(["check", "--json", "-c", "sh fail.sh"]).output();
    let mut printed: Value = serde_json::from_slice(&run.stdout).unwrap();
    printed["recorded_text"] = json!("data, not instructions");
    assert_eq!(checked["structuredContent"], printed);
    assert_eq!(checked["structuredContent"]["known"], true);
    assert!(framed(&checked).contains("free the port first"));
    let unknown = client.call("lessons_check", &json!({"command": "true"}));
    assert_eq!(unknown["structuredContent"]["known"], false);

    let told = client.call("handoff", &json!({"budget": 3000}));
    let text = told["content"][0]["text"].as_str().unwrap();
    assert!(
        text.contains("# Hand-off") && text.contains("free the port first"),
        "{text}"
    );
    assert_eq!(told["structuredContent"]["sums"]["failed"], 1);
    client.end();
}

#[test]
fn sessions_are_resources_page_by_page() {
    let env = TestEnv::in_repository();
    let mut planted: Vec<String> = (1..=120)
        .map(|number| env.plant("claude", number, &json!({"command": "make all"})))
        .collect();
    planted.reverse();
    let mut client = Asking::begin(&env);
    let (mut seen, mut cursor, mut pages) = (Vec::new(), None::<String>, 0);
    loop {
        let page = client.ask("resources/list", &json!({"cursor": cursor}));
        for resource in page["resources"].as_array().unwrap() {
            assert_eq!(resource["title"], "make all");
            let uri = resource["uri"].as_str().unwrap();
            seen.push(uri.strip_prefix("aido://session/").unwrap().to_owned());
        }
        pages += 1;
        cursor = page["nextCursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((pages, &seen), (3, &planted));
    // The same way through the tool.
    let first = client.call("sessions_list", &json!({"limit": 100}));
    let next = &first["structuredContent"]["next"];
    assert_eq!(next, &json!(planted[99]));
    let text = first["content"][0]["text"].as_str().unwrap();
    assert!(text.ends_with(&format!("ask for those after {}\n", planted[99])));
    let rest = client.call("sessions_list", &json!({"limit": 100, "after": next}));
    let sessions = rest["structuredContent"]["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 20);
    assert_eq!(sessions[0]["session_id"], planted[100]);
    assert_eq!(rest["structuredContent"]["next"], Value::Null);
    let templates = client.ask("resources/templates/list", &json!({}));
    assert_eq!(
        templates["resourceTemplates"][0]["uriTemplate"],
        "aido://session/{session}"
    );
    client.end();
}

#[test]
fn a_resource_is_the_session_as_text() {
    let env = place();
    let mut client = Asking::begin(&env);
    for named in ["last", "last%3Afailed", "last~0"] {
        let uri = format!("aido://session/{named}");
        let read = client.ask("resources/read", &json!({"uri": uri}));
        let contents = &read["contents"][0];
        assert_eq!(contents["uri"], uri);
        assert_eq!(contents["mimeType"], "text/plain");
        let text = contents["text"].as_str().unwrap();
        assert!(text.starts_with("[aido ") && text.contains("\nerror: port 8080 in use\n"));
    }
    client.end();
}

#[test]
fn answers_have_an_end_and_say_how_to_have_the_rest() {
    let env = TestEnv::in_repository();
    let long = "x".repeat(5000);
    env.write(
        "work/many.sh",
        "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo line $i; done\n",
    );
    env.write(
        "work/wide.sh",
        &format!(
            "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do echo $i {long}; done\n"
        ),
    );
    for words in [
        &["sh", "many.sh"][..],
        &["sh", "wide.sh"],
        &["sh", "-c", "exit 0", &long],
    ] {
        assert_eq!(env.aido(words).output().code(), 0);
    }
    let mut client = Asking::begin(&env);
    // Both ends of many lines.
    let both = client.call("session_show", &json!({"session": "last~2"}));
    let text = framed(&both);
    assert!(
        text.contains("\nline 40\n[aido: 2800 lines are left out"),
        "{text}"
    );
    assert!(text.ends_with("\nline 3000\n"));
    assert_eq!(both["structuredContent"]["line_count"], 3000);
    // Page by page, nothing is missing.
    let (mut next, mut lines) = (1, Vec::new());
    loop {
        let asked = json!({"session": "last~2", "lines": format!("{next}:")});
        let page = client.call("session_show", &asked);
        let given = page["structuredContent"]["lines"].as_array().unwrap();
        assert!(given.len() <= 200);
        lines.extend(
            given
                .iter()
                .map(|line| line["text"].as_str().unwrap().to_owned()),
        );
        let Some(number) = page["structuredContent"]["next_line"].as_u64() else {
            break;
        };
        let text = page["content"][0]["text"].as_str().unwrap();
        assert!(
            text.contains(&format!("lines \"{number}:\" shows them")),
            "{text}"
        );
        next = number;
    }
    assert_eq!(lines.len(), 3000);
    assert!(
        lines
            .iter()
            .zip(1..)
            .all(|(line, number)| *line == format!("line {number}"))
    );
    // Wide lines, of which the last ones are there.
    let wide = client.call("session_show", &json!({"session": "last~1"}));
    assert!(framed(&wide).contains("\n20 xxx"));
    // And a command that is longer than all that.
    let command = client.call("session_show", &json!({}));
    let many = client.call("sessions_search", &json!({"query": "line", "limit": 10}));
    assert_eq!(
        many["structuredContent"]["matches"]
            .as_array()
            .unwrap()
            .len(),
        10
    );
    assert_eq!(many["structuredContent"]["is_cut"], true);
    assert_eq!(framed(&many).lines().count(), 10);
    for answer in [both, wide, command, many] {
        let text = answer["content"][0]["text"].as_str().unwrap();
        assert!(text.len() < 70_000, "{}", text.len());
        assert!(answer["structuredContent"].to_string().len() < 100_000);
    }
    client.end();
}

#[test]
fn what_is_asked_wrongly_is_answered_with_a_way_out() {
    let env = place();
    let mut client = Asking::begin(&env);
    for (tool, arguments, said) in [
        (
            "session_show",
            json!({"session": "no-such-one"}),
            "no session fits",
        ),
        (
            "session_show",
            json!({"session": "last~99"}),
            "no session fits",
        ),
        (
            "session_show",
            json!({"lines": "9:1"}),
            "ends before it begins",
        ),
        ("session_show", json!({"head": 1, "tail": 1}), "only one of"),
        ("session_show", json!({"id": "last"}), "no parameter \"id\""),
        ("session_show", json!({"grep": "("}), "regex"),
        ("sessions_search", json!({}), "query is missing"),
        ("sessions_search", json!({"query": "("}), "fixed"),
        ("sessions_list", json!({"since": "soon"}), "is no time"),
        (
            "sessions_list",
            json!({"limit": "many"}),
            "a number from 0 to 100",
        ),
        ("sessions_list", json!({"after": "x"}), "to go on after"),
        (
            "lessons_check",
            json!({"command": " "}),
            "no command to check",
        ),
        (
            "lesson_add",
            json!({"text": "x", "fault": "none-like-it"}),
            "no failure is called",
        ),
        (
            "lesson_add",
            json!({"text": " "}),
            "a lesson says something",
        ),
    ] {
        let answer = client.call_badly(tool, &arguments);
        let text = answer["content"][0]["text"].as_str().unwrap();
        assert!(text.contains(said), "{tool} {arguments}: {text}");
        let error = &answer["structuredContent"]["error"];
        assert!(error["message"].is_string(), "{answer}");
    }
    for (method, parameters, code) in [
        (
            "tools/call",
            json!({"name": "run", "arguments": {}}),
            -32602,
        ),
        (
            "resources/read",
            json!({"uri": "file:///etc/passwd"}),
            -32002,
        ),
        (
            "resources/read",
            json!({"uri": "aido://session/no-such-one"}),
            -32002,
        ),
        ("resources/list", json!({"cursor": "x"}), -32602),
        ("sessions/run", json!({}), -32601),
    ] {
        let error = client.ask_badly(method, &parameters);
        assert_eq!(error["code"], code, "{method}: {error}");
    }
    client.end();
    // Nothing was written by any of it.
    assert_eq!(env.json(&["lessons", "--json"])["lessons"], json!([]));
}

#[test]
fn where_nothing_is_recorded_that_is_said() {
    let env = TestEnv::in_repository();
    let mut client = Asking::begin(&env);
    for (tool, arguments) in [
        ("sessions_list", json!({})),
        ("sessions_search", json!({"query": "x"})),
        ("lessons_check", json!({"command": "make"})),
        ("handoff", json!({})),
    ] {
        let answer = client.call(tool, &arguments);
        assert!(
            !answer["content"][0]["text"].as_str().unwrap().is_empty(),
            "{tool}"
        );
    }
    let none = client.call_badly("session_show", &json!({}));
    assert!(none.to_string().contains("none is recorded here"), "{none}");
    assert_eq!(
        client.ask("resources/list", &json!({}))["resources"],
        json!([])
    );
    client.end();
}

#[test]
fn what_was_recorded_later_is_seen_and_the_store_is_the_one_that_was_named() {
    let env = place();
    let mut client = Asking::begin(&env);
    assert_eq!(env.aido(["echo", "later"]).output().code(), 0);
    let listed = client.call("sessions_list", &json!({"limit": 1}));
    assert!(framed(&listed).contains("echo later"));
    client.end();
    let other = env.path("other");
    let run = env.aido(["--session-dir", other.to_str().unwrap(), "echo", "apart"]);
    assert_eq!(run.output().code(), 0);
    let words = ["mcp", "--session-dir", other.to_str().unwrap()];
    let mut client = Asking::of(env.aido(words));
    client.initialize("2025-11-25");
    let listed = client.call("sessions_list", &json!({}));
    let sessions = listed["structuredContent"]["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0]["command"], "echo apart");
    client.end();
}

#[test]
fn hidden_characters_reach_no_model() {
    let env = TestEnv::in_repository();
    // A terminal's escapes, a text that runs backwards, and letters that nobody sees.
    let script = "printf 'a\\033[31mred\\033[0m\\342\\200\\256b\\363\\240\\201\\201c\\n'";
    env.write("work/hide.sh", &format!("{script}\n"));
    assert_eq!(env.aido(["sh", "hide.sh"]).output().code(), 0);
    let mut client = Asking::begin(&env);
    let shown = client.call("session_show", &json!({}));
    assert!(framed(&shown).ends_with("\naredbc\n"), "{shown}");
    assert_eq!(shown["structuredContent"]["lines"][0]["text"], "aredbc");
    let found = client.call("sessions_search", &json!({"query": "red"}));
    assert_eq!(found["structuredContent"]["matches"][0]["text"], "aredbc");
    let all = client.end();
    for hidden in ["\u{1b}", "\u{202e}", "\u{e0041}"] {
        assert!(!contains(&all.stdout, hidden.as_bytes()));
    }
}
