//! The file of rules, and exceptions.

use super::made::Lot;
use crate::redact::{IN_REPOSITORY, Options, OwnSecret, Redactor, Tags, UserRules};

fn parse(text: &str) -> (UserRules, Vec<String>) {
    let (rules, errors) = UserRules::parse(IN_REPOSITORY, text);
    (rules, errors.iter().map(ToString::to_string).collect())
}

fn redactor(text: &str) -> Redactor {
    let (rules, errors) = parse(text);
    assert_eq!(errors, [""; 0]);
    Redactor::new(Options {
        rules,
        ..Options::default()
    })
}

#[test]
fn a_rule_of_ones_own_replaces_its_group_on_lines_with_its_keyword() {
    let redactor = redactor(
        r#"
title = "ours"
[[rules]]
id = "acme-id"
description = "customers of Acme"
regex = '''(?i)customer (\d{6})\b'''
keywords = ["Customer"]
[[rules]]
id = "acme-key"
regex = '''ak:[a-z0-9]{12}'''
keywords = ["ak:"]
entropy = 3
tags = ["x"]
"#,
    );
    for (given, expected) in [
        ("a CUSTOMER 123456 b", "a CUSTOMER [REDACTED:acme-id] b"),
        (
            "customer 1, customer 654321\n123456",
            "customer 1, customer [REDACTED:acme-id]\n123456",
        ),
        ("x ak:0a1b2c3d4e5f y", "x [REDACTED:acme-key] y"),
        ("x ak:aaaaaaaaaaaa y", "x ak:aaaaaaaaaaaa y"),
        (
            "a \x1b[1mcusto\x1b[0mmer 12\x1b[7m3456",
            "a \x1b[1mcusto\x1b[0mmer [REDACTED:acme-id]\x1b[7m",
        ),
    ] {
        assert_eq!(redactor.text(given).0, expected);
    }
}

#[test]
fn a_bad_rule_is_left_out_and_told_and_the_others_count() {
    let (rules, errors) = parse(
        r#"
allow = ["sha256:00", 7]
extend = { useDefault = true }
[[rules]]
id = "no-regex"
keywords = ["abc"]
[[rules]]
id = "bad-regex"
regex = "(abc"
keywords = ["abc"]
[[rules]]
id = "no-keywords"
regex = "abc"
[[rules]]
id = "short"
regex = "abc"
keywords = ["ab"]
[[rules]]
regex = "abc"
keywords = ["abc"]
[[rules]]
id = "path"
regex = "abc"
keywords = ["abc"]
path = "x"
[[rules]]
id = "group"
regex = "abc"
keywords = ["abc"]
secretGroup = 1
[[rules]]
id = "bad id"
regex = "abc"
keywords = ["abc"]
[[rules]]
id = "good"
regex = "abcd"
keywords = ["abcd"]
[[rules]]
id = "good"
regex = "abce"
keywords = ["abce"]
"#,
    );
    let expected = [
        "nexus/redact.toml: allow: entry 1 is no SHA-256 in hexadecimal digits; \
         printf %s VALUE | sha256sum prints one",
        "nexus/redact.toml: allow: entry 2 is no SHA-256 in hexadecimal digits; \
         printf %s VALUE | sha256sum prints one",
        "nexus/redact.toml: extend is not known here; there are [[rules]] and allow",
        "nexus/redact.toml: rule no-regex is left out: regex is missing, or no text",
        "nexus/redact.toml: rule bad-regex is left out: regex: error: unclosed group",
        "nexus/redact.toml: rule no-keywords is left out: keywords is missing: texts of at least 3 \
         bytes, of which every line with a match has one",
        "nexus/redact.toml: rule short is left out: the keyword \"ab\" has fewer than 3 bytes, or a \
         line end",
        "nexus/redact.toml: rule number 5 is left out: id is missing, or no text",
        "nexus/redact.toml: rule path is left out: path is not known here; there are id, \
         description, regex, keywords, secretGroup, entropy, tags",
        "nexus/redact.toml: rule group is left out: secretGroup is no number of a group in its regex",
        "nexus/redact.toml: rule bad id is left out: its id is no name of up to 64 letters, digits, \
         and _ - .",
        "nexus/redact.toml: rule good is left out: there is one of this id before",
    ];
    assert_eq!(errors, expected);
    let redactor = Redactor::new(Options {
        rules,
        ..Options::default()
    });
    assert_eq!(redactor.text("abc abcd abce").0, "abc [REDACTED:good] abce");
}

#[test]
fn a_file_that_is_no_toml_says_where() {
    let (rules, errors) = parse("[[rules]]\nid = \n");
    assert!(rules.rules.is_empty());
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0].starts_with("nexus/redact.toml: line 2: "),
        "{errors:?}"
    );
}

#[test]
fn a_value_whose_digest_is_allowed_stays() {
    let value = Lot::new(3).cook("gh|p_{a36}");
    let text = format!("a {value} b");
    let digest = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(value.as_bytes()));
    let redactor = redactor(&format!("allow = [\"sha256:{digest}\"]"));
    assert_eq!(redactor.text(&text).0, text);
    let other = Lot::new(4).cook("gh|p_{a36}");
    assert_eq!(redactor.text(&other).0, "[REDACTED:github-token]");
}

#[test]
fn equal_secrets_have_equal_tags_and_only_under_the_same_key() {
    let tagged = |key: u8, text: &str| {
        let tags = Tags::Keyed([key; 32]);
        let redactor = Redactor::new(Options {
            tags,
            ..Options::default()
        });
        redactor.text(text).0
    };
    let (one, other) = (
        Lot::new(1).cook("np|m_{a36}"),
        Lot::new(2).cook("np|m_{a36}"),
    );
    let shown = tagged(1, &format!("{one} {other} {one}"));
    let tags: Vec<&str> = shown.split(' ').collect();
    assert_eq!(tags[0], tags[2]);
    assert_ne!(tags[0], tags[1]);
    assert_eq!(tags[0].len(), "[REDACTED:npm-token:3fa9]".len());
    assert_ne!(tagged(2, &one), tags[0]);
    let split = format!("\x1b[1m{}\x1b[0m{}", &one[..9], &one[9..]);
    assert!(tagged(1, &split).contains(tags[0]), "colours change no tag");
}

#[test]
fn a_variables_secret_is_replaced_by_the_variables_name_in_every_spelling() {
    let own = OwnSecret::of_environment([
        ("DEPLOY_TOKEN", "plain and+simple 1"),
        ("DB_URL", "mysql://app:pass-of-db@h/x"),
    ]);
    let redactor = Redactor::new(Options {
        own,
        ..Options::default()
    });
    for (given, expected) in [
        ("a plain and+simple 1 b", "a [REDACTED:env.DEPLOY_TOKEN] b"),
        ("plain and+sim\r\nple 1", "[REDACTED:env.DEPLOY_TOKEN]"),
        (
            "?q=plain%20and%2Bsimple%201&",
            "?q=[REDACTED:env.DEPLOY_TOKEN]&",
        ),
        ("x pass-of-db y", "x [REDACTED:env.DB_URL] y"),
        (
            "bXk6cGxhaW4gYW5kK3NpbXBsZSAxIQ==",
            "bXk6[REDACTED:env.DEPLOY_TOKEN]IQ==",
        ),
        ("plain and simple 1", "plain and simple 1"),
    ] {
        assert_eq!(redactor.text(given).0, expected);
    }
}
