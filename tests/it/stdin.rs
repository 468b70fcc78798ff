//! Group B: a standard input that is no terminal reaches the command as it is.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use crate::support::{AIDO, MODES, TestEnv};

/// Bytes without a pattern that a terminal or a pipe could hide.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

// B01, B02, B03, B04, B05
#[test]
fn what_is_piped_in_arrives_byte_for_byte() {
    let env = TestEnv::new();
    let every_byte: Vec<u8> = (0..=255).collect();
    for mode in MODES {
        for input in [
            Vec::new(),
            b"one\ntwo\nthree\n".to_vec(),
            b"no newline at the end".to_vec(),
            [vec![b'x'; 6000], b"\n".to_vec()].concat(),
            vec![b'y'; 20_000],
            every_byte.clone(),
            every_byte.repeat(40),
            b"\x04\x03\x1a\x13\x16\r\r\n\x04".to_vec(),
        ] {
            let run = env.aido_in(mode, ["cat"]).stdin(input.clone()).output();
            assert_eq!(run.code(), 0, "{mode}");
            let (seen, sent) = (run.stdout.escape_ascii(), input.escape_ascii());
            assert_eq!(seen.to_string(), sent.to_string(), "{mode}");
            assert!(run.stderr.is_empty(), "{mode}: {run:?}");
        }
    }
}

// B01
#[test]
fn nothing_is_added_to_an_empty_input() {
    let env = TestEnv::new();
    for mode in MODES {
        for command in [
            &["cat"][..],
            &["wc", "-c"],
            &["sh", "-c", "read x; echo $? \"<$x>\""],
        ] {
            let run = env.aido_in(mode, command).output();
            run.assert_same_as(&env.bare(command).output(), mode);
        }
    }
}

// B06
#[test]
fn eight_mebibytes_arrive_intact() {
    let env = TestEnv::new();
    let input = noise(8 << 20);
    for mode in MODES {
        let run = env.aido_in(mode, ["cat"]).stdin(input.clone()).output();
        assert_eq!((run.code(), run.stdout.len()), (0, input.len()), "{mode}");
        assert!(run.stdout == input, "{mode}: the bytes differ");
    }
}

// B07
#[test]
fn an_input_that_nobody_reads_blocks_nothing() {
    let env = TestEnv::new();
    for mode in MODES {
        let run = env.aido_in(mode, ["sh", "-c", "echo done; exit 4"]);
        let run = run.stdin(vec![b'z'; 4 << 20]).output();
        assert_eq!(
            (run.code(), run.stdout_text().as_str()),
            (4, "done\n"),
            "{mode}"
        );
    }
}

// B08
#[test]
fn aido_ends_with_the_command_though_its_input_stays_open() {
    let env = TestEnv::new();
    for mode in MODES {
        let run = env
            .aido_in(mode, ["sh", "-c", "echo done; exit 4"])
            .stdin_open()
            .output();
        assert_eq!(
            (run.code(), run.stdout_text().as_str()),
            (4, "done\n"),
            "{mode}"
        );
    }
}

// B09
#[test]
fn a_loop_around_aido_keeps_its_input() {
    let env = TestEnv::new();
    let script = r#"while read word; do "$0" --tty "$1" echo "got $word"; done"#;
    for mode in MODES {
        let run = env
            .bare(["sh", "-c", script, AIDO, mode])
            .stdin("a\nb\nc\n")
            .output();
        assert_eq!(
            run.stdout_text(),
            "got a\ngot b\ngot c\n",
            "{mode}: {run:?}"
        );
    }
}

// B10
#[test]
fn closed_descriptors_are_survived() {
    let env = TestEnv::new();
    for mode in MODES {
        for closed in [&[0][..], &[1], &[2], &[0, 1], &[1, 2], &[0, 1, 2]] {
            let hook = move || {
                for number in closed {
                    // SAFETY: close is async-signal-safe; the child has no other owner of 0, 1 and 2.
                    unsafe { libc::close(*number) };
                }
                Ok(())
            };
            let command = ["sh", "-c", "echo out; echo err >&2; exit 5"];
            let run = env.aido_in(mode, command).before_exec(hook).output();
            assert_eq!(run.code(), 5, "{mode} {closed:?}: {run:?}");
            let shown = |number, text| if closed.contains(&number) { "" } else { text };
            assert_eq!(run.stdout_text(), shown(1, "out\n"), "{mode} {closed:?}");
            if !closed.contains(&1) {
                assert_eq!(run.stderr_text(), shown(2, "err\n"), "{mode} {closed:?}");
            }
        }
    }
}

// B11
#[test]
fn the_end_of_input_arrives_while_the_command_goes_on() {
    let env = TestEnv::new();
    for mode in MODES {
        let command = ["sh", "-c", "echo READY; cat; echo after; cat; echo end"];
        let mut run = env.aido_in(mode, command).stdin_open().spawn();
        run.wait_for_stdout(b"READY\n");
        run.write_stdin(b"1\n2\n");
        run.wait_for_stdout(b"2\n");
        run.write_stdin(b"3\n");
        run.close_stdin();
        let run = run.wait();
        assert_eq!(run.stdout_text(), "READY\n1\n2\n3\nafter\nend\n", "{mode}");
    }
}

// B09, B12
#[test]
fn a_regular_file_is_read_as_far_as_the_command_reads_it() {
    let env = TestEnv::new();
    env.write("list", "abcdefgh");
    for mode in MODES {
        let mut file = File::open(env.path("list")).unwrap();
        let input = file.try_clone().unwrap();
        let command = ["dd", "bs=1", "count=3", "status=none"];
        let run = env.aido_in(mode, command).stdin_file(input).output();
        assert_eq!(
            (run.code(), run.stdout_text().as_str()),
            (0, "abc"),
            "{mode}: {run:?}"
        );
        assert_eq!(file.stream_position().unwrap(), 3, "{mode}");
        let run = env.aido_in(mode, ["cat"]).stdin_file(file).output();
        assert_eq!(
            (run.code(), run.stdout_text().as_str()),
            (0, "defgh"),
            "{mode}: {run:?}"
        );
    }
}

// B13
#[test]
fn sockets_serve_as_input_and_output() {
    let env = TestEnv::new();
    let input = noise(300_000);
    for mode in MODES {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let (mut output, their_output) = UnixStream::pair().unwrap();
        let run = env
            .aido_in(mode, ["cat"])
            .stdin_file(theirs)
            .stdout_file(their_output)
            .spawn();
        let sent = input.clone();
        let writer = std::thread::spawn(move || {
            ours.write_all(&sent).unwrap();
            ours.shutdown(Shutdown::Write).unwrap();
        });
        let mut seen = Vec::new();
        output.read_to_end(&mut seen).unwrap();
        writer.join().unwrap();
        assert_eq!((run.wait().code(), seen.len()), (0, input.len()), "{mode}");
        assert!(seen == input, "{mode}: the bytes differ");
        assert_eq!(
            env.recorded().last().unwrap().output().len(),
            input.len(),
            "{mode}"
        );
    }
}
