//! Group C: what the command prints is delivered exactly, apart, in order and in time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::OwnedFd;

use rustix::fs::{OFlags, fcntl_getfl};

use crate::support::{MODES, TestEnv, process_is_alive, wait_until};

/// Prints every byte value a few hundred times, in an order that no terminal would leave alone.
const EVERY_BYTE: &str = r"i=0; while [ $i -lt 256 ]; do
    printf \\$(printf %03o $i); printf \\$(printf %03o $((255 - i)))\\r\\n; i=$((i + 1)); done";

/// Runs each command with and without aido, both streams apart and merged.
fn assert_delivered(commands: &[&[&str]]) {
    let env = TestEnv::new();
    for command in commands {
        let bare = env.bare(*command).output();
        let bare_merged = env.bare(*command).merged().output();
        for mode in MODES {
            let run = env.aido_in(mode, *command).output();
            run.assert_same_as(&bare, mode);
            let session = env.recorded().pop().unwrap();
            let (seen, printed) = (
                session.output().len(),
                bare.stdout.len() + bare.stderr.len(),
            );
            assert_eq!(seen, printed, "{mode}: the recording's length");
            assert_eq!(session.meta["streams"], "split", "{mode}");
            let run = env.aido_in(mode, *command).merged().output();
            run.assert_same_as(&bare_merged, mode);
            let session = env.recorded().pop().unwrap();
            assert!(
                session.output() == bare_merged.stdout,
                "{mode}: the recording's bytes"
            );
            assert_eq!(session.meta["streams"], "merged", "{mode}");
        }
    }
}

// C01, C02, C13
#[test]
fn output_is_byte_identical_and_recorded_byte_for_byte() {
    assert_delivered(&[
        &["printf", r"one\ntwo\n"],
        &["printf", r"no newline"],
        &["printf", r"tab\there\r\nand\rthere\n\n\n"],
        &["printf", r"\377\376\200broken utf-8 \303\n"],
        &["printf", r"\033[31mred\033[0m \007 \004 \032\n"],
        &["sh", "-c", EVERY_BYTE],
        &["true"],
    ]);
}

// C09, C10
#[test]
fn streams_stay_apart_and_in_order() {
    assert_delivered(&[
        &["sh", "-c", "echo out; echo err >&2; exit 3"],
        &["sh", "-c", "echo only err >&2"],
        &[
            "sh",
            "-c",
            "i=0; while [ $i -lt 300 ]; do echo o$i; echo e$i >&2; i=$((i + 1)); done",
        ],
    ]);
}

// C09
#[test]
fn stderr_goes_where_the_caller_sent_it() {
    let env = TestEnv::new();
    let command = ["sh", "-c", "echo out; echo err >&2"];
    for mode in MODES {
        let log = File::create(env.path("err.log")).unwrap();
        let run = env.aido_in(mode, command).stderr_file(log).output();
        assert_eq!(run.stdout_text(), "out\n", "{mode}");
        assert_eq!(
            fs::read_to_string(env.path("err.log")).unwrap(),
            "err\n",
            "{mode}"
        );
        let null = OpenOptions::new().write(true).open("/dev/null").unwrap();
        let run = env.aido_in(mode, command).stderr_file(null).output();
        assert_eq!(run.stdout_text(), "out\n", "{mode}");
    }
}

// C03
#[test]
fn the_tail_is_never_lost() {
    let env = TestEnv::new();
    let command = [
        "sh",
        "-c",
        "head -c 300000 /dev/zero | tr '\\0' x; printf END",
    ];
    for mode in MODES {
        for round in 0..25 {
            let run = env.aido_in(mode, command).output();
            assert_eq!(run.stdout.len(), 300_003, "{mode} round {round}");
            assert!(run.stdout.ends_with(b"xEND"), "{mode} round {round}");
        }
    }
    for session in env.recorded() {
        assert_eq!(session.output().len(), 300_003, "{}", session.id);
    }
}

