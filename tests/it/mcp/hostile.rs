//! Clients that no server should meet.

use std::fs;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::thread;
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use serde_json::json;

use super::{Asking, place};
use crate::support::{TestEnv, contains};

/// The most memory that the server ever had, in KiB.
fn peak_kib(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.unwrap().split_whitespace().nth(1);
    number.unwrap().parse().unwrap()
}

#[test]
fn what_is_no_message_is_passed_over() {
    let env = place();
    let mut client = Asking::start(&env);
    let garbage: [&[u8]; 9] = [
        b"garbage\n",
        b"\n\r\n",
        b"\xff\xfe\x00\n",
        b"{\"jsonrpc\":\"2.0\"\n",
        b"[]\n[1,2,3]\nnull\n42\n",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n",
        b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":7}}\n",
        b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/unknown\"}\n",
        b"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"tools/list\"}\n",
    ];
    // Before the conversation begins and within it.
    for bytes in garbage {
        client.write(bytes);
    }
    client.write(format!("{}\n", "[".repeat(100_000)).as_bytes());
    client.initialize("2025-11-25");
    for bytes in garbage {
        client.write(bytes);
    }
    let listed = client.call("sessions_list", &json!({}));
    assert!(listed.to_string().contains("fail.sh"));
    client.end();
}

#[test]
fn a_line_without_an_end_takes_no_memory() {
    let env = place();
    let mut client = Asking::begin(&env);
    client.call("sessions_list", &json!({}));
    let before = peak_kib(client.server().pid());
    let piece = vec![b'x'; 1024 * 1024];
    client.write(b"{\"jsonrpc\":\"2.0\",\"id\":900,\"method\":\"");
    for _ in 0..64 {
        client.write(&piece);
    }
    client.write(b"\"}\n");
    client.call("sessions_list", &json!({}));
    let after = peak_kib(client.server().pid());
    assert!(after < before + 20 * 1024, "{before} KiB, then {after} KiB");
    client.end();
}

#[test]
fn a_client_that_does_not_listen_is_not_listened_to() {
    let env = place();
    let (unread, stdout) = std::io::pipe().unwrap();
    let (stdin, requests) = std::io::pipe().unwrap();
    let run = env.aido(["mcp"]);
    let run = run.stdin_file(OwnedFd::from(stdin));
    let server = run.stdout_file(OwnedFd::from(stdout)).spawn();
    let mut requests = fs::File::from(OwnedFd::from(requests));
    let flags = fcntl_getfl(&requests).unwrap();
    fcntl_setfl(&requests, flags | OFlags::NONBLOCK).unwrap();
    let begin = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
    requests.write_all(format!("{begin}\n").as_bytes()).unwrap();
    // Requests of which each has a large answer, until nobody takes them for a second.
    let all = 40_000;
    let (mut taken, mut refused) = (0, 0);
    while taken < all && refused < 100 {
        let ask = json!({"jsonrpc": "2.0", "id": taken + 1, "method": "tools/list"});
        // Less than a pipe writes at once: it is taken whole or not at all.
        let ask = format!("{ask}\n");
        match requests.write(ask.as_bytes()) {
            Ok(length) => {
                assert_eq!(length, ask.len());
                (taken, refused) = (taken + 1, 0);
            }
            Err(_) => {
                refused += 1;
                thread::sleep(Duration::from_millis(10));
            }
        }
    }
    assert!(taken < all, "all {taken} were taken");
    assert!(peak_kib(server.pid()) < 200 * 1024);
    // It ends all the same.
    server.signal(libc::SIGTERM);
    let ended = server.wait();
    assert_eq!(ended.signal(), Some(libc::SIGTERM));
    drop(unread);
}

#[test]
fn a_request_that_is_cancelled_is_not_answered_and_the_next_ones_are() {
    let env = TestEnv::in_repository();
    for number in 1..=400 {
        env.plant("claude", number, &json!({"command": "make all"}));
    }
    let mut client = Asking::begin(&env);
    let mut cancelled = Vec::new();
    for _ in 0..20 {
        let call = json!({"name": "sessions_search", "arguments": {"query": "nothing like it"}});
        cancelled.push(client.send("tools/call", &call));
    }
    for id in &cancelled {
        client.tell("notifications/cancelled", &json!({"requestId": id}));
    }
    // The same again as often as it takes to fill every place there is.
    for _ in 0..100 {
        let call = json!({"name": "sessions_list", "arguments": {"limit": 1}});
        let id = client.send("tools/call", &call);
        client.tell("notifications/cancelled", &json!({"requestId": id}));
    }
    client.tell(
        "notifications/cancelled",
        &json!({"requestId": "never sent"}),
    );
    client.tell("notifications/cancelled", &json!({}));
    let listed = client.call("sessions_list", &json!({"limit": 2}));
    assert_eq!(
        listed["structuredContent"]["sessions"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    client.end();
}

#[test]
fn a_second_request_of_the_same_id_is_passed_over() {
    let env = place();
    let mut client = Asking::begin(&env);
    let call = json!({"jsonrpc": "2.0", "id": "same", "method": "tools/call",
        "params": {"name": "sessions_search", "arguments": {"query": "."}}});
    client.write(format!("{call}\n").repeat(200).as_bytes());
    let listed = client.call("sessions_list", &json!({}));
    assert!(listed.to_string().contains("fail.sh"));
    client.end();
}

#[test]
fn requests_at_once_are_all_answered() {
    let env = place();
    let mut client = Asking::begin(&env);
    let ids: Vec<u64> = (0..100)
        .map(|number| match number % 3 {
            0 => client.send("tools/list", &json!({})),
            1 => client.send("ping", &json!({})),
            _ => client.send(
                "tools/call",
                &json!({"name": "sessions_list", "arguments": {}}),
            ),
        })
        .collect();
    for id in ids {
        let answer = client.answer(id);
        assert!(answer["result"].is_object(), "{answer}");
    }
    client.end();
}

#[test]
fn it_ends_with_its_input_and_by_a_signal() {
    let env = place();
    // Before anything was said.
    let silent = env.aido(["mcp"]).stdin("").output();
    assert_eq!((silent.code(), silent.stdout.len()), (0, 0), "{silent:?}");
    let torn = env.aido(["mcp"]).stdin("{\"jsonrpc\":").output();
    assert_eq!((torn.code(), torn.stdout.len()), (0, 0), "{torn:?}");
    for signal in [libc::SIGTERM, libc::SIGINT] {
        let mut client = Asking::begin(&env);
        client.call("sessions_list", &json!({}));
        let server = client.into_server();
        server.signal(signal);
        assert_eq!(server.wait().signal(), Some(signal));
    }
}

#[test]
fn settings_that_cannot_be_taken_are_named_at_once() {
    let env = place();
    env.write("work/nexus/aido.toml", "timeout = [");
    let run = env.aido(["mcp"]).stdin_open().output();
    assert_eq!(run.code(), 2, "{run:?}");
    assert!(run.stdout.is_empty() && contains(&run.stderr, b"aido.toml"));
}
