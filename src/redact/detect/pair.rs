//! A name and its value: `PASSWORD=…`, `"client_secret": "…"`, `--token …`, `<password>…</password>`.
//!
//! The name has to say that the value is secret, and the value has to look like one: how much,
//! depends on how sure the name and the form are. A shell's or a file's `NAME=value` is sure. Source
//! code, where most values are expressions, isn't.

use super::look;
use super::{Depth, Found};
use crate::redact::class::{CONTROL, Class};
use crate::redact::view::View;

mod name;
mod value;

pub(in crate::redact) use name::{Kind, is_about, is_secret_name};

/// The longest name to either side of the word that makes it one.
const NAME_BYTES: usize = 64;
/// How much of a value is judged.
const JUDGED_BYTES: usize = 512;
/// The longest value that is looked at.
const VALUE_BYTES: usize = 2 * crate::redact::AHEAD_BYTES;
/// The most blanks around the sign between name and value: tables of settings are aligned.
const BLANKS: usize = 24;

const NAME: Class = Class::of("A-Za-z0-9_.-");
const NAME_AFTER: Class = Class::of("A-Za-z0-9_-");
/// What ends a value without quotes.
const BARE_END: Class = Class::of(" \t\"'`<>|").or(CONTROL);

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `NAME=value` with a name in capitals: a shell, a `.env` file, an environment.
    Variable,
    /// In quotes.
    Quoted,
    /// `name=value` without blanks, as in addresses, forms and options.
    Tight,
    /// Anything else.
    Loose,
}

/// What stands between a name and its value.
enum Sign {
    Equals,
    Colon,
    /// Only blanks, after `--name` or in a .netrc.
    Blanks,
    /// The `>` of an element.
    Element,
    /// Only blanks, after `ENV` or `setenv`, and nothing but the value on the rest of the line.
    Setting,
}

/// Checks the pair whose name has a word of this kind from `at` to `end`.
pub(in crate::redact) fn find(
    kind: Kind,
    view: &View<'_>,
    at: usize,
    end: usize,
    depth: Depth,
) -> Option<Found> {
    let from = at - view.run_before(at, NAME, NAME_BYTES);
    let after = view.slice(end, end + NAME_BYTES);
    let name_end = end
        + after
            .iter()
            .take_while(|byte| NAME_AFTER.has(**byte))
            .count();
    let text = view.slice(from, name_end);
    if !name::is_secret_with(text, at - from, end - from) {
        return None;
    }
    let (sign, start) = sign(view, from, name_end)?;
    let is_variable = (matches!(sign, Sign::Equals) && start == name_end + 1
        || matches!(sign, Sign::Setting))
        && !text.iter().any(u8::is_ascii_lowercase)
        && text.iter().any(u8::is_ascii_uppercase);
    let start = after_letter(view, start);
    let value_at = after_opening_quote(view, start);
    let (form, length) = if value_at > start {
        (Form::Quoted, quoted_length(view, start, value_at))
    } else {
        bare(view, &sign, from, start, name_end, is_variable)
    };
    let value = view.slice(value_at, value_at + length);
    if matches!(sign, Sign::Setting) && !ends_line(view, value_at + length) {
        return None;
    }
    let judged = &value[..length.min(JUDGED_BYTES)];
    let is_one = value::is_secret(judged, kind, form, depth)
        // A variable that is set for certain need not look drawn by lot.
        || form == Form::Variable
            && is_exported(view, from)
            && value::is_secret(judged, Kind::Secret, Form::Tight, depth);
    if !is_one {
        return typed(kind, view, &sign, start, depth);
    }
    let mut to = value_at + value.len();
    if form != Form::Quoted && value.len() == JUDGED_BYTES {
        let rest = view.slice(to, view.high);
        let more = rest.iter().position(|byte| BARE_END.has(*byte));
        to += more.unwrap_or(rest.len());
    }
    Some(Found::reaching(view, value_at, to, BARE_END.others()))
}

/// `name: Type = "value"`, as several languages have it.
fn typed(kind: Kind, view: &View<'_>, sign: &Sign, start: usize, depth: Depth) -> Option<Found> {
    const TYPE: Class = Class::of("A-Za-z0-9_<>[]&'.?* |");
    if !matches!(sign, Sign::Colon) {
        return None;
    }
    let rest = view.slice(start, start + NAME_BYTES);
    let length = rest.iter().take_while(|byte| TYPE.has(**byte)).count();
    if length == 0 || rest.get(length) != Some(&b'=') {
        return None;
    }
    let at = after_letter(view, start + length + 1 + blanks(view, start + length + 1));
    let value_at = after_opening_quote(view, at);
    if value_at == at {
        return None;
    }
    let length = quoted_length(view, at, value_at);
    let value = view.slice(value_at, value_at + length);
    value::is_secret(value, kind, Form::Quoted, depth)
        .then(|| Found::whole(value_at, value_at + value.len()))
}

