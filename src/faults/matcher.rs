//! GitHub's problem matchers as rules: what finds errors in a log there, finds failures here.
//!
//! The format is that of `problem-matchers.md` in github.com/actions/toolkit: an owner, a severity, and one
//! pattern a line, whose groups are named by number. What it says with groups is kept; columns, and the
//! repetition of a last line (`loop`), have no meaning for a rule.

use regex::bytes::Regex;
use serde::Deserialize;

use super::Rules;

/// A matcher that finds errors is about places in files: an edit mends them.
const CLASS: &str = "compile-error";

/// What came of a file of matchers.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The name of the first matcher's owner: lower-case letters and digits, with dashes between.
    pub name: String,
    /// The rules, as a file of rules has them.
    pub rules: String,
    /// The names of those rules.
    pub ids: Vec<String>,
    /// One line for each matcher that was left out.
    pub skipped: Vec<String>,
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "problemMatcher")]
    matchers: Vec<Matcher>,
}

#[derive(Deserialize)]
struct Matcher {
    owner: String,
    severity: Option<String>,
    pattern: Vec<Pattern>,
}

/// The pattern of one line.
#[derive(Deserialize)]
struct Pattern {
    regexp: String,
    file: Option<usize>,
    severity: Option<usize>,
    code: Option<usize>,
    message: Option<usize>,
}

/// Makes rules of a file of problem matchers. Those that can't be rules are named.
///
/// # Errors
/// Says why the text is no such file.
pub fn import(text: &str) -> Result<Imported, String> {
    let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut imported = Imported::default();
    for matcher in &file.matchers {
        let mut id = slug(&matcher.owner);
        let same = imported.ids.iter().filter(|known| known.starts_with(&id));
        match same.count() {
            0 => {}
            before => id = format!("{id}-{}", before + 1),
        }
        match rule(matcher, &id) {
            Ok(rule) => {
                imported.rules.push_str(&rule);
                imported.ids.push(id);
            }
            Err(problem) => imported
                .skipped
                .push(format!("{}: {problem}", matcher.owner)),
        }
    }
    imported.name = match file.matchers.first() {
        Some(first) => slug(&first.owner),
        None => return Err("there is no matcher in it".to_owned()),
    };
    Ok(imported)
}

/// A matcher as a rule, if aido takes it.
fn rule(matcher: &Matcher, id: &str) -> Result<String, String> {
    let mut regex = String::new();
    let (mut file, mut code, mut message) = (None, None, None);
    let mut groups = 0;
    let mut tells_severity = false;
    for pattern in &matcher.pattern {
        if !regex.is_empty() {
            let is_ended = regex.ends_with('$') && !regex.ends_with("\\$");
            regex.push_str(if is_ended { r"\r?\n" } else { r"[^\n]*\n" });
            if !pattern.regexp.starts_with('^') {
                regex.push_str(r"[^\n]*?");
            }
        }
        let line = match pattern.severity {
            Some(group) => {
                tells_severity = true;
                errors_only(&pattern.regexp, group)
            }
            None => pattern.regexp.clone(),
        };
        let compiled = Regex::new(&line).map_err(|error| reason(&error.to_string()))?;
        let number = |group: Option<usize>| group.map(|group| groups + group);
        file = file.or(number(pattern.file));
        code = code.or(number(pattern.code));
        message = message.or(number(pattern.message));
        regex.push_str(&line);
        groups += compiled.captures_len() - 1;
    }
    let severity = matcher.severity.as_deref().unwrap_or("error");
    if !tells_severity && !severity.eq_ignore_ascii_case("error") {
        return Err(format!("it finds no errors, but each {severity}"));
    }
    let message = message.ok_or("it names no message")?;
    let named = [code, Some(message), file].into_iter().flatten();
    let key: Vec<String> = named.map(|group| format!("${{{group}}}")).collect();
    let rule = format!(
        "[[rule]]\nid = {}\nclass = {}\nregex = {}\nkey = {}\nmessage = {}\n\n",
        quoted(id),
        quoted(CLASS),
        quoted(&regex),
        quoted(&key.join(" ")),
        quoted(&format!("${{{message}}}")),
    );
    let checked = Rules::with_files([("it", rule.as_str())]);
    match checked.problems().first() {
        Some(problem) => Err(reason(problem)),
        None => Ok(rule),
    }
}

/// A pattern whose group for the severity takes errors only, where it lists what it takes.
fn errors_only(regexp: &str, group: usize) -> String {
    let Some((start, end)) = group_at(regexp, group) else {
        return regexp.to_owned();
    };
    let inside = &regexp[start..end];
    let is_error = |word: &&str| {
        let word = word.to_ascii_lowercase();
        word.contains("error") || word.contains("fatal")
    };
    let errors: Vec<&str> = inside.split('|').filter(is_error).collect();
    if inside.contains(['(', '[', '\\']) || errors.is_empty() {
        return regexp.to_owned();
    }
    format!("{}{}{}", &regexp[..start], errors.join("|"), &regexp[end..])
}

