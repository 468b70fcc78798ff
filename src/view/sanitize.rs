//! Responsible for recorded text (file names, arguments, notes, agents, transcripts) never acting on
//! what shows it: a terminal must not obey it and a reader, person or agent, must not be shown less or
//! other than what is there. Not responsible for layout, width or for framing text as data.
//!
//! Invariant: no result holds a control character, save newline and tab where the function says so, nor
//! a code point that is invisible or changes the direction of text.

use std::borrow::Cow;
use std::fmt::Write as _;

const ESCAPE: char = '\u{1b}';
const BELL: char = '\u{7}';
const STRING_TERMINATOR: char = '\u{9c}';

/// Makes text safe to show on one line: what would act or be invisible becomes visible, newline and
/// tab too.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    reveal(text, |character| {
        character.is_control() || is_hidden(character)
    })
}

/// Makes text safe to show: what would act or be invisible becomes visible, save newline and tab, which
/// stay.
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    reveal(text, is_dangerous_in_text)
}

/// Makes text fit to be read by an agent: escape sequences, control characters but newline and tab, and
/// every code point that a person would not see are removed.
#[must_use]
pub fn for_agent(text: &str) -> Cow<'_, str> {
    let is_removed = |character: char| {
        !is_layout(character)
            && (character.is_control() || is_hidden(character) || is_presentation(character))
    };
    let first = match is_harmless_ascii(text.as_bytes()) {
        true => None,
        false => text.find(is_removed),
    };
    let Some(first) = first else {
        return Cow::Borrowed(text);
    };
    let (unchanged, mut rest) = text.split_at(first);
    let mut shown = String::with_capacity(text.len());
    shown.push_str(unchanged);
    while let Some(character) = rest.chars().next() {
        if is_removed(character) {
            rest = &rest[sequence_length(rest).unwrap_or(character.len_utf8())..];
        } else {
            let length = rest.find(is_removed).unwrap_or(rest.len());
            shown.push_str(&rest[..length]);
            rest = &rest[length..];
        }
    }
    Cow::Owned(shown)
}

/// Makes serialised JSON safe to show without changing what it says: what would act or be invisible,
/// and stands in its strings only, becomes a `\uXXXX` escape. Newline and tab stay.
#[must_use]
pub fn json(text: &str) -> Cow<'_, str> {
    replace(text, is_dangerous_in_text, |character, shown| {
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a string does not fail.
            let _ = write!(shown, "\\u{unit:04x}");
        }
    })
}

fn is_dangerous_in_text(character: char) -> bool {
    !is_layout(character) && (character.is_control() || is_hidden(character))
}

fn reveal(text: &str, is_revealed: impl Fn(char) -> bool) -> Cow<'_, str> {
    replace(text, is_revealed, |character, shown| {
        if let Some(letter) = caret_letter(character) {
            shown.push('^');
            shown.push(letter);
        } else {
            // Writing to a string does not fail.
            let _ = write!(shown, "<U+{:04X}>", u32::from(character));
        }
    })
}

