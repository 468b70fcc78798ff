//! A line without what changes from run to run: places, numbers, times, names of people.
//!
//! A scanner of its own and not a list of patterns: it takes microseconds, and no pattern has to be
//! compiled. The text is read again until nothing changes any more, so that the normal form of a
//! normal form is itself.

/// The longest normal form, in bytes.
const LENGTH_MAX: usize = 200;
/// The most of a text that is read, in bytes.
const READ_BYTES: usize = 2000;
/// The most often that a text is read. Three times are enough for all that was ever seen; what
/// would need more stays as it is then.
const ROUNDS_MAX: usize = 16;

/// What stands for what was taken out.
const PLACEHOLDERS: &[&str] = &[
    "<n>", "<dur>", "<time>", "<hex>", "<id>", "<ip>", "<mail>", "<tmp>", "<home>", "<user>",
    "<url>",
];

/// Whether numbers tell failures apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// They are counts, lines, ports: taken out.
    TakenOut,
    /// They are part of a name or a code that somebody chose as telling.
    Kept,
}

/// A line in its normal form: lower case, at most 200 bytes, in one line.
#[must_use]
pub fn normal(text: &str, numbers: Numbers) -> String {
    let mut current = head(text, READ_BYTES).to_lowercase();
    for _ in 0..ROUNDS_MAX {
        let next = round(&current, numbers);
        if next == current {
            break;
        }
        current = next;
    }
    current
}

/// The beginning of a text, up to a character's end: at most this many bytes.
#[must_use]
pub fn head(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn round(text: &str, numbers: Numbers) -> String {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut length = rest.find(is_delimiter).unwrap_or(rest.len());
        if rest[..length].contains("://") {
            length = rest.find(ends_address).unwrap_or(rest.len());
        }
        if length > 0 {
            word(&rest[..length], numbers, &mut pieces);
            rest = &rest[length..];
            continue;
        }
        if let Some(known) = PLACEHOLDERS.iter().find(|known| rest.starts_with(**known)) {
            pieces.push((*known).to_owned());
            rest = &rest[known.len()..];
            continue;
        }
        let Some(delimiter) = rest.chars().next() else {
            break;
        };
        rest = &rest[delimiter.len_utf8()..];
        match delimiter {
            '‘' | '’' | '`' | '“' | '”' | '"' => pieces.push("'".to_owned()),
            _ if delimiter.is_whitespace() || delimiter.is_control() => {
                if pieces.last().is_some_and(|last| last != " ") {
                    pieces.push(" ".to_owned());
                }
            }
            _ => pieces.push(delimiter.to_string()),
        }
    }
    join_times(&mut pieces);
    name_users(&mut pieces);
    let joined = pieces.concat();
    head(joined.trim(), LENGTH_MAX).trim_end().to_owned()
}

fn is_delimiter(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || "'\"`‘’“”()[]{}<>,;=|*!?".contains(character)
}

/// What no address on the web contains.
fn ends_address(character: char) -> bool {
    is_delimiter(character) && !"?=,;*!|".contains(character)
}

/// What a word becomes.
fn word(word: &str, numbers: Numbers, pieces: &mut Vec<String>) {
    let bare = word.trim_end_matches([':', '.']);
    let (bare, tail) = word.split_at(if bare.is_empty() {
        word.len()
    } else {
        bare.len()
    });
    if let Some((scheme, rest)) = bare.split_once("://") {
        if scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'+')
        {
            url(scheme, rest, pieces);
        } else {
            pieces.push(bare.replace("://", ": "));
        }
    } else {
        pieces.push(plain(bare, numbers));
    }
    // A colon after a place says nothing; but `a:` and `a` are different words otherwise.
    pieces.push(tail.get(..1).unwrap_or_default().to_owned());
}

/// Of an address, the host and the last part of the path are kept.
fn url(scheme: &str, rest: &str, pieces: &mut Vec<String>) {
    pieces.push("<url>".to_owned());
    if scheme == "file" || scheme == "unix" {
        let name = rest.trim_end_matches('/').rsplit('/').next();
        pieces.push(format!(" {}", name.unwrap_or_default()));
        return;
    }
    let rest = rest.split(['#', '?']).next().unwrap_or_default();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit('@').next().unwrap_or_default();
    pieces.push(format!(" {host}"));
    let name = path.trim_end_matches('/').rsplit('/').next();
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        pieces.push(format!(" {name}"));
    }
}

