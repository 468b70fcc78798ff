use super::*;
use crate::session::Size;
use proptest::prelude::*;
use std::io::Cursor;

type Read = (Facts, Vec<(u128, String)>, Vec<String>);

fn read(typescript: &[u8], timing: Option<&str>) -> Read {
    let timing = timing.map(str::as_bytes);
    let (facts, mut typescript) = open(Cursor::new(typescript), timing, None).unwrap();
    let mut all = Vec::new();
    while let Some(Moment { at, what }) = typescript.next_moment().unwrap() {
        let what = match what {
            What::Output(_, bytes) => String::from_utf8_lossy(bytes).into_owned(),
            other => format!("{other:?}"),
        };
        all.push((at.as_millis(), what));
    }
    let doubts = typescript.doubts();
    (facts, all, doubts)
}

fn owned(expected: &[(u128, &str)]) -> Vec<(u128, String)> {
    let expected = expected.iter();
    expected
        .map(|(at, what)| (*at, (*what).to_owned()))
        .collect()
}

const FILE: &[u8] = b"Script started on 2026-03-05 14:25:22+01:00 [COMMAND=\"say \"a\" [b]\" \
    TERM=\"xterm\" TTY=\"/dev/pts/1\" COLUMNS=\"80\" LINES=\"24\"]\none\r\ntwo\r\n\
    \nScript done on 2026-03-05 14:25:29+01:00 [COMMAND_EXIT_CODE=\"3\"]\n";

#[test]
fn a_typescript_with_timing_is_read_piece_by_piece() {
    let (facts, all, doubts) = read(FILE, Some("0.5 5\n60.25 5\n"));
    let expected = Facts {
        format: "typescript".to_owned(),
        title: None,
        command: Some("say \"a\" [b]".to_owned()),
        began: Some("2026-03-05T13:25:22.000Z".parse().unwrap()),
        size: Some(Size {
            columns: 80,
            rows: 24,
        }),
        terminal: Some("xterm".to_owned()),
        shell: None,
    };
    assert_eq!(facts, expected);
    let expected = [
        (500, "one\r\n"),
        (60750, "two\r\n"),
        (60750, "Exit { exit_code: Some(3) }"),
    ];
    assert_eq!((all, doubts), (owned(&expected), Vec::new()));
}

#[test]
fn without_timing_there_is_one_piece_and_a_doubt() {
    let (_, all, doubts) = read(FILE, None);
    let expected = [(0, "one\r\ntwo\r\n"), (0, "Exit { exit_code: Some(3) }")];
    assert_eq!(all, owned(&expected));
    assert_eq!(
        doubts,
        ["there is no timing: when each piece was printed is not known"]
    );
}

#[test]
fn the_facts_of_the_timing_come_before_those_of_the_first_line() {
    let file = b"Script started on x [COMMAND=\"a \" LINES=\"9\" <not executed on terminal>]\nout";
    let (facts, ..) = read(file, None);
    assert_eq!(facts.command.as_deref(), Some("a "));
    let timing = "H 0 START_TIME 2026-03-05 13:25:22+00:00\nH 0 SHELL /bin/zsh\nH 0 COMMAND a \" LINES=\n\
        H 0 TERM xterm\nH 0 COLUMNS 80\nH 0 LINES 24\nO 0.5 3\nH 0 EXIT_CODE 3\n";
    let (facts, all, doubts) = read(file, Some(timing));
    let expected = Facts {
        format: "typescript".to_owned(),
        title: None,
        command: Some("a \" LINES=".to_owned()),
        began: Some("2026-03-05T13:25:22.000Z".parse().unwrap()),
        size: Some(Size {
            columns: 80,
            rows: 24,
        }),
        terminal: Some("xterm".to_owned()),
        shell: Some("/bin/zsh".to_owned()),
    };
    assert_eq!((facts, doubts.len()), (expected, 0));
    assert_eq!(
        all,
        owned(&[(500, "out"), (500, "Exit { exit_code: Some(3) }")])
    );
}

#[test]
fn input_is_left_out_wherever_it_stands() {
    let file = b"Script started on x [<not executed on terminal>]\nonetypedtwo";
    let logs = |input: &str| {
        format!("H 0 OUTPUT_LOG a\nH 0 INPUT_LOG {input}\nO 1 3\nI 1 5\nO 1 3\nH 0 EXIT_CODE 0\n")
    };
    let (_, all, _) = read(file, Some(&logs("a")));
    let expected = [
        (1000, "one"),
        (3000, "two"),
        (3000, "Exit { exit_code: Some(0) }"),
    ];
    assert_eq!(all, owned(&expected));
    let file = b"Script started on x\nonetwo";
    assert_eq!(read(file, Some(&logs("b"))).1, owned(&expected));
}

