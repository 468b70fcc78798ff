//! Commands of the shells' own that stay in a line, as far as they only do what they are for: some have ways
//! of setting variables, which a program after them would be found or started by.

use super::lexer::{Word, is_name};
use super::{Reason, words};

/// Checks one of the commands that stay.
///
/// # Errors
/// What it might do besides.
pub(super) fn check(head: &str, arguments: &[Word<'_>]) -> Result<(), Reason> {
    match head {
        "export" => export(arguments),
        "printf" => printf(arguments),
        "test" | "[" => test(head, arguments),
        _ => Ok(()),
    }
}

fn export(arguments: &[Word<'_>]) -> Result<(), Reason> {
    for argument in arguments {
        let text = argument.text;
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        if !is_name(name) {
            return Err(Reason::Construct("an export of something computed"));
        }
        if words::is_sensitive(name) {
            return Err(Reason::Variable(name.to_owned()));
        }
        // dash splits it, and exports the parts.
        let is_quoted = value.len() > 1 && value.starts_with('"') && value.ends_with('"');
        if value.contains('$') && !(is_quoted || value.starts_with('\'')) {
            return Err(Reason::Construct("an export of something computed"));
        }
    }
    Ok(())
}

/// bash and zsh have `-v`, and `%n`, which set a variable; zsh computes numbers, which may set some too.
fn printf(arguments: &[Word<'_>]) -> Result<(), Reason> {
    let Some(format) = arguments.first() else {
        return Ok(());
    };
    let quoted = ['\'', '"'].iter().find_map(|quote| {
        let inner = format.text.strip_prefix(*quote)?.strip_suffix(*quote)?;
        (!inner.contains(*quote)).then_some(inner)
    });
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"%_.,:/+=@-".contains(&byte);
    let plain = || Some(format.text).filter(|text| text.bytes().all(is_letter));
    match quoted.or_else(plain) {
        Some(format) if only_prints(format) => Ok(()),
        _ => Err(Reason::ChangesShell("printf".to_owned())),
    }
}

/// Whether a format of printf holds nothing but texts, and escapes that are the same everywhere.
fn only_prints(format: &str) -> bool {
    if format.starts_with('-') || format.contains(['$', '`']) {
        return false;
    }
    let mut bytes = format.bytes();
    while let Some(byte) = bytes.next() {
        let is_fine = match byte {
            b'\\' => bytes
                .next()
                .is_some_and(|next| b"\\abfnrtv\"'".contains(&next)),
            b'%' => {
                let is_size = |byte: &u8| byte.is_ascii_digit() || b"-.".contains(byte);
                let conversion = bytes.by_ref().find(|byte| !is_size(byte));
                matches!(conversion, Some(b's' | b'b' | b'%'))
            }
            _ => true,
        };
        if !is_fine {
            return false;
        }
    }
    true
}

/// bash computes the subscript of a variable that is asked for.
fn test(head: &str, arguments: &[Word<'_>]) -> Result<(), Reason> {
    match arguments.iter().any(|word| word.text.contains('[')) {
        true => Err(Reason::ChangesShell(head.to_owned())),
        false => Ok(()),
    }
}