fn status_value(pid: i32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

// C04, C05
#[test]
fn a_slow_reader_slows_the_command_and_memory_stays_bounded() {
    let env = TestEnv::new();
    for mode in MODES {
        let (mut reader, writer) = io::pipe().unwrap();
        let command = ["sh", "-c", "head -c 50000000 /dev/zero; printf END"];
        let run = env
            .aido_in(mode, command)
            .stdout_file(OwnedFd::from(writer))
            .spawn();
        let length = || {
            let known = env
                .transcripts()
                .into_iter()
                .map(|path| fs::metadata(path).unwrap().len());
            known.max().unwrap_or(0)
        };
        // Nobody reads: the recording stops growing once every buffer on the way is full.
        let mut before = u64::MAX;
        wait_until("the command is held back", || {
            std::thread::sleep(std::time::Duration::from_millis(100));
            let unchanged = length() > 0 && length() == before;
            before = length();
            unchanged
        });
        assert!(
            before < 3 << 20,
            "{mode}: {before} bytes ran ahead of the reader"
        );
        let (mut seen, mut chunk, mut peak) = (0, vec![0; 1 << 20], 0);
        loop {
            let read = reader.read(&mut chunk).unwrap();
            if read == 0 {
                break;
            }
            seen += read;
            peak = peak.max(status_value(run.pid(), "VmRSS:"));
        }
        assert_eq!((run.wait().code(), seen), (0, 50_000_003), "{mode}");
        assert!(peak < 40_000, "{mode}: {peak} KiB of memory");
        let session = env.only_session();
        assert_eq!(session.output().len(), 50_000_003, "{mode}");
        fs::remove_dir_all(env.sessions()).unwrap();
    }
}

// C06
#[test]
fn an_endless_writer_ends_when_its_reader_goes() {
    let env = TestEnv::new();
    for mode in MODES {
        let (mut reader, writer) = io::pipe().unwrap();
        let command = ["sh", "-c", "echo $$ >pid; exec yes"];
        let run = env
            .aido_in(mode, command)
            .stdout_file(OwnedFd::from(writer))
            .spawn();
        reader.read_exact(&mut [0; 2]).unwrap();
        drop(reader);
        let run = run.wait();
        assert_eq!(run.code(), 141, "{mode}: {run:?}");
        let pid = fs::read_to_string(env.path("work/pid")).unwrap();
        wait_until("yes has ended", || {
            !process_is_alive(pid.trim().parse().unwrap())
        });
    }
}

// C07
#[test]
fn a_reader_that_goes_early_never_makes_aido_hang() {
    let env = TestEnv::new();
    let script = "echo a; read go; echo b; echo c; exit 0";
    for mode in MODES {
        let (mut reader, writer) = io::pipe().unwrap();
        let run = env.aido_in(mode, ["sh", "-c", script]).stdin_open();
        let mut run = run.stdout_file(OwnedFd::from(writer)).spawn();
        reader.read_exact(&mut [0; 2]).unwrap();
        drop(reader);
        run.write_stdin(b"go\n");
        let run = run.wait();
        assert!([0, 141].contains(&run.code()), "{mode}: {run:?}");
    }
}

// C08
#[test]
fn a_full_device_is_told_and_the_recording_kept() {
    let env = TestEnv::new();
    for mode in MODES {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let command = ["sh", "-c", "echo lost; echo kept >&2; true"];
        let run = env.aido_in(mode, command).stdout_file(full).output();
        let message = run.stderr_text();
        let warnings = message
            .lines()
            .filter(|line| line.starts_with("aido: "))
            .count();
        assert_eq!((run.code(), warnings), (0, 1), "{mode}: {run:?}");
        assert!(message.contains("kept\n"), "{mode}: {message}");
        let session = env.recorded().pop().unwrap();
        assert_eq!(session.output().len(), "lost\nkept\n".len(), "{mode}");
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let run = env.aido_in(mode, ["head", "-c", "3000000", "/dev/zero"]);
        assert_eq!(run.stdout_file(full).output().code(), 0, "{mode}");
    }
}

// C11
#[test]
fn output_is_relayed_at_once() {
    let env = TestEnv::new();
    for mode in MODES {
        let command = ["sh", "-c", "printf READY; read word; printf \"<$word>\""];
        let mut run = env.aido_in(mode, command).stdin_open().spawn();
        run.wait_for_stdout(b"READY");
        run.write_stdin(b"go\n");
        assert_eq!(run.wait().stdout_text(), "READY<go>", "{mode}");
    }
}

// C12
#[test]
fn the_recording_is_on_disk_while_the_command_runs() {
    let env = TestEnv::new();
    for mode in MODES {
        let command = ["sh", "-c", "printf 'READY '; read word; printf end"];
        let mut run = env.aido_in(mode, command).stdin_open().spawn();
        run.wait_for_stdout(b"READY ");
        let live = env
            .transcripts()
            .into_iter()
            .find(|path| fs::read(path).unwrap() == b"READY ");
        assert!(live.is_some(), "{mode}: {:?}", env.transcripts());
        run.write_stdin(b"go\n");
        assert_eq!(run.wait().code(), 0, "{mode}");
        assert_eq!(
            env.recorded().pop().unwrap().output(),
            b"READY end",
            "{mode}"
        );
    }
}

// C14
#[test]
fn a_file_is_appended_to_and_never_rewritten() {
    let env = TestEnv::new();
    for mode in MODES {
        env.write("log", "before\n");
        let log = OpenOptions::new()
            .append(true)
            .open(env.path("log"))
            .unwrap();
        let script = r#"i=0; while [ $i -lt 2000 ]; do echo "line $i"; i=$((i + 1)); done"#;
        let run = env
            .aido_in(mode, ["sh", "-c", script])
            .stdout_file(log)
            .output();
        assert_eq!(run.code(), 0, "{mode}");
        let lines: String = (0..2000).map(|number| format!("line {number}\n")).collect();
        assert!(
            fs::read_to_string(env.path("log")).unwrap() == format!("before\n{lines}"),
            "{mode}"
        );
    }
}

// C14
#[test]
fn a_file_shared_with_the_caller_keeps_one_offset() {
    let env = TestEnv::new();
    for mode in MODES {
        let mut file = File::create(env.path("shared")).unwrap();
        for number in 0..3 {
            io::Write::write_all(&mut file, format!("mine {number}\n").as_bytes()).unwrap();
            let output = file.try_clone().unwrap();
            env.aido_in(mode, ["echo", "its"])
                .stdout_file(output)
                .merged()
                .output();
        }
        let expected = "mine 0\nits\nmine 1\nits\nmine 2\nits\n";
        assert_eq!(
            fs::read_to_string(env.path("shared")).unwrap(),
            expected,
            "{mode}"
        );
    }
}

// H09
#[test]
fn the_callers_descriptors_stay_blocking() {
    let env = TestEnv::new();
    for mode in MODES {
        let (reader, writer) = io::pipe().unwrap();
        let (mut output, their_output) = io::pipe().unwrap();
        let (kept_in, kept_out) = (
            reader.try_clone().unwrap(),
            their_output.try_clone().unwrap(),
        );
        let run = env.aido_in(mode, ["sh", "-c", "cat; head -c 10000 /dev/zero"]);
        let run = run
            .stdin_file(OwnedFd::from(reader))
            .stdout_file(OwnedFd::from(their_output))
            .spawn();
        let nonblocking = || {
            [fcntl_getfl(&kept_in), fcntl_getfl(&kept_out)]
                .map(|flags| flags.unwrap().contains(OFlags::NONBLOCK))
        };
        io::Write::write_all(&mut &writer, b"READY").unwrap();
        output.read_exact(&mut [0; 5]).unwrap();
        assert_eq!(nonblocking(), [false, false], "{mode}: while it runs");
        drop(writer);
        assert_eq!(run.wait().code(), 0, "{mode}");
        assert_eq!(nonblocking(), [false, false], "{mode}: afterwards");
    }
}