fn plain(text: &str, numbers: Numbers) -> String {
    if is_time(text) {
        return "<time>".to_owned();
    }
    if is_address(text) {
        return "<ip>".to_owned();
    }
    if is_drive_path(text) || text.contains('/') {
        return of_path(text);
    }
    let text = without_place(text);
    if is_address(text) {
        return "<ip>".to_owned();
    }
    if let Some(name) = number(text, numbers) {
        return name;
    }
    if let Some((user, host)) = text.split_once('@')
        && !user.is_empty()
        && host.starts_with(|first: char| first.is_ascii_alphabetic())
    {
        return "<mail>".to_owned();
    }
    if is_temporary(text) {
        return "<tmp>".to_owned();
    }
    segments(text, numbers)
}

/// `c:\…`.
fn is_drive_path(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && &bytes[1..3] == b":\\"
}

/// A path by its last component; what is made up for a while and homes have no name.
fn of_path(text: &str) -> String {
    // `--flag=/path` is apart already; `-I/usr/include` and `a:/b` are not.
    let trimmed = text.trim_end_matches(['/', '\\']);
    let Some(index) = trimmed.rfind(['/', '\\']) else {
        return if trimmed.is_empty() {
            "/".to_owned()
        } else {
            trimmed.to_owned()
        };
    };
    let (folder, name) = (&trimmed[..index], &trimmed[index + 1..]);
    if matches!(folder, "/home" | "/users") || trimmed == "/root" {
        return "<home>".to_owned();
    }
    let temporary = ["/tmp", "/var/tmp", "/private/tmp", "/dev/shm"];
    if temporary.contains(&folder) {
        return "<tmp>".to_owned();
    }
    name.to_owned()
}

/// Without `:line:column` or `:port` at the end.
fn without_place(text: &str) -> &str {
    let mut rest = text;
    while let Some((before, after)) = rest.rsplit_once(':') {
        let is_number = !after.is_empty() && after.bytes().all(|byte| byte.is_ascii_digit());
        if before.is_empty() || !is_number {
            break;
        }
        rest = before;
    }
    rest
}

/// `2026-11-21`, `09:38:20.7`, and what begins with a date.
fn is_time(text: &str) -> bool {
    let shape: String = text
        .chars()
        .take(10)
        .map(|found| match found {
            '0'..='9' => '0',
            '_' | '/' => '-',
            other => other,
        })
        .collect();
    let is_day = shape == "0000-00-00" && !text.starts_with('0');
    is_day || (shape.starts_with("00:00:00") && shape.len() == text.len().min(10))
}

/// An address of the Internet Protocol, perhaps with a port.
fn is_address(text: &str) -> bool {
    let parts: Vec<&str> = without_place(text).split('.').collect();
    let is_part = |part: &&str| part.len() <= 3 && part.parse::<u8>().is_ok();
    (parts.len() == 4 && parts.iter().all(is_part))
        || (text.matches(':').count() >= 2 && text.parse::<std::net::Ipv6Addr>().is_ok())
}

/// A number, with a unit or without.
fn number(text: &str, numbers: Numbers) -> Option<String> {
    let unsigned = text.trim_start_matches(['-', '+', '#', '~']);
    if !unsigned.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    if let Some(digits) = unsigned.strip_prefix("0x") {
        let is_hex = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        return is_hex.then(|| "<hex>".to_owned());
    }
    let end = unsigned.find(|found: char| !found.is_ascii_digit() && found != '.');
    let (value, unit) = unsigned.split_at(end.unwrap_or(unsigned.len()));
    if value.matches('.').count() > 1 {
        return None;
    }
    let placeholder = match unit {
        "" if numbers == Numbers::Kept => return None,
        "" | "%" | "b" | "k" | "kb" | "kib" | "m" | "mb" | "mib" | "g" | "gb" | "gib" => "<n>",
        _ if is_time_unit(unit) => "<dur>",
        // `1m30s`.
        _ if is_compound_duration(unsigned) => "<dur>",
        _ => return None,
    };
    Some(placeholder.to_owned())
}

fn is_time_unit(unit: &str) -> bool {
    [
        "ns",
        "us",
        "µs",
        "μs",
        "ms",
        "s",
        "sec",
        "secs",
        "second",
        "seconds",
        "min",
        "mins",
        "minute",
        "minutes",
        "h",
        "hour",
        "hours",
        "d",
        "day",
        "days",
        "millis",
        "milliseconds",
    ]
    .contains(&unit)
}

fn is_compound_duration(text: &str) -> bool {
    let units = text.split(|found: char| found.is_ascii_digit() || found == '.');
    let mut units = units.filter(|unit| !unit.is_empty());
    text.len() < 20 && units.all(|unit| unit == "m" || is_time_unit(unit))
}

