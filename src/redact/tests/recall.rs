//! Every kind of secret is found, in every form in which it may stand somewhere.

use std::collections::BTreeSet;

use super::made::{IN_CONTEXT, Lot, TOKENS};
use super::{masked, redacted, redactor_for};
use crate::redact::{Depth, Options, Redactor, Style, rules};

/// How much of a secret may be seen after it was replaced: none of it that is this long.
const GLIMPSE: usize = 10;

/// One secret, and a text with it.
struct Planted {
    rule: &'static str,
    secret: String,
    text: String,
}

/// Every secret in its plain form.
fn planted() -> Vec<Planted> {
    let mut planted = Vec::new();
    for (index, (rule, recipe)) in TOKENS.iter().enumerate() {
        let secret = Lot::new(index as u64 + 1).cook(recipe);
        let text = format!("the secret is {secret} here\n");
        planted.push(Planted { rule, secret, text });
    }
    for (index, (rule, before, recipe, after)) in IN_CONTEXT.iter().enumerate() {
        let secret = Lot::new(index as u64 + 1001).cook(recipe);
        let text = format!(
            "{}{secret}{}",
            before.replace('|', ""),
            after.replace('|', "")
        );
        planted.push(Planted { rule, secret, text });
    }
    planted
}

/// The text that is left when escape sequences and line ends are taken away.
fn visible(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut visible = String::new();
    let mut rest = &*text;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        match character {
            '\x1b' => {
                let end = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap();
                rest = &rest[end + 1..];
            }
            '\n' | '\r' => {}
            _ => visible.push(character),
        }
    }
    visible
}

/// Asserts that nothing of the secret is left to see.
fn assert_hidden(planted: &Planted, given: &[u8], shown: &[u8], form: &str) {
    let seen = visible(shown);
    let secret = visible(planted.secret.as_bytes());
    let pieces = secret.as_bytes().windows(GLIMPSE.min(secret.len()));
    for piece in pieces.map(String::from_utf8_lossy) {
        assert!(
            !seen.contains(&*piece),
            "{} {form}: {piece:?} is left of\n{}\n{}",
            planted.rule,
            String::from_utf8_lossy(given),
            String::from_utf8_lossy(shown)
        );
    }
}

#[test]
fn every_rule_of_the_table_finds_a_secret_that_was_made_for_it() {
    let mut found = BTreeSet::new();
    for planted in planted() {
        let (shown, report) = Redactor::default().text(&planted.text);
        let rules: Vec<(&str, u64)> = report.counts().collect();
        assert_eq!(rules, [(planted.rule, 1)], "{}{shown}", planted.text);
        assert_hidden(&planted, planted.text.as_bytes(), shown.as_bytes(), "plain");
        found.insert(planted.rule);
    }
    let lines = rules::TEXT.lines();
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let written: BTreeSet<&str> = lines
        .map(|line| line.split('|').next().unwrap().trim())
        .collect();
    assert_eq!(found, written);
    assert!(found.len() > 150);
}

#[test]
fn what_stands_around_a_token_is_left_as_it_is() {
    for planted in planted() {
        let expected = format!("[REDACTED:{}]", planted.rule);
        let shown = redacted(&planted.text);
        if !planted.rule.ends_with("-webhook") && !planted.text.contains("django") {
            assert_eq!(shown, planted.text.replace(&planted.secret, &expected));
        }
    }
}

/// Tokens in other texts: each is hidden, whatever is around it.
#[test]
fn tokens_are_found_in_json_in_addresses_and_next_to_signs() {
    for planted in planted().into_iter().take(TOKENS.len()) {
        let secret = &planted.secret;
        for text in [
            format!("{{\"a\":\"{secret}\",\"b\":1}}"),
            format!("{{\\\"a\\\":\\\"{secret}\\\"}}"),
            format!("\"line one\\n{secret}\\nline three\""),
            format!("x: '\\u003d{secret}\\u0026'"),
            format!("https://example.com/?q={secret}&x=1"),
            format!("https://example.com/?q%3D{secret}%26"),
            format!("fetch(`{secret}`);"),
            format!("[{secret}, {secret}]"),
            format!("({secret})"),
            format!("A={secret};B=x"),
            format!("\\x1b[31m{secret}\\x1b[0m"),
            secret.clone(),
        ] {
            let shown = redacted(&text);
            assert_hidden(&planted, text.as_bytes(), shown.as_bytes(), "elsewhere");
        }
    }
}