/// What stands between name and value, and where the value begins.
fn sign(view: &View<'_>, from: usize, name_end: usize) -> Option<(Sign, usize)> {
    let before = |back: usize| from.checked_sub(back).and_then(|at| view.byte(at));
    let at = after_closing_quote(view, name_end);
    let at = at + usize::from(at > name_end && view.byte(at) == Some(b']'));
    let gap = blanks(view, at);
    let at = at + gap;
    let (sign, at) = match (view.byte(at)?, view.byte(at + 1)) {
        (b'=', Some(b'=' | b'~')) | (b':', Some(b':')) => return None,
        (b'=', Some(b'>')) | (b':' | b'?', Some(b'=')) => (Sign::Equals, at + 2),
        (b'=', _) => (Sign::Equals, at + 1),
        (b':', _) => (Sign::Colon, at + 1),
        (b'>', _) if gap == 0 && before(1) == Some(b'<') => (Sign::Element, at + 1),
        _ if gap > 0 && is_flag(view, from, name_end) => return Some((Sign::Blanks, at)),
        // PHP's constants.
        // <add key="ApiKey" value="…">
        (b'v' | b'V', _) if at - gap > name_end && gap > 0 => {
            let end = view.literal_folded(at, b"value")?;
            let end = end + blanks(view, end);
            if view.byte(end)? != b'=' {
                return None;
            }
            (Sign::Equals, end + 1)
        }
        (b',', _) if at > name_end && is_defined(view, from) => (Sign::Equals, at + 1),
        // ALTER ROLE … WITH PASSWORD '…'
        (b'\'', _) if gap > 0 && is_after(view, from, &[b"WITH", b"with", b"ENCRYPTED"]) => {
            return Some((Sign::Blanks, at));
        }
        _ if gap > 0 && is_after(view, from, &[b"ENV", b"setenv"]) => {
            return Some((Sign::Setting, at));
        }
        _ => return None,
    };
    Some((sign, at + blanks(view, at)))
}

/// Whether a name is a long option, or the word of a .netrc.
fn is_flag(view: &View<'_>, from: usize, name_end: usize) -> bool {
    let name = view.slice(from, name_end);
    let line = view.slice(from.saturating_sub(NAME_BYTES), from);
    let line = line.rsplit(|byte| *byte == b'\n').next().unwrap_or(line);
    name.starts_with(b"--") || name == b"password" && look::contains(line, b"login ")
}

/// Whether one of these words stands before a name.
fn is_after(view: &View<'_>, from: usize, words: &[&[u8]]) -> bool {
    let before = view.slice(from.saturating_sub(NAME_BYTES), from);
    let word = before.trim_ascii_end();
    word.len() < before.len()
        && words.iter().any(|wanted| {
            let rest = word.strip_suffix(*wanted);
            rest.is_some_and(|rest| rest.last().is_none_or(|last| !NAME.has(*last)))
        })
}

/// Whether a name in quotes is that of a constant: `define('NAME', …`.
fn is_defined(view: &View<'_>, from: usize) -> bool {
    let before = view.slice(from.saturating_sub(NAME_BYTES), from);
    before.ends_with(b"define('") || before.ends_with(b"define(\"")
}

/// Whether a name is that of a variable which is set for certain: exported, or in a shell's trace.
fn is_exported(view: &View<'_>, from: usize) -> bool {
    is_after(view, from, &[b"export", b"+", b"ENV", b"setenv"])
}

/// Whether nothing more of a command follows: the line ends, or another command begins.
fn ends_line(view: &View<'_>, at: usize) -> bool {
    let at = after_closing_quote(view, at);
    let at = at + blanks(view, at);
    view.byte(at).is_none_or(|byte| {
        matches!(
            byte,
            b'\n' | b'\r' | b';' | b'&' | b'|' | b'#' | b'"' | b'\'' | b'\\'
        )
    })
}

/// How many blanks begin here.
fn blanks(view: &View<'_>, at: usize) -> usize {
    let rest = view.slice(at, at + BLANKS).iter();
    rest.take_while(|byte| matches!(**byte, b' ' | b'\t'))
        .count()
}

/// What stands around a text in source code and changes nothing of it.
const WRAPPERS: [&[u8]; 6] = [
    b"Some(",
    b"Ok(",
    b"String::from(",
    b"Secret::new(",
    b"SecretString::from(",
    b"SecretString::new(",
];

