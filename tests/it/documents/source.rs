//! Reads Rust source far enough to tell which modules of the crate it uses.

use std::collections::BTreeSet;

/// Source without comments, and with literals emptied.
pub(super) fn code(text: &str) -> String {
    let mut rest = text;
    let mut code = String::with_capacity(text.len());
    while let Some(character) = rest.chars().next() {
        let after = &rest[character.len_utf8()..];
        rest = if rest.starts_with("//") {
            rest.find('\n').map_or("", |end| &rest[end..])
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or("", |end| &rest[end + 2..])
        } else if let Some(end) = raw_string(rest) {
            &rest[end..]
        } else if character == '"' {
            after_quote(after, '"')
        } else if character == '\'' && is_character(after) {
            after_quote(after, '\'')
        } else {
            code.push(character);
            after
        };
    }
    code
}

/// The length of the raw string that begins here.
fn raw_string(text: &str) -> Option<usize> {
    let hashes = text.strip_prefix('r')?;
    let hashes = hashes.len() - hashes.trim_start_matches('#').len();
    let body = text[1 + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end)?;
    Some(text.len() - body.len() + length + end.len())
}

/// Whether an apostrophe opens a character, and not a lifetime.
fn is_character(after: &str) -> bool {
    let mut characters = after.chars();
    matches!(
        (characters.next(), characters.next()),
        (Some('\\'), _) | (_, Some('\''))
    )
}

fn after_quote(text: &str, quote: char) -> &str {
    let mut escaped = false;
    for (index, character) in text.char_indices() {
        match (escaped, character) {
            (true, _) => escaped = false,
            (false, '\\') => escaped = true,
            (false, found) if found == quote => return &text[index + 1..],
            (false, _) => {}
        }
    }
    ""
}

/// Code without its `#[cfg(test)]` items, and the modules that exist in tests only.
pub(super) fn without_tests(code: &str) -> (String, Vec<String>) {
    let mut kept = String::with_capacity(code.len());
    let mut modules = Vec::new();
    let mut rest = code;
    while let Some((before, after)) = rest.split_once("#[cfg(test)]") {
        kept.push_str(before);
        let end = after.find(['{', ';']).unwrap_or(after.len());
        let words: Vec<&str> = after[..end].split_whitespace().collect();
        if after[end..].starts_with(';') && words.len() > 1 && words[words.len() - 2] == "mod" {
            modules.push(words[words.len() - 1].to_owned());
        }
        rest = after_item(&after[end..]);
    }
    kept.push_str(rest);
    (kept, modules)
}

fn after_item(text: &str) -> &str {
    let mut depth = 0_usize;
    for (index, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 && matches!(character, '}' | ';') {
            return &text[index + 1..];
        }
    }
    ""
}

/// The modules at the crate's root that code names, in a module this far below the root.
pub(super) fn uses(code: &str, depth: usize) -> BTreeSet<String> {
    let to_root = "super::".repeat(depth);
    let mut found = BTreeSet::new();
    for prefix in ["crate::", to_root.as_str()] {
        for (start, _) in code.match_indices(prefix).filter(|_| !prefix.is_empty()) {
            let before = code[..start].chars().next_back();
            // `$crate`, `my_crate`, and a longer chain of `super` that is found by itself.
            if before.is_some_and(|before| before.is_alphanumeric() || "_$:".contains(before)) {
                continue;
            }
            found.extend(first_names(&code[start + prefix.len()..]));
        }
    }
    found
}

/// The first name of a path, or of each path in a group.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        let text = text.trim_start();
        let end = text.find(|character: char| !character.is_alphanumeric() && character != '_');
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let Some(group) = path.strip_prefix('{') else {
        return vec![name(path)];
    };
    let mut depth = 0;
    let mut names = vec![name(group)];
    for (index, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(name(&group[index + 1..])),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn the_reader_sees_what_the_compiler_sees() {
    let text = r##"
        //! [`crate::comment`]
        use crate::one::{self, inner};
        use crate::{two, three::{x, y}, four};
        fn quote() -> char { let _ = "crate::string"; let _ = r#"crate::raw"#; '"' }
        fn path(_: &'static str) { crate::five::call(); super::super::six::call() }
        #[cfg(test)]
        pub(crate) mod tests { use crate::seven; fn x() { if true {} } }
        #[cfg(test)]
        mod twin;
        use super::sibling;
        use my_crate::eight;
    "##;
    let (kept, modules) = without_tests(&code(text));
    let found: Vec<String> = uses(&kept, 2).into_iter().collect();
    assert_eq!(found, ["five", "four", "one", "six", "three", "two"]);
    assert_eq!(modules, ["twin"]);
}