/// Puts something after every so many bytes.
fn split(text: &str, every: usize, with: &str) -> String {
    let mut split = String::new();
    for (index, character) in text.chars().enumerate() {
        if index > 0 && index % every == 0 {
            split.push_str(with);
        }
        split.push(character);
    }
    split
}

#[test]
fn secrets_that_escape_sequences_split_are_found() {
    let sequences = [
        "\x1b[31m",
        "\x1b[0;1;38;2;1;2;3m",
        "\x1b[0m\x1b[K",
        "\x1b(B\x1b[m",
        "\x1b[?25l",
    ];
    for planted in planted() {
        for sequence in sequences {
            for every in [1, 7, 30] {
                let (before, after) = planted.text.split_once(&planted.secret).unwrap();
                let secret = split(&planted.secret, every, sequence);
                let text = format!("{before}{sequence}{secret}{sequence}{after}");
                let (shown, report) = Redactor::default().text(&text);
                assert_hidden(&planted, text.as_bytes(), shown.as_bytes(), "coloured");
                assert_eq!(report.total(), 1, "{}: {text:?}\n{shown:?}", planted.rule);
                let kept = shown.matches('\x1b').count();
                assert_eq!(kept, text.matches('\x1b').count(), "sequences stay");
            }
        }
    }
}

#[test]
fn secrets_in_titles_and_links_are_found() {
    for planted in planted().into_iter().take(TOKENS.len()) {
        let secret = &planted.secret;
        for text in [
            format!("\x1b]0;{secret}\x07text"),
            format!("\x1b]8;;https://x.example/?t={secret}\x1b\\link\x1b]8;;\x1b\\"),
        ] {
            let shown = redacted(&text);
            assert!(!shown.contains(secret), "{}: {shown:?}", planted.rule);
        }
    }
}

/// Tokens that a program cut to the width of the terminal.
#[test]
fn tokens_that_go_on_in_the_next_line_are_found() {
    for planted in planted().into_iter().take(TOKENS.len()) {
        for columns in [20, 41, 80] {
            for end in ["\n", "\r\n", "\x1b[5;1H"] {
                let text = split(&planted.text, columns, end);
                let known = redactor_for(u16::try_from(columns).unwrap());
                let (shown, _) = known.text(&text);
                assert_hidden(&planted, text.as_bytes(), shown.as_bytes(), "wrapped");
            }
        }
    }
}

/// A line may end within the very bytes by which a token is known, in each way in which a terminal, a program
/// or a line editor ends one.
#[test]
fn tokens_whose_first_bytes_end_a_line_are_found() {
    const COLUMNS: usize = 40;
    let redactor = redactor_for(40);
    for planted in planted().into_iter().take(TOKENS.len()) {
        for first in 1..=4 {
            for end in ["\n", "\r\n", "\r\r\n", "\r", " \r"] {
                let (head, rest) = planted.secret.split_at(first);
                let rest = split(rest, COLUMNS, end);
                let text = format!("{:>COLUMNS$}{end}{rest}\n", head);
                let (shown, _) = redactor.text(&text);
                assert_hidden(&planted, text.as_bytes(), shown.as_bytes(), "wrapped");
            }
        }
    }
}

/// Without the width a wrapped token is found, too; of one without a fixed length the end may be left.
#[test]
fn most_of_a_wrapped_token_is_hidden_where_the_width_is_not_known() {
    for planted in planted().into_iter().take(TOKENS.len()) {
        let text = split(&planted.text, 60, "\r\n");
        let (shown, report) = Redactor::default().text(&text);
        assert!(!report.is_clean(), "{}: {text}", planted.rule);
        let left: usize = visible(shown.as_bytes()).len();
        let whole = visible(planted.text.as_bytes()).len() - planted.secret.len();
        assert!(left < whole + 60, "{}: {text}\n{shown}", planted.rule);
    }
}

