//! Recorded text as text of a page, in HTML and in XML alike.

use std::fmt::Write as _;

use crate::view::sanitize;

/// Makes text safe between tags and in quoted attributes: nothing of it is markup, acts or hides.
#[must_use]
pub fn escape(text: &str) -> String {
    let text = sanitize::line(text);
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // XML has no way to write these (2.2).
            '\u{fffe}' | '\u{ffff}' => {
                // Writing to a string does not fail.
                let _ = write!(escaped, "&lt;U+{:04X}&gt;", u32::from(character));
            }
            _ => escaped.push(character),
        }
    }
    escaped
}
