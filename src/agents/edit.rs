//! Entries of one's own in somebody else's settings: put in and taken out as text, so that every other byte
//! stays as it is.

use super::host::{BEGINNING, Entry, is_own_command};
use super::json::{Kind, Node, Problem, parse, quoted};

/// Puts entries into settings, in the place of own ones that are there. `version` is a member that is added
/// where the settings have none.
///
/// # Errors
/// When the settings are no plain JSON, or of another shape.
pub fn install(text: &str, entries: &[Entry], version: Option<&str>) -> Result<String, Problem> {
    if is_installed(text, entries)? {
        return Ok(text.to_owned());
    }
    let mut text = uninstall(text)?;
    if let Some(version) = version {
        let root = object(&text)?;
        if root.get("version").is_none() {
            text = insert(&text, &root, Some("version"), version);
        }
    }
    for entry in entries {
        let root = object(&text)?;
        text = match root.get("hooks") {
            None => {
                let list = indented(&entry.element, "    ");
                let name = quoted(entry.event);
                let value = format!("{{\n  {name}: [\n    {list}\n  ]\n}}");
                insert(&text, &root, Some("hooks"), &value)
            }
            Some(hooks) => match (hooks.members(), hooks.get(entry.event)) {
                (None, _) => return Err(shape("\"hooks\" is no object")),
                (Some(_), None) => {
                    let value = format!("[\n  {}\n]", indented(&entry.element, "  "));
                    insert(&text, hooks, Some(entry.event), &value)
                }
                (Some(_), Some(list)) if list.elements().is_some() => {
                    insert(&text, list, None, &entry.element)
                }
                (Some(_), Some(_)) => return Err(shape("a list of hooks is none")),
            },
        };
    }
    Ok(text)
}

/// Takes own entries out of settings, and the lists that are empty without them.
///
/// # Errors
/// When the settings are no plain JSON, or of another shape.
pub fn uninstall(text: &str) -> Result<String, Problem> {
    let mut text = text.to_owned();
    loop {
        let root = object(&text)?;
        let Some(hooks) = root.get("hooks") else {
            return Ok(text);
        };
        let Some(events) = hooks.members() else {
            return Ok(text);
        };
        let found = events.iter().enumerate().find_map(|(index, event)| {
            let elements = event.value.elements()?;
            let own = elements.iter().position(is_own)?;
            Some((index, &event.value, own))
        });
        let Some((event, list, own)) = found else {
            return Ok(text);
        };
        let elements = list.elements().unwrap_or_default();
        // Somebody may have put a hook of theirs beside it.
        let inner = elements[own].get("hooks").filter(|inner| {
            let handlers = inner.elements().unwrap_or_default();
            handlers.len() > 1 && !handlers.iter().all(is_own)
        });
        text = if let Some(inner) = inner {
            let handlers = inner.elements().unwrap_or_default();
            let index = handlers.iter().position(is_own).unwrap_or_default();
            remove(&text, inner, index)
        } else if elements.len() > 1 {
            remove(&text, list, own)
        } else if events.len() > 1 {
            remove(&text, hooks, event)
        } else {
            let members = root.members().unwrap_or_default();
            let index = members.iter().position(|member| member.name == "hooks");
            remove(&text, &root, index.unwrap_or_default())
        };
    }
}

/// Whether exactly these entries are there.
///
/// # Errors
/// When the settings are no plain JSON object.
pub fn is_installed(text: &str, entries: &[Entry]) -> Result<bool, Problem> {
    let root = object(text)?;
    let events = root
        .get("hooks")
        .and_then(Node::members)
        .unwrap_or_default();
    let mut own = Vec::new();
    for event in events {
        for element in event.value.elements().unwrap_or_default() {
            if is_own(element) {
                own.push((
                    event.name.as_str(),
                    without_blanks(&text[element.span.clone()]),
                ));
            }
        }
    }
    let mut wanted: Vec<(&str, String)> = entries
        .iter()
        .map(|entry| (entry.event, without_blanks(&entry.element)))
        .collect();
    own.sort_unstable();
    wanted.sort_unstable();
    Ok(own == wanted)
}

