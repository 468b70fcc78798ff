//! Files of rules, which come with a repository.

use std::sync::OnceLock;

use aido::faults::classify::classify;
use aido::faults::matcher;
use aido::faults::outcome::Run;
use aido::faults::rules::Rules;
use aido::redact::{Options, Redactor, Style, UserRules};
use aido::session::Outcome;

use super::two_files;

/// `nexus/redact.toml`, and after a border a text that it is used on.
pub(super) fn redact_rules(input: &[u8]) {
    let (file, text) = two_files(input);
    let Ok(file) = std::str::from_utf8(file) else {
        return;
    };
    let (rules, errors) = UserRules::parse("redact.toml", file);
    for error in &errors {
        assert!(error.to_string().starts_with("redact.toml: "), "{error}");
    }
    let (_, again) = UserRules::parse("redact.toml", file);
    assert_eq!(again, errors);
    let redactor = Redactor::new(Options {
        rules,
        ..Options::default()
    });
    let (masked, report) = redactor.bytes(text, Style::Mask);
    let newlines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(
        newlines(&masked),
        newlines(text),
        "lines are not where they were"
    );
    if report.is_clean() {
        assert_eq!(masked, text);
    }
}

/// `nexus/faults/rules`, and after a border what a command that failed printed.
pub(super) fn fault_rules(input: &[u8]) {
    let (file, printed) = two_files(input);
    let Ok(file) = std::str::from_utf8(file) else {
        return;
    };
    static BUILT_IN: OnceLock<usize> = OnceLock::new();
    let built_in = *BUILT_IN.get_or_init(|| Rules::built_in().iter().count());
    let rules = Rules::with_files([("rules.toml", file)]);
    let count = rules.iter().count();
    assert!(count >= built_in, "rules of aido's own are missing");
    for problem in rules.problems() {
        assert!(problem.starts_with("rules.toml"), "{problem}");
    }
    let output = String::from_utf8_lossy(printed);
    let argv = ["cc".to_owned(), "a.c".to_owned()];
    let outcome = Outcome::Exited(1);
    let run = Run {
        argv: &argv,
        shell_line: None,
        outcome: &outcome,
        output: &output,
        errors: "",
    };
    assert_eq!(classify(&run, &rules), classify(&run, &rules));
    if let Ok(imported) = matcher::import(file) {
        let again = Rules::with_files([("imported.toml", imported.rules.as_str())]);
        assert!(again.problems().is_empty(), "{:?}", again.problems());
    }
}