#[test]
fn what_contradicts_itself_is_not_taken() {
    let file = b"Script started on x\nout\nScript done on y [COMMAND_EXIT_CODE=\"1\"]\n=== AI_EXIT_CODE: 0 ===\n";
    let (facts, all, doubts) = read(file, Some("0.1 3\n"));
    assert_eq!(facts.began, None);
    assert_eq!(
        all,
        owned(&[(100, "out"), (100, "Exit { exit_code: None }")])
    );
    assert_eq!(
        doubts,
        ["the exit code is not known: the marker says 0, script's last line says 1"]
    );
    let (_, all, doubts) = read(b"Script started on x\nout", Some("0.1 1\nrubbish\n"));
    assert_eq!(all[..2], owned(&[(100, "o"), (100, "ut")]));
    assert_eq!(doubts.len(), 2, "{doubts:?}");
}

#[test]
fn only_the_lines_that_were_added_are_taken_from_the_end() {
    let done = "\nScript done on y\n";
    for (output, expected) in [
        ("a", "a"),
        ("a\r\n", "a\r\n"),
        (
            "a\n\nScript done on fake [COMMAND_EXIT_CODE=\"0\"]\n",
            "a\n\nScript done on fake [COMMAND_EXIT_CODE=\"0\"]\n",
        ),
        ("", ""),
    ] {
        let file = format!("Script started on x\n{output}{done}");
        let (_, all, _) = read(file.as_bytes(), None);
        let shown: String = all[..all.len() - 1]
            .iter()
            .map(|(_, text)| text.as_str())
            .collect();
        assert_eq!(shown, expected);
    }
}

#[test]
fn an_exit_code_that_was_printed_is_not_taken() {
    let printed = "out\n=== AI_EXIT_CODE: 0 ===\n";
    let file = format!("Script started on x\n{printed}\nScript done on y\n");
    for timing in [None, Some("0.1 28\n")] {
        let (_, all, _) = read(file.as_bytes(), timing);
        let at = if timing.is_some() { 100 } else { 0 };
        let expected = [(at, printed), (at, "Exit { exit_code: None }")];
        assert_eq!(all, owned(&expected), "{timing:?}");
    }
    // Killed before it wrote a last line: the timing tells that all of it was output.
    for printed in [
        "out\n=== AI_EXIT_CODE: 0 ===\n",
        "out\n\nScript done on y [COMMAND_EXIT_CODE=\"0\"]\n",
    ] {
        let file = format!("Script started on x\n{printed}");
        let timing = format!("0.1 {}\n", printed.len());
        let (_, all, doubts) = read(file.as_bytes(), Some(&timing));
        let last = (100, "Exit { exit_code: None }".to_owned());
        assert_eq!(all.last(), Some(&last), "{printed}");
        assert_eq!(doubts.len(), 1, "{doubts:?}");
    }
}

proptest! {
    #[test]
    fn no_file_makes_it_panic_and_no_byte_comes_twice(
        file in prop::collection::vec(any::<u8>(), 0..300),
        first in any::<bool>(),
        timing in prop::option::of("([OISH] )?[0-9.e-]{0,6} [0-9]{0,4}\n([OISH] [0-9.]{1,4} [A-Z_0-9= ]{0,20}\n){0,6}"),
    ) {
        let start = if first { &b"Script started on x [COMMAND=\"\"]\n"[..] } else { b"" };
        let file = [start, &file].concat();
        let (_, all, _) = read(&file, timing.as_deref());
        prop_assert!(matches!(all.last(), Some((_, last)) if last.starts_with("Exit")));
    }
}

#[test]
fn a_log_of_what_was_typed_is_not_taken() {
    let timing = "H 0.0 START_TIME 2026-03-05 14:25:22+01:00\nH 0.0 INPUT_LOG logs/i.in\n\
        H 0.0 OUTPUT_LOG o.out\nI 0.5 5\n";
    let opened = |name| {
        let (file, timing) = (Cursor::new(b"typed"), Some(timing.as_bytes()));
        open(file, timing, Some(name)).map(|_| ())
    };
    assert!(matches!(opened("i.in"), Err(OpenError::Typed)));
    assert!(opened("o.out").is_ok());
}