/// A name as mkstemp(3), mktemp(1) and Python's tempfile make it up.
fn is_temporary(text: &str) -> bool {
    let is_random = |name: &str| {
        name.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let made_by_mktemp = text
        .strip_prefix("tmp.")
        .is_some_and(|name| name.len() >= 6 && is_random(name));
    let made_by_python = text.strip_prefix("tmp").is_some_and(|name| {
        name.len() == 8
            && is_random(name)
            && name.contains(|found: char| found.is_ascii_digit() || found == '_')
    });
    made_by_mktemp || made_by_python
}

/// A word part by part: digests, identifiers and long numbers taken out.
fn segments(text: &str, numbers: Numbers) -> String {
    if is_uuid(text) {
        return "<id>".to_owned();
    }
    let mut made = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let end = rest
            .find(['-', '_', '.', '@', '+', ':', '~'])
            .unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        let all = |test: fn(u8) -> bool| part.bytes().all(test);
        let has = |test: fn(u8) -> bool| part.bytes().any(test);
        let is_digits = !part.is_empty() && all(|byte| byte.is_ascii_digit());
        let is_hex = all(|byte| byte.is_ascii_hexdigit());
        let is_mixed = has(|byte| byte.is_ascii_digit()) && has(|byte| byte.is_ascii_alphabetic());
        let is_pointer = part
            .strip_prefix("0x")
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match () {
            () if is_pointer => made.push_str("<hex>"),
            () if is_hex && is_mixed && part.len() >= 7 => made.push_str("<id>"),
            () if is_digits && part.len() >= 5 && numbers == Numbers::TakenOut => {
                made.push_str("<n>")
            }
            // What Kubernetes appends to the digest of a template.
            () if made.ends_with("<id>-") && is_mixed && part.len() == 5 => made.push_str("<id>"),
            () => made.push_str(part),
        }
        let Some(separator) = after.chars().next() else {
            return made;
        };
        made.push(separator);
        rest = &after[separator.len_utf8()..];
    }
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12]
        && text
            .bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// Makes one of `sat nov 21 <time> 2026`, and of a number and its unit; drops the time that a log
/// puts in front of a line.
fn join_times(pieces: &mut Vec<String>) {
    const MONTHS: &[&str] = &[
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    const DAYS: &[&str] = &["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    pieces.retain(|piece| !piece.is_empty());
    let at = |pieces: &[String], index: usize| pieces.get(index).cloned().unwrap_or_default();
    let mut index = 0;
    while index < pieces.len() {
        let (first, space, second) = (
            at(pieces, index),
            at(pieces, index + 1),
            at(pieces, index + 2),
        );
        let is_number =
            |text: &str| text == "<n>" || (text.len() <= 4 && text.parse::<u16>().is_ok());
        let made = if space != " " {
            None
        } else if first == "<n>" && is_time_unit(&second) {
            Some("<dur>")
        } else if (MONTHS.contains(&first.as_str()) && is_number(&second))
            || (is_number(&first) && MONTHS.contains(&second.as_str()))
            || (DAYS.contains(&first.as_str()) && second == "<time>")
            || (first == "<time>" && second == "<time>")
        {
            Some("<time>")
        } else {
            None
        };
        match made {
            Some(made) => {
                pieces.splice(index..index + 3, [made.to_owned()]);
                // The piece before may go with what was made.
                index = index.saturating_sub(2);
            }
            None => index += 1,
        }
    }
    let is_log_level = |text: &str| {
        text.len() == 5
            && text.starts_with(['i', 'w', 'e', 'f'])
            && text[1..].parse::<u16>().is_ok()
    };
    if pieces.len() > 2 && is_log_level(&pieces[0]) && pieces[2] == "<time>" {
        pieces.drain(..3);
    }
    while pieces.len() > 1 && matches!(pieces[0].as_str(), "<time>" | " ") {
        pieces.remove(0);
    }
}

/// The name after `user` where it is quoted or given with `=`.
fn name_users(pieces: &mut [String]) {
    for index in 0..pieces.len() {
        let is_user = matches!(
            pieces[index].as_str(),
            "user" | "username" | "uid" | "owner" | "role"
        );
        let quoted = |from: usize| {
            pieces
                .get(from)
                .is_some_and(|piece| piece == "'" || piece == "=")
        };
        let start = match () {
            () if !is_user => continue,
            () if quoted(index + 1) => index + 2,
            () if pieces.get(index + 1).is_some_and(|space| space == " ") && quoted(index + 2) => {
                index + 3
            }
            () => continue,
        };
        let is_name = |piece: &&mut String| piece.starts_with(char::is_alphanumeric);
        if let Some(name) = pieces.get_mut(start).filter(is_name) {
            "<user>".clone_into(name);
        }
    }
}

#[cfg(test)]
mod tests;