/// Goes past what only says what kind of string follows: `b"…"`, `@"…"`, `Some("…")`.
fn after_letter(view: &View<'_>, at: usize) -> usize {
    let longest = WRAPPERS.iter().map(|wrapper| wrapper.len()).max();
    let mut start = at;
    loop {
        let near = view.slice(start, start + longest.unwrap_or(0));
        match WRAPPERS.iter().find(|wrapper| near.starts_with(wrapper)) {
            Some(wrapper) if start < at + NAME_BYTES => start += wrapper.len(),
            _ => break,
        }
    }
    // Not what calls a function, or names something.
    let at = if after_opening_quote(view, start) > start {
        start
    } else {
        at
    };
    let is_letter = matches!(view.byte(at), Some(b'b' | b'r' | b'u' | b'f' | b'L' | b'@'));
    at + usize::from(is_letter && matches!(view.byte(at + 1), Some(b'"' | b'\'')))
}

/// Goes past the quote, escaped or not, that ends a name.
pub(super) fn after_closing_quote(view: &View<'_>, at: usize) -> usize {
    after_opening_quote(view, at)
}

/// Goes past the quote, escaped or not, that begins here.
pub(super) fn after_opening_quote(view: &View<'_>, at: usize) -> usize {
    let slashes = view.slice(at, at + 7).iter();
    let slashes = slashes.take_while(|byte| **byte == b'\\').count();
    match view.byte(at + slashes) {
        Some(b'"' | b'\'' | b'`') => at + slashes + 1,
        _ => at,
    }
}

/// How long the value is whose opening quote stands from `at` to `start`.
fn quoted_length(view: &View<'_>, at: usize, start: usize) -> usize {
    let quote = view.slice(at, start);
    let value = view.slice(start, start + VALUE_BYTES);
    let mut length = 0;
    while length < value.len() && !CONTROL.has(value[length]) {
        let rest = &value[length..];
        if rest.starts_with(quote) {
            return length;
        }
        length += if rest[0] == b'\\' && quote.len() == 1 {
            2
        } else {
            1
        };
    }
    // Nothing closes it on this line: what a blank or a quote ends.
    let end = value.iter().position(|byte| BARE_END.has(*byte));
    end.unwrap_or(value.len())
}

/// The length up to one of these signs that parts it from the next pair: `;Encrypt=true`, `,host=x`.
fn length_to_next_pair(value: &[u8], parting: &[u8]) -> usize {
    let mut signs = value.iter().enumerate();
    let next = signs.find(|(at, byte)| {
        let rest = &value[at + 1..];
        parting.contains(byte) && {
            let name = rest.iter().take(NAME_BYTES);
            let name = name.take_while(|byte| NAME.has(**byte)).count();
            name > 0 && rest.get(name) == Some(&b'=')
        }
    });
    next.map_or(value.len(), |(at, _)| at)
}

/// The form and the length of a value without quotes.
fn bare(
    view: &View<'_>,
    sign: &Sign,
    from: usize,
    start: usize,
    name_end: usize,
    is_variable: bool,
) -> (Form, usize) {
    let in_address = from
        .checked_sub(1)
        .and_then(|before| view.byte(before))
        .is_some_and(|byte| matches!(byte, b'?' | b'&'));
    let is_tight = matches!(sign, Sign::Equals | Sign::Element) && start == name_end + 1;
    let value = view.slice(start, start + JUDGED_BYTES);
    let is_end = |byte: &u8| BARE_END.has(*byte) || in_address && matches!(byte, b'&' | b'#');
    let length = value.iter().position(is_end).unwrap_or(value.len());
    // A form's next field; a shell's `&` can't stand in a value, but may in a file of settings.
    let parting: &[u8] = if is_variable { b";," } else { b";,&" };
    let length = length_to_next_pair(&value[..length], parting);
    let value = &value[..length];
    if is_variable {
        let trailing = value.iter().rev();
        let trailing = trailing.take_while(|byte| matches!(**byte, b';' | b',' | b')'));
        return (Form::Variable, length - trailing.count());
    }
    let trailing = value.iter().rev();
    let is_after = |byte: &&u8| matches!(**byte, b';' | b',' | b')' | b']' | b'}' | b'.' | b'\\');
    let replaced = look::replaced_length(value) == Some(length);
    let trailing = if replaced {
        0
    } else {
        trailing.take_while(is_after).count()
    };
    let form = if is_tight { Form::Tight } else { Form::Loose };
    (form, length - trailing)
}