/// Whether there are own entries for the events of all of these, and for no other event.
#[must_use]
pub fn has_events(text: &str, entries: &[Entry]) -> bool {
    let Ok(root) = parse(text) else {
        return false;
    };
    let events = root.get("hooks").and_then(Node::members);
    let own = events.unwrap_or_default().iter();
    let own = own.filter(|event| is_own(&event.value));
    let mut own: Vec<&str> = own.map(|event| event.name.as_str()).collect();
    let mut wanted: Vec<&str> = entries.iter().map(|entry| entry.event).collect();
    own.sort_unstable();
    wanted.sort_unstable();
    own == wanted
}

/// Whether there is any entry of one's own.
#[must_use]
pub fn has_own(text: &str) -> bool {
    parse(text).is_ok_and(|root| root.get("hooks").is_some_and(is_own))
}

/// The same of settings that may not be plain JSON: somebody may have put a comment beside it.
#[must_use]
pub fn may_have_own(text: &str) -> bool {
    match parse(text) {
        Ok(_) => has_own(text),
        Err(_) => text.contains(BEGINNING),
    }
}

/// Whether settings say that no hooks are run.
#[must_use]
pub fn are_hooks_off(text: &str) -> bool {
    let Ok(root) = parse(text) else {
        return false;
    };
    let says =
        |node: Option<&Node>, word: &str| node.is_some_and(|node| text[node.span.clone()] == *word);
    let config = root.get("hooksConfig");
    says(root.get("disableAllHooks"), "true")
        || says(config.and_then(|config| config.get("enabled")), "false")
}

/// Whether nothing is left but what says of which form the file is.
#[must_use]
pub fn is_bare(text: &str) -> bool {
    let root = parse(text);
    root.is_ok_and(|root| {
        let members = root.members().unwrap_or(&[]);
        root.members().is_some() && members.iter().all(|member| member.name == "version")
    })
}

fn without_blanks(text: &str) -> String {
    text.split_whitespace().collect()
}

fn is_own(node: &Node) -> bool {
    node.any_text(&is_own_command)
}

pub(super) fn shape(what: &'static str) -> Problem {
    Problem {
        line: 1,
        what: what.into(),
    }
}

pub(super) fn object(text: &str) -> Result<Node, Problem> {
    let root = parse(text)?;
    match root.members() {
        Some(_) => Ok(root),
        None => Err(shape("it is no object")),
    }
}

/// Where the parts of an object or a list begin and end.
fn parts(node: &Node) -> Vec<std::ops::Range<usize>> {
    match &node.kind {
        Kind::Object(members) => members
            .iter()
            .map(|member| member.start..member.value.span.end)
            .collect(),
        Kind::Array(elements) => elements
            .iter()
            .map(|element| element.span.clone())
            .collect(),
        Kind::Text(_) | Kind::Other => Vec::new(),
    }
}

/// Adds a part behind the last one, laid out as the others are. `value` is indented by two blanks.
pub(super) fn insert(text: &str, node: &Node, name: Option<&str>, value: &str) -> String {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let parts = parts(node);
    let unit = unit(text);
    let outer = indent_of_line(text, node.span.start);
    let own_line = parts.last().and_then(|last| own_indent(text, last.start));
    let name = name.map_or_else(String::new, |name| format!("{}: ", quoted(name)));
    let laid_out = |indent: &str| {
        let mut value = value.lines();
        let mut laid = format!("{name}{}", value.next().unwrap_or_default());
        for line in value {
            let bare = line.trim_start_matches(' ');
            let depth = (line.len() - bare.len()) / 2;
            laid.push_str(newline);
            laid.push_str(indent);
            laid.push_str(&unit.repeat(depth));
            laid.push_str(bare);
        }
        laid
    };
    let (at, added) = match (parts.last(), own_line) {
        (Some(last), Some(indent)) => (
            last.end..last.end,
            format!(",{newline}{indent}{}", laid_out(indent)),
        ),
        (Some(last), None) => {
            let lines: Vec<&str> = value.lines().map(str::trim).collect();
            (last.end..last.end, format!(", {name}{}", lines.join(" ")))
        }
        (None, _) => {
            let indent = format!("{outer}{unit}");
            let inner = format!("{newline}{indent}{}{newline}{outer}", laid_out(&indent));
            (node.span.start + 1..node.span.end - 1, inner)
        }
    };
    format!("{}{added}{}", &text[..at.start], &text[at.end..])
}