/// Every secret lies across a border: of 64 KiB of the input, or of what is looked at in one go.
#[test]
fn secrets_across_the_border_of_a_block_are_found() {
    const BLOCK: usize = 64 * 1024;
    let line = "ordinary text of a log, line after line, nothing to see here\n";
    let (mut text, mut expected) = (String::new(), String::new());
    for (index, planted) in planted().into_iter().enumerate() {
        let border = (index + 1) * BLOCK + if index % 2 == 0 { 0 } else { 4096 };
        let start = border - planted.text.len().min(index % 50 + 5);
        let room = start - text.len() - 1;
        let filler = line.repeat(room / line.len());
        let padding = "-".repeat(room % line.len());
        for (text, with) in [
            (&mut text, &planted.text),
            (&mut expected, &redacted(&planted.text)),
        ] {
            *text += &filler;
            *text += &padding;
            *text += "\n";
            *text += with;
        }
    }
    assert!(redacted(&text) == expected);
}

#[test]
fn a_mask_keeps_every_column_and_line() {
    for planted in planted() {
        let shown = masked(&planted.text);
        assert_hidden(
            &planted,
            planted.text.as_bytes(),
            shown.as_bytes(),
            "masked",
        );
        assert_eq!(shown.len(), planted.text.len());
        let ends = |text: &str| {
            text.match_indices('\n')
                .map(|(at, _)| at)
                .collect::<Vec<_>>()
        };
        assert_eq!(ends(&shown), ends(&planted.text));
    }
    let wide = "PASSWORD=日本e\u{301}x\u{1f600} ok";
    assert_eq!(masked(wide), "PASSWORD=******** ok");
}

#[test]
fn a_very_long_secret_is_hidden_to_its_end() {
    let mut lot = Lot::new(5);
    for (before, body, after) in [
        ("token ey|JhbGciOiJIUzI1NiJ9.ey|J", "{b60000}", ".{b43}"),
        ("SECRET=", "{a50000}", ""),
        ("Authorization: Bearer ", "{a90000}", ""),
    ] {
        let secret = lot.cook(&format!("{body}{after}"));
        let text = format!("{}{secret} and more\n", lot.cook(before));
        for style in [Style::Token, Style::Mask] {
            let (shown, report) = Redactor::default().bytes(text.as_bytes(), style);
            let shown = String::from_utf8(shown).unwrap();
            assert_eq!(report.total(), 1, "{before}");
            assert!(
                shown.ends_with(" and more\n"),
                "{before} {}",
                &shown[shown.len() - 99..]
            );
            let end = &secret[secret.len() - GLIMPSE..];
            assert!(
                !shown.contains(end),
                "{before} {}",
                &shown[shown.len() - 99..]
            );
        }
    }
    let lines: Vec<String> = (0..3000).map(|_| lot.cook("{B64}")).collect();
    let begin = lot.cook("-----BEGIN RSA PRIVATE| KEY-----\n");
    let end = lot.cook("\n-----END RSA PRIVATE| KEY-----\nafter\n");
    let text = format!("{begin}{}{end}", lines.join("\n"));
    let (shown, report) = Redactor::default().text(&text);
    assert_eq!(report.total(), 1);
    assert_eq!(shown, format!("{begin}[REDACTED:private-key]{end}"));
}

#[test]
fn a_key_of_which_only_the_end_is_there_is_hidden() {
    let mut lot = Lot::new(6);
    let body = lot.cook("{B64}\n{B64}\n{B40}==");
    let end = lot.cook("\n-----END RSA PRIVATE| KEY-----\nafter\n");
    assert_eq!(
        redacted(&format!("a line before\n{body}{end}")),
        format!("a line before\n[REDACTED:private-key]{end}")
    );
    let prose = format!("a line before{end}");
    assert_eq!(redacted(&prose), prose);
}

#[test]
fn a_strict_search_also_finds_what_nothing_names() {
    let strict = Redactor::new(Options {
        depth: Depth::Strict,
        ..Options::default()
    });
    let mut lot = Lot::new(9);
    for recipe in ["{a40}", "{b43}", "{a30}+{a30}"] {
        let secret = lot.cook(recipe);
        let text = format!("value {secret} end");
        assert_eq!(redacted(&text), text);
        assert_eq!(strict.text(&text).0, "value [REDACTED:high-entropy] end");
    }
    for text in [
        format!("commit {}", lot.cook("{h40}")),
        "password: letmein".to_owned(),
    ] {
        let is_named = text.starts_with("password");
        assert_eq!(strict.text(&text).1.is_clean(), !is_named, "{text}");
    }
}

