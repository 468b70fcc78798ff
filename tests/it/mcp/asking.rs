//! A client by hand: one message a line, and answers by their ids.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Output, Run, Running, TestEnv};

/// A client, and the server that it started.
pub(crate) struct Asking {
    server: Running,
    last: u64,
}

impl Asking {
    /// Starts a server, and says nothing.
    pub(crate) fn start(env: &TestEnv) -> Self {
        Self::of(env.aido(["mcp"]))
    }

    /// Starts this server.
    pub(crate) fn of(run: Run) -> Self {
        let run = run.stdin_open().timeout(Duration::from_secs(120));
        Self {
            server: run.spawn(),
            last: 0,
        }
    }

    /// Starts a server, and begins as clients do.
    pub(crate) fn begin(env: &TestEnv) -> Self {
        let mut client = Self::start(env);
        client.initialize("2025-11-25");
        client
    }

    /// The server.
    pub(crate) fn server(&self) -> &Running {
        &self.server
    }

    /// The server, with its input left open.
    pub(crate) fn into_server(self) -> Running {
        self.server
    }

    /// Writes these bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.server.write_stdin(bytes);
    }

    /// Sends a request and doesn't wait; gives its id.
    pub(crate) fn send(&mut self, method: &str, parameters: &Value) -> u64 {
        self.last += 1;
        let id = self.last;
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": parameters});
        self.write(format!("{message}\n").as_bytes());
        id
    }

    /// Says something that isn't answered.
    pub(crate) fn tell(&mut self, method: &str, parameters: &Value) {
        let message = json!({"jsonrpc": "2.0", "method": method, "params": parameters});
        self.write(format!("{message}\n").as_bytes());
    }

    /// Waits for the answer to a request.
    pub(crate) fn answer(&mut self, id: u64) -> Value {
        let read = |line: &[u8]| serde_json::from_slice::<Value>(line).ok();
        let fits = |line: &[u8]| read(line).is_some_and(|message| message["id"] == json!(id));
        let line = self
            .server
            .wait_for_line(&format!("an answer to {id}"), &fits);
        read(&line).unwrap()
    }

    /// What is answered to a request.
    #[track_caller]
    pub(crate) fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        let id = self.send(method, parameters);
        let mut answer = self.answer(id);
        assert!(
            answer.get("error").is_none(),
            "{method} {parameters}: {answer}"
        );
        answer["result"].take()
    }

    /// The error that a request is answered with.
    #[track_caller]
    pub(crate) fn ask_badly(&mut self, method: &str, parameters: &Value) -> Value {
        let id = self.send(method, parameters);
        let mut answer = self.answer(id);
        assert!(
            answer.get("result").is_none(),
            "{method} {parameters}: {answer}"
        );
        answer["error"].take()
    }

    /// What a tool answers.
    #[track_caller]
    pub(crate) fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let answer = self.ask("tools/call", &json!({"name": tool, "arguments": arguments}));
        assert_eq!(answer["isError"], false, "{tool} {arguments}: {answer}");
        answer
    }

    /// What a tool answers that can't.
    #[track_caller]
    pub(crate) fn call_badly(&mut self, tool: &str, arguments: &Value) -> Value {
        let answer = self.ask("tools/call", &json!({"name": tool, "arguments": arguments}));
        assert_eq!(answer["isError"], true, "{tool} {arguments}: {answer}");
        answer
    }

    /// Begins a conversation as clients do, in this version.
    #[track_caller]
    pub(crate) fn initialize(&mut self, version: &str) -> Value {
        let begun = self.ask(
            "initialize",
            &json!({
                "protocolVersion": version,
                "capabilities": {},
                "clientInfo": {"name": "test", "version": "1"},
            }),
        );
        self.tell("notifications/initialized", &json!({}));
        begun
    }

    /// Goes away. The server has to end by that, and to have said nothing but messages.
    #[track_caller]
    pub(crate) fn end(mut self) -> Output {
        self.server.close_stdin();
        let output = self.server.wait();
        assert_eq!(output.code(), 0, "{output:?}");
        for line in output.stdout.split_inclusive(|byte| *byte == b'\n') {
            let message: Value = serde_json::from_slice(line).unwrap();
            assert_eq!(message["jsonrpc"], "2.0");
            assert!(line.ends_with(b"\n"));
        }
        output
    }
}