/// Takes a part out, with the comma that joins it to the others.
pub(super) fn remove(text: &str, node: &Node, index: usize) -> String {
    let parts = parts(node);
    let at = match (index.checked_sub(1), parts.get(index + 1)) {
        (Some(before), _) => parts[before].end..parts[index].end,
        (None, Some(next)) => parts[index].start..next.start,
        (None, None) => node.span.start + 1..node.span.end - 1,
    };
    format!("{}{}", &text[..at.start], &text[at.end..])
}

/// Lines behind the first moved in.
fn indented(text: &str, by: &str) -> String {
    text.replace('\n', &format!("\n{by}"))
}

/// The blanks before what begins a line; none where something else stands before it.
fn own_indent(text: &str, at: usize) -> Option<&str> {
    let line = text[..at].rfind('\n')? + 1;
    let before = &text[line..at];
    before
        .bytes()
        .all(|byte| matches!(byte, b' ' | b'\t'))
        .then_some(before)
}

fn indent_of_line(text: &str, at: usize) -> &str {
    let line = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let rest = &text[line..at];
    let length = rest
        .bytes()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    &rest[..length]
}

/// How far one level is moved in.
fn unit(text: &str) -> &str {
    let root = parse(text).ok();
    let first = root.as_ref().and_then(Node::members).and_then(<[_]>::first);
    let indent = first.and_then(|member| own_indent(text, member.start));
    indent.filter(|indent| !indent.is_empty()).unwrap_or("  ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::host::{Content, Host, Mode};

    fn content(host: Host, mode: Mode) -> (Vec<Entry>, Option<&'static str>) {
        match host.content(mode) {
            Content::Entries { entries, version } => (entries, version),
            Content::Whole(_) => panic!("{host:?} has a file of its own"),
        }
    }

    const JSON_HOSTS: &[Host] = &[
        Host::Claude,
        Host::Codex,
        Host::Gemini,
        Host::Cursor,
        Host::Copilot,
    ];

    /// Settings as they are found. Behind the first three nothing can be told from what was there before.
    const FOUND: &[&str] = &[
        "{\n  \"model\": \"opus\",\n  \"version\": 1\n}\n",
        "{\n\t\"version\": 1,\n\t\"hooks\": {\n\t\t\"PostToolUse\": [\n\t\t\t{ \"matcher\": \"Edit\", \"hooks\": [] }\n\t\t],\n\t\t\"Stop\": []\n\t},\n\t\"z\": 1.0e5\n}",
        "{\r\n    \"version\": 1,\r\n    \"permissions\": {\"allow\": [\"Bash(ls:*)\"]}\r\n}\r\n",
        "{\"version\": 1, \"a\": [1, 2], \"hooks\": {\"x\": [1]}}",
        "{\"version\": 1, \"hooks\": {\"PostToolUse\": [{\"matcher\": \"\"}]}}\n",
    ];

    #[test]
    fn entries_go_in_once_and_come_out_leaving_every_byte() {
        for host in JSON_HOSTS {
            for mode in [Mode::Observe, Mode::Wrap] {
                let (entries, version) = content(*host, mode);
                for found in FOUND {
                    let installed = install(found, &entries, version).unwrap();
                    assert_ne!(&installed, found);
                    assert!(is_installed(&installed, &entries).unwrap(), "{installed}");
                    assert!(has_events(&installed, &entries));
                    assert!(!has_events(&installed, &entries[1..]) && !has_events(found, &entries));
                    assert!(has_own(&installed) && !has_own(found));
                    assert_eq!(install(&installed, &entries, version).unwrap(), installed);
                    assert_eq!(
                        &uninstall(&installed).unwrap(),
                        found,
                        "{host:?}: {installed}"
                    );
                    let (others, _) = content(*host, Mode::Wrap);
                    let changed = install(&installed, &others, version).unwrap();
                    assert_eq!(&uninstall(&changed).unwrap(), found);
                }
            }
        }
    }

    #[test]
    fn what_is_put_in_looks_like_what_is_there() {
        let (entries, version) = content(Host::Claude, Mode::Observe);
        let installed = install("{}\n", &entries[..1], version).unwrap();
        let command = Host::Claude.command("SessionStart", Mode::Observe);
        assert_eq!(
            installed,
            format!(
                "{{\n  \"hooks\": {{\n    \"SessionStart\": [\n      {{\n        \"matcher\": \"startup|resume|clear|compact\",\n        \"hooks\": [\n          {{ \"type\": \"command\", \"command\": \"{command}\", \"timeout\": 10 }}\n        ]\n      }}\n    ]\n  }}\n}}\n"
            )
        );
        let tabs = install("{\n\t\"a\": 1\n}\n", &entries, version).unwrap();
        assert!(
            tabs.contains(
                "\n\t\"hooks\": {\n\t\t\"SessionStart\": [\n\t\t\t{\n\t\t\t\t\"matcher\""
            ),
            "{tabs}"
        );
        let crlf = install("{\r\n  \"a\": 1\r\n}\r\n", &entries, version).unwrap();
        assert_eq!(crlf.matches('\n').count(), crlf.matches("\r\n").count());
    }

    #[test]
    fn somebody_elses_hook_beside_it_stays() {
        let own = Host::Claude.command("PostToolUse", Mode::Observe);
        let text = format!(
            "{{\"hooks\": {{\"PostToolUse\": [{{\"hooks\": [{{\"command\": \"{own}\"}}, {{\"command\": \"theirs\"}}]}}]}}}}"
        );
        assert_eq!(
            uninstall(&text).unwrap(),
            "{\"hooks\": {\"PostToolUse\": [{\"hooks\": [{\"command\": \"theirs\"}]}]}}"
        );
    }

    /// Who calls aido from a line of their own, or only names it, keeps the line.
    #[test]
    fn somebodys_own_line_that_names_aido_stays() {
        for line in [
            "echo see aido hook docs >> log",
            "AIDO_HOOK=observe aido hook codex",
            "aido hook claude",
            "command -v aido >/dev/null 2>&1 || exit 0; exec aido hook claude; echo x",
            "command -v aido >/dev/null 2>&1 || exit 0; exec aido hook --mode wrap claude --explain",
        ] {
            let line = line.replace('"', "\\\"");
            let text = format!(
                "{{\"hooks\": {{\"PostToolUse\": [{{\"hooks\": [{{\"command\": \"{line}\"}}]}}]}}}}"
            );
            assert!(!has_own(&text) && !may_have_own(&text), "{line}");
            assert_eq!(uninstall(&text).unwrap(), text);
            for host in JSON_HOSTS {
                let (entries, _) = content(*host, Mode::Wrap);
                let installed = install(&text, &entries, None).unwrap();
                assert_eq!(uninstall(&installed).unwrap(), text, "{installed}");
            }
        }
        // What can't be parsed is looked at as text.
        let own = Host::Claude.command("PostToolUse", Mode::Wrap);
        assert!(may_have_own(&format!("{{ // x\n\"{own}\"}}")));
        assert!(!may_have_own("{ // aido hook claude\n}"));
    }

    #[test]
    fn settings_say_that_hooks_are_off() {
        for (text, expected) in [
            ("{\"disableAllHooks\": true}", true),
            ("{\"disableAllHooks\": false}", false),
            ("{\"hooksConfig\": {\"enabled\": false}}", true),
            ("{\"hooksConfig\": {\"enabled\": true}}", false),
            ("{\"x\": {\"disableAllHooks\": true}}", false),
            ("no json", false),
        ] {
            assert_eq!(are_hooks_off(text), expected, "{text}");
        }
    }

    #[test]
    fn settings_of_another_shape_are_refused() {
        let (entries, version) = content(Host::Claude, Mode::Observe);
        for text in [
            "[]",
            "",
            "{\"hooks\": []}",
            "{\"hooks\": {\"PostToolUse\": {}}}",
            "{\n// mine\n}",
            "{\"a\": 1, \"a\": 2}",
        ] {
            assert!(install(text, &entries, version).is_err(), "{text}");
        }
    }

    #[test]
    fn every_element_is_json_that_names_its_hook() {
        for host in JSON_HOSTS {
            for entry in content(*host, Mode::Wrap).0 {
                let node = parse(&entry.element).unwrap();
                assert!(is_own(&node), "{}", entry.element);
            }
        }
    }
}