/// To the strictest search `password:3fa9` is a name and its value.
#[test]
fn a_replacement_is_no_secret_whatever_the_search() {
    let names = TOKENS.iter().map(|(name, _)| *name);
    let others = IN_CONTEXT.iter().map(|(name, ..)| *name);
    for name in names.chain(others).chain(["argument", "APP_SECRET"]) {
        for tag in ["", ":3fa9", ":4711"] {
            let text = format!("a [REDACTED:{name}{tag}] b\n");
            for depth in [Depth::Normal, Depth::Strict] {
                let redactor = Redactor::new(Options {
                    depth,
                    ..Options::default()
                });
                assert_eq!(redactor.text(&text).0, text);
            }
            // What stands beside one is looked at all the same.
            let text = format!("[REDACTED:{name}{tag}] password=hunter22");
            let shown = redacted(&text);
            assert!(!shown.contains("hunter22"), "{shown}");
        }
    }
}

/// Names and commands in other forms than those of the table, with `#` where the secret is.
#[test]
fn names_and_commands_are_found_in_the_forms_in_which_they_occur() {
    let mut lot = Lot::new(55);
    for (text, recipe, rule) in [
        ("credentials=#", "{a24}", "credential"),
        ("CREDENTIALS=#", "{a24}", "credential"),
        ("GITHUB_CREDENTIALS=#", "{a24}", "credential"),
        ("auth=#", "{a24}", "credential"),
        ("AUTH=#", "{a24}", "credential"),
        ("x-auth: #", "{a24}", "credential"),
        ("X-Auth: #", "{a24}", "credential"),
        ("API key: #", "{a32}", "key"),
        ("Your API Key: #", "{a32}", "key"),
        ("Secret Access Key: #", "{B40}", "key"),
        ("SENDGRID_KEY=#", "{a32}", "key"),
        ("password: Some(\"#\"),", "{a12}", "password"),
        ("password: Some(String::from(\"#\")),", "{a12}", "password"),
        ("<add key=\"ApiKey\" value=\"#\" />", "{a24}", "key"),
        ("<add key=\"Password\" value=\"#\" />", "{a12}", "password"),
        (
            "jdbc:oracle:thin:scott/#@//db:1521/x",
            "{L5}{d3}",
            "url-credential",
        ),
        ("jdbc:oracle:thin:scott/#@db", "{L3}#{d3}", "url-credential"),
        ("+ zip -P # out.zip a", "{L6}", "argument"),
        ("+ unzip -P # out.zip", "{L6}", "argument"),
        ("+ 7z a -p# out.7z a", "{L6}", "argument"),
        ("+ keytool -list -storepass # -v", "{L6}", "argument"),
        (
            "+ openssl enc -aes256 -pass pass:# -in a",
            "{L6}",
            "argument",
        ),
        ("+ az login -u me -p #", "{L6}", "argument"),
        (
            "+ helm registry login -u me -p # r.example",
            "{L6}",
            "argument",
        ),
        ("+ twine upload -u me -p # dist/a", "{L6}", "argument"),
        ("+ ldapsearch -x -w # -b dc=x", "{L6}", "argument"),
    ] {
        let secret = lot.cook(recipe);
        let (before, after) = text.split_once('#').unwrap();
        for end in ["", "\n", "\r\nnext"] {
            let shown = redacted(&format!("{before}{secret}{after}{end}"));
            let expected = format!("{before}[REDACTED:{rule}]{after}{end}");
            assert_eq!(shown, expected, "{secret}");
        }
    }
}

#[test]
fn a_bearer_token_is_found_whatever_the_next_line_begins_with() {
    // Which might be its rest, as far as one can tell without the width of the terminal.
    let secret = Lot::new(3).cook("{h32}");
    for next in ["example.0kq81mzx7w2p9vtc4", "placeholder-a8s7d6f5g4h3j2k1"] {
        let shown = redacted(&format!("Bearer {secret}\n{next}\n"));
        assert!(!shown.contains(&secret), "{shown}");
    }
}
