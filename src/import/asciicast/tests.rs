use super::*;
use proptest::prelude::*;

/// Everything that happened, with its time in milliseconds, and what was doubted.
type Read = (Facts, Vec<(u128, String)>, Vec<String>);

fn read(text: &[u8]) -> Result<Read, CastError> {
    let (facts, mut cast) = Cast::open(text)?;
    let mut all = Vec::new();
    while let Some(Moment { at, what }) = cast.next_moment()? {
        let what = match what {
            What::Output(_, bytes) => String::from_utf8_lossy(bytes).into_owned(),
            other => format!("{other:?}"),
        };
        all.push((at.as_millis(), what));
    }
    let doubts = cast.doubts();
    Ok((facts, all, doubts))
}

#[test]
fn all_three_versions_say_the_same() {
    let one = r#"{"version": 1, "width": 80, "height": 24, "command": "ls", "title": "t",
        "env": {"TERM": "xterm", "SHELL": "/bin/zsh"}, "stdout": [[0.5, "a"], [0.25, "é\r\n"]]}"#;
    let two = "{\"version\":2,\"width\":80,\"height\":24,\"timestamp\":1772717122,\"command\":\"ls\",\
        \"title\":\"t\",\"env\":{\"TERM\":\"xterm\",\"SHELL\":\"/bin/zsh\"}}\n[0.5,\"o\",\"a\"]\n\
        [0.6,\"i\",\"secret\"]\n\n[0.75,\"o\",\"é\\r\\n\"]\n";
    let three = "{\"version\":3,\"term\":{\"cols\":80,\"rows\":24,\"type\":\"xterm\"},\
        \"timestamp\":1772717122,\"command\":\"ls\",\"title\":\"t\",\"env\":{\"SHELL\":\"/bin/zsh\"}}\n\
        # a comment\n[0.5,\"o\",\"a\"]\n[0.25,\"o\",\"é\\r\\n\"]\n[1,\"r\",\"100x30\"]\n[0,\"x\",\"3\"]\n";
    for (text, version, more) in [
        (one, 1, &[][..]),
        (two, 2, &[]),
        (
            three,
            3,
            &[
                "Resize(Size { columns: 100, rows: 30 })",
                "Exit { exit_code: Some(3) }",
            ],
        ),
    ] {
        let (facts, all, doubts) = read(text.as_bytes()).unwrap();
        let began = "2026-03-05T13:25:22.000Z".parse().unwrap();
        let expected = Facts {
            format: format!("asciicast {version}"),
            title: Some("t".to_owned()),
            command: Some("ls".to_owned()),
            began: (version > 1).then_some(began),
            size: size_of(80, 24),
            terminal: Some("xterm".to_owned()),
            shell: Some("/bin/zsh".to_owned()),
        };
        assert_eq!((facts, doubts.len()), (expected, 0));
        assert_eq!(all[..2], [(500, "a".to_owned()), (750, "é\r\n".to_owned())]);
        let rest: Vec<&str> = all[2..].iter().map(|(_, what)| what.as_str()).collect();
        assert_eq!(rest, more);
    }
}

#[test]
fn a_marker_is_an_exit_code_only_where_aido_wrote_it() {
    let cast = |title: &str| {
        let text = format!(
            "{{\"version\":2,\"title\":\"{title}\"}}\n[1,\"m\",\"exit 3\"]\n[1,\"m\",\"exit 999\"]\n"
        );
        read(text.as_bytes()).unwrap().1.len()
    };
    assert_eq!(cast("ai-agent-20260305_132522-3216-2f587606"), 1);
    assert_eq!(cast("demo"), 0);
}

#[test]
fn a_file_that_stops_making_sense_gives_what_came_before() {
    let start = "{\"version\":3,\"term\":{\"cols\":0,\"rows\":99999}}\n[1e300,\"o\",\"a\"]\n\
        [-5,\"o\",\"b\"]\n[1,\"r\",\"0x9\"]\n[1,\"?\",[]]\n";
    for (rest, doubt) in [
        ("[1,\"o\",\"c\"", "the file ends inside of line 6"),
        (
            "garbage\n[1,\"o\",\"c\"]\n",
            "line 6 is no event; nothing after it was taken",
        ),
    ] {
        let (facts, all, doubts) = read(format!("{start}{rest}").as_bytes()).unwrap();
        assert_eq!(facts.size, None);
        let texts: Vec<&str> = all.iter().map(|(_, what)| what.as_str()).collect();
        assert_eq!(texts, ["a", "b"]);
        assert!(all.iter().all(|(at, _)| *at == 0));
        let odd = [
            "2 times go back or are out of reason; those before were taken",
            "2 sizes are out of reason and were not taken",
        ];
        assert_eq!(doubts, [&[doubt], &odd[..]].concat());
    }
}

#[test]
fn an_end_that_is_told_twice_is_known_only_if_both_are_the_same() {
    for (second, code, doubts) in [
        ("[0,\"x\",\"1\"]", "Some(1)", 1),
        ("[0,\"x\",\"2\"]", "None", 2),
    ] {
        let text = format!("{{\"version\":3}}\n[1,\"x\",\"1\"]\n{second}\n[0,\"o\",\"late\"]\n");
        let (_, all, told) = read(text.as_bytes()).unwrap();
        let last = all.iter().rev().find(|(_, what)| what.starts_with("Exit"));
        assert!(last.unwrap().1.contains(code), "{all:?}");
        assert_eq!(told.len(), doubts, "{told:?}");
    }
}

#[test]
fn what_is_no_asciicast_is_refused() {
    for text in [
        "",
        "\n\n",
        "{}",
        "{\"version\":4}\n",
        "{\"version\":\"2\"}\n",
        "{\"version\":1}",
        "[1,2]",
        "{\"version\":1,\"stdout\":[[\"a\",\"b\"]]}",
        "Script started on x\n",
    ] {
        assert!(read(text.as_bytes()).is_err(), "{text:?}");
    }
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(
        lines in prop::collection::vec("[\\[{]?[-0-9.e,\"oirmx: \\\\\\]}]{0,30}", 0..12),
        version in 0..5_u8,
    ) {
        let text = format!("{{\"version\":{version}}}\n{}", lines.join("\n"));
        if let Ok((_, all, _)) = read(text.as_bytes()) {
            prop_assert!(all.len() <= lines.len());
        }
    }
}