fn replace(
    text: &str,
    is_replaced: impl Fn(char) -> bool,
    mut write: impl FnMut(char, &mut String),
) -> Cow<'_, str> {
    let Some(first) = text.find(&is_replaced) else {
        return Cow::Borrowed(text);
    };
    let (unchanged, rest) = text.split_at(first);
    let mut shown = String::with_capacity(text.len() + 16);
    shown.push_str(unchanged);
    for character in rest.chars() {
        if is_replaced(character) {
            write(character, &mut shown);
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Tells whether there is nothing but printable ASCII and tabs, which is by far the most common, and
/// what [`for_agent`] leaves as it is.
#[must_use]
pub fn is_harmless_ascii(bytes: &[u8]) -> bool {
    let is_harmless = |byte: u8| (byte.wrapping_sub(b' ') < 0x7f - b' ') | (byte == b'\t');
    // Whole blocks without an early exit are compared many bytes at a time.
    bytes.chunks(64).all(|block| {
        block
            .iter()
            .fold(true, |all, &byte| all & is_harmless(byte))
    })
}

/// Gives the letter that stands for an ASCII control character after a caret.
fn caret_letter(character: char) -> Option<char> {
    let byte = u8::try_from(character).ok().filter(u8::is_ascii_control)?;
    Some(char::from(byte ^ 0x40))
}

fn is_layout(character: char) -> bool {
    matches!(character, '\n' | '\t')
}

/// Tells whether a code point is a bidi control, a tag or otherwise takes no room.
pub(super) fn is_hidden(character: char) -> bool {
    matches!(u32::from(character),
        0x00ad                 // soft hyphen
        | 0x034f               // grapheme joiner
        | 0x061c               // Arabic letter mark
        | 0x115f | 0x1160      // Hangul fillers
        | 0x17b4 | 0x17b5      // Khmer inherent vowels
        | 0x180b..=0x180f      // Mongolian selectors and separator
        | 0x200b..=0x200f      // zero-width space and joiners, direction marks
        | 0x2028..=0x202e      // line and paragraph separators, embeddings and overrides
        | 0x2060..=0x206f      // word joiner, invisible operators, isolates
        | 0x3164 | 0xffa0      // Hangul fillers
        | 0xfe00..=0xfe0d      // variation selectors, save those that emoji use
        | 0xfeff               // byte order mark
        | 0xfff0..=0xfffb      // unassigned, interlinear annotation
        | 0x1bca0..=0x1bca3    // shorthand controls
        | 0x1d173..=0x1d17a    // musical controls
        | 0xe0000..=0xe0fff    // tags, supplementary variation selectors
    )
}

/// Tells whether a code point only chooses between text and emoji: ordinary to a person, yet able to
/// carry hidden bits to an agent.
fn is_presentation(character: char) -> bool {
    matches!(character, '\u{fe0e}' | '\u{fe0f}')
}

/// Measures the escape sequence at the beginning of the text, if there is a whole one.
///
/// A string (title, image) must end on its line: an open one would hide everything after it.
fn sequence_length(text: &str) -> Option<usize> {
    let mut characters = text.chars();
    let kind = match characters.next()? {
        ESCAPE => characters.next()?,
        c1 @ '\u{80}'..='\u{9f}' => char::from(u8::try_from(c1).ok()? - 0x40),
        _ => return None,
    };
    let body = characters.as_str();
    let start = text.len() - body.len();
    let length = match kind {
        '[' => final_byte(body, '\u{40}'),
        ']' | 'P' | 'X' | '^' | '_' => string_length(body),
        '\u{20}'..='\u{2f}' => final_byte(body, '\u{30}'),
        '\u{30}'..='\u{7e}' => Some(0),
        _ => None,
    };
    // Without its end only what introduces it is removed, and never a character that is not part of it.
    match length {
        Some(length) => Some(start + length),
        None if matches!(kind, ' '..='~') => Some(start),
        None => None,
    }
}

/// Measures up to and with the byte that ends a sequence, the first from `lowest` to `~`.
fn final_byte(body: &str, lowest: char) -> Option<usize> {
    let end = body.find(|character: char| !(' '..lowest).contains(&character))?;
    let last = body[end..].chars().next()?;
    (lowest..='~').contains(&last).then_some(end + 1)
}

/// Measures up to and with what ends a string on the same line.
fn string_length(body: &str) -> Option<usize> {
    let end = body.find([BELL, ESCAPE, STRING_TERMINATOR, '\n'])?;
    match body[end..].chars().next()? {
        '\n' => None,
        ESCAPE if body[end + 1..].starts_with('\\') => Some(end + 2),
        // Another sequence begins, which is removed next.
        ESCAPE => Some(end),
        terminator => Some(end + terminator.len_utf8()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_line_shows_everything_that_would_act_or_hide() {
        for (given, shown) in [
            ("plain ü 日本 ❤\u{fe0f}", "plain ü 日本 ❤\u{fe0f}"),
            ("a\nb\tc", "a^Jb^Ic"),
            ("\u{1b}[31mred", "^[[31mred"),
            ("\0\u{7f}", "^@^?"),
            ("\u{9b}31m", "<U+009B>31m"),
            ("invoice\u{202e}fdp.exe", "invoice<U+202E>fdp.exe"),
            ("pass\u{200b}word", "pass<U+200B>word"),
            ("\u{e0041}", "<U+E0041>"),
            ("\u{2028}", "<U+2028>"),
        ] {
            assert_eq!(line(given), shown, "{given:?}");
        }
    }

    #[test]
    fn text_keeps_newlines_and_tabs() {
        assert_eq!(text("a\tb\r\nc\u{1b}"), "a\tb^M\nc^[");
        assert!(matches!(text("a\tb\nc"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_says_the_same_when_it_is_made_harmless() {
        let value = "a\u{9b}31m\u{7f}\u{202e}\u{e0041}\0\n\u{1b}é";
        let text = serde_json::to_string_pretty(&[value]).unwrap();
        let shown = json(&text);
        assert!(
            shown.contains("\\u009b31m\\u007f\\u202e\\udb40\\udc41"),
            "{shown}"
        );
        assert_eq!(
            serde_json::from_str::<Vec<String>>(&shown).unwrap(),
            [value]
        );
    }

    #[test]
    fn an_agent_gets_text_without_sequences_and_hidden_code_points() {
        for (given, shown) in [
            ("a\tb\r\nc", "a\tb\nc"),
            ("\u{1b}[1;31mred\u{1b}[0m!", "red!"),
            ("\u{9b}31mred", "red"),
            ("\u{1b}]0;title\u{7}x\u{1b}]0;title\u{1b}\\y", "xy"),
            ("\u{1b}P1;2q#stuff\u{9c}z", "z"),
            ("\u{1b}(Bx\u{1b}=y\u{1b}7z", "xyz"),
            ("\u{1b}]0;no end\nnext", "0;no end\nnext"),
            ("\u{1b}]0;\u{1b}[1mbold", "bold"),
            ("\u{1b}[31", "31"),
            ("\u{1b}[3é", "3é"),
            ("\u{1b}", ""),
            ("\u{1b}é", "é"),
            ("hi\u{e0068}\u{e0069}\u{200d}\u{202e} ❤\u{fe0f}", "hi ❤"),
        ] {
            assert_eq!(for_agent(given), shown, "{given:?}");
        }
    }

    fn anything() -> impl Strategy<Value = String> {
        let character = prop_oneof![
            3 => any::<char>(),
            2 => proptest::char::range('\0', '\u{9f}'),
            1 => proptest::char::range('\u{2000}', '\u{206f}'),
            1 => proptest::char::range('\u{fe00}', '\u{feff}'),
            1 => proptest::char::range('\u{e0000}', '\u{e01ff}'),
            2 => proptest::sample::select(vec!['\u{1b}', '[', ']', '\n', '\t', 'm', ';', '\u{7}']),
        ];
        proptest::collection::vec(character, 0..60).prop_map(String::from_iter)
    }

    fn is_safe(shown: &str, keeps_layout: bool) -> bool {
        shown.chars().all(|character| {
            (keeps_layout && is_layout(character))
                || !(character.is_control() || is_hidden(character))
        })
    }

    proptest! {
        #[test]
        fn no_result_holds_what_it_must_not(given in anything()) {
            prop_assert!(is_safe(&line(&given), false));
            prop_assert!(is_safe(&text(&given), true));
            prop_assert!(is_safe(&for_agent(&given), true));
            prop_assert!(is_safe(&json(&given), true));
            prop_assert!(!for_agent(&given).contains(is_presentation));
        }

        #[test]
        fn json_says_the_same_and_shows_nothing_that_acts(given in anything()) {
            let text = serde_json::to_string(&given).unwrap();
            let shown = json(&text);
            prop_assert!(is_safe(&shown, true), "{shown:?}");
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), given);
        }

        #[test]
        fn text_that_need_not_change_is_borrowed_and_all_other_changes(given in anything()) {
            for shown in [line(&given), text(&given), for_agent(&given)] {
                prop_assert_eq!(matches!(shown, Cow::Borrowed(_)), shown == given);
            }
        }

        #[test]
        fn what_is_called_harmless_changes_for_nobody(given in "[ -~\t]{0,200}", other in anything()) {
            prop_assert!(is_harmless_ascii(given.as_bytes()));
            for text in [given, other] {
                let is_ascii = text.chars().all(|character| matches!(character, '\t' | ' '..='~'));
                prop_assert_eq!(is_harmless_ascii(text.as_bytes()), is_ascii);
                prop_assert!(!is_ascii || for_agent(&text) == text);
            }
        }

        #[test]
        fn doing_it_twice_changes_nothing_more(given in anything()) {
            for sanitize in [line, text, for_agent] {
                let once = sanitize(&given).into_owned();
                prop_assert_eq!(&*sanitize(&once), &*once);
            }
        }
    }
}