/// What is between the parentheses of a group, by its number from 1.
fn group_at(regexp: &str, group: usize) -> Option<(usize, usize)> {
    let bytes = regexp.as_bytes();
    let (mut number, mut index, mut in_class) = (0, 0, false);
    let mut open: Vec<Option<usize>> = Vec::new();
    while let Some(byte) = bytes.get(index) {
        match byte {
            b'\\' => index += 1,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'(' if !in_class => {
                let is_group = bytes.get(index + 1) != Some(&b'?');
                number += usize::from(is_group);
                open.push((is_group && number == group).then_some(index + 1));
            }
            b')' if !in_class => {
                if let Some(start) = open.pop().flatten() {
                    return Some((start, index));
                }
            }
            _ => {}
        }
        index += 1;
    }
    None
}

/// The line of an error that says why.
fn reason(error: &str) -> String {
    let last = error.lines().last().unwrap_or_default();
    let last = last.trim_start_matches("error: ");
    last.rsplit(": ").next().unwrap_or(last).to_owned()
}

/// A TOML string: JSON's escapes are TOML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text)
        .to_string()
        .replace('\u{7f}', "\\u007f")
}

/// A name of lower-case letters and digits, with single dashes between.
fn slug(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let words = lower.split(|character: char| !character.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).take(5).collect();
    let slug = words.join("-");
    let slug: String = slug.chars().take(30).collect();
    match slug.trim_end_matches('-') {
        "" => "matcher".to_owned(),
        slug => slug.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::{Run, Verdict, classify};
    use crate::session::Outcome;

    /// Two of GitHub's own examples, and three that are no rules.
    const MATCHERS: &str = r#"{"problemMatcher": [
        {"owner": "gcc", "pattern": [{
            "regexp": "^(.*):(\\d+):(\\d+):\\s+(warning|error):\\s+(.*)$",
            "file": 1, "line": 2, "column": 3, "severity": 4, "message": 5}]},
        {"owner": "ESLint Stylish", "pattern": [
            {"regexp": "^([^\\s].*)$", "file": 1},
            {"regexp": "^\\s+(\\d+):(\\d+)\\s+(error|warning|info)\\s+(.*)\\s\\s+(.*)$",
             "line": 1, "column": 2, "severity": 3, "message": 4, "code": 5, "loop": true}]},
        {"owner": "ahead", "pattern": [{"regexp": "(?=x)(.*)", "message": 1}]},
        {"owner": "hints", "severity": "notice", "pattern": [{"regexp": "^note: (.*)$", "message": 1}]},
        {"owner": "mute", "pattern": [{"regexp": "^x$"}]}
    ]}"#;

    #[test]
    fn problem_matchers_are_rules_and_those_that_are_none_are_named() {
        let imported = import(MATCHERS).unwrap();
        assert_eq!((imported.name.as_str(), imported.ids.len()), ("gcc", 2));
        assert_eq!(imported.ids[1], "eslint-stylish");
        assert_eq!(
            imported.skipped,
            [
                "ahead: look-around, including look-ahead and look-behind, is not supported",
                "hints: it finds no errors, but each notice",
                "mute: it names no message",
            ]
        );
        let rules = Rules::with_files([("own", imported.rules.as_str())]);
        assert_eq!(rules.problems(), [""; 0]);
        for (line, text, rule, why) in [
            (
                "cc a.c",
                "a.c:1:2: warning: unused\na.c:7:9: error: 'x' undeclared\n",
                "gcc",
                "'x' undeclared",
            ),
            (
                "eslint .",
                "/srv/a/src/a.js\n  1:2  warning  odd  no-odd\n\n/srv/a/src/b.js\n  3:4  error  'y' is not defined  no-undef\n",
                "eslint-stylish",
                "'y' is not defined",
            ),
        ] {
            let run = Run {
                argv: &[],
                shell_line: Some(line),
                outcome: &Outcome::Exited(1),
                output: text,
                errors: "",
            };
            let Verdict::Fault(cause) = classify(&run, &rules) else {
                panic!("{line}");
            };
            assert_eq!(cause.rule.as_deref(), Some(rule));
            assert_eq!(cause.message.as_deref(), Some(why));
        }
        for text in [
            "",
            "{}",
            "[]",
            "{\"problemMatcher\": []}",
            "{\"problemMatcher\": 1}",
        ] {
            assert!(import(text).is_err(), "{text}");
        }
    }
}
