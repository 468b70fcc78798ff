//! A rule's sentences, with what its pattern found put in.

use regex::bytes::Captures;

/// Puts groups in the place of `${1}` and the like. Groups side by side are one: of several ways to find a
/// failure, one names it. Where none does, the sentence ends before them if it can, as
/// `path is wrong: ${1}` does; else there is none.
pub(super) fn fill(template: &str, captures: &Captures<'_>) -> Option<String> {
    let expand = |piece: &str| {
        let mut expanded = Vec::new();
        captures.expand(piece.as_bytes(), &mut expanded);
        String::from_utf8_lossy(&expanded).into_owned()
    };
    let mut text = String::new();
    let mut rest = template;
    while let Some(start) = rest.find("${") {
        text.push_str(&expand(&rest[..start]));
        let groups = groups(&rest[start..]);
        rest = &rest[start + groups.len()..];
        let named = expand(groups);
        if !named.trim().is_empty() || groups.is_empty() {
            text.push_str(&named);
        } else if rest.is_empty() && text.ends_with(": ") {
            text.truncate(text.len() - 2);
        } else {
            return None;
        }
        if groups.is_empty() {
            break;
        }
    }
    text.push_str(&expand(rest));
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The `${…}` that a text begins with.
fn groups(text: &str) -> &str {
    let mut end = 0;
    while text[end..].starts_with("${")
        && let Some(close) = text[end..].find('}')
    {
        end += close + 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::bytes::Regex;

    use super::*;

    #[test]
    fn a_sentence_names_what_was_found_or_does_without() {
        let pattern = Regex::new(r"a(x)?(?<name>y)?(z)?").unwrap();
        for (text, template, wanted) in [
            ("axy", "${1} and ${name}", Some("x and y")),
            ("ax", "${1} and ${name}", None),
            ("az", "no ${1}${2}${3}!", Some("no z!")),
            ("a", "no ${1}${2}${3}!", None),
            ("a", "wrong: ${1}", Some("wrong")),
            ("ax", "wrong: ${1}", Some("wrong: x")),
            ("a", "install ${1}", None),
            ("a", "${1}", None),
            ("a", "plain $$1", Some("plain $1")),
            ("a", "open ${1", Some("open ${1")),
        ] {
            let captures = pattern.captures(text.as_bytes()).unwrap();
            assert_eq!(fill(template, &captures).as_deref(), wanted, "{template}");
        }
    }

    proptest! {
        #[test]
        fn any_template_is_read(template in "[a-z:${}0-9 é]{0,20}") {
            let pattern = Regex::new("a(b)?").unwrap();
            let captures = pattern.captures(b"a").unwrap();
            let filled = fill(&template, &captures);
            prop_assert!(filled.is_none_or(|text| !text.is_empty()));
        }
    }
}
