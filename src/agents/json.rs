//! JSON with the places of its parts, so that a change leaves every other byte as it was.

use std::borrow::Cow;
use std::ops::Range;

/// How deep objects and arrays may be in each other.
const DEPTH_MAX: usize = 64;

/// A value, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its bytes in the text.
    pub span: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Members, in the order in which they stand.
    Object(Vec<Member>),
    /// Elements.
    Array(Vec<Node>),
    /// A text.
    Text(String),
    /// A number, true, false or null.
    Other,
}

/// A name and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The name.
    pub name: String,
    /// Where the name's quote stands.
    pub start: usize,
    /// The value.
    pub value: Node,
}

/// Why a text is not taken as JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Problem {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong.
    pub what: Cow<'static, str>,
}

impl Node {
    /// The member of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        let members = self.members()?;
        let found = members.iter().find(|member| member.name == name);
        found.map(|member| &member.value)
    }

    /// The members, of an object.
    #[must_use]
    pub fn members(&self) -> Option<&[Member]> {
        match &self.kind {
            Kind::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The elements, of an array.
    #[must_use]
    pub fn elements(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The text, of one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether any text in it, however deep, is so.
    pub fn any_text(&self, test: &dyn Fn(&str) -> bool) -> bool {
        match &self.kind {
            Kind::Object(members) => members.iter().any(|member| member.value.any_text(test)),
            Kind::Array(elements) => elements.iter().any(|element| element.any_text(test)),
            Kind::Text(text) => test(text),
            Kind::Other => false,
        }
    }
}

/// Parses a text as one JSON value. Byte order marks before it are passed over.
///
/// # Errors
/// What is wrong with it: also a name that is there twice, since readers differ on which counts.
pub fn parse(text: &str) -> Result<Node, Problem> {
    let mut parser = Parser { text, at: 0 };
    while text[parser.at..].starts_with('\u{feff}') {
        parser.at += '\u{feff}'.len_utf8();
    }
    let node = parser.value(0)?;
    parser.skip_blanks();
    match parser.peek() {
        None => Ok(node),
        Some(_) => Err(parser.unexpected()),
    }
}

/// A text in which no escape is half of a character. Hosts count in units of UTF-16, so a text that they cut may
/// end in the first half of a pair. Such a half becomes U+FFFD, whose escape is as long: every place stays.
#[must_use]
pub fn whole_characters(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let unit = |at: usize| {
        let escape = bytes.get(at..at + 6)?;
        let digits = escape.strip_prefix(b"\\u")?;
        let is_number = digits.iter().all(u8::is_ascii_hexdigit);
        let digits = std::str::from_utf8(digits).ok().filter(|_| is_number)?;
        u32::from_str_radix(digits, 16).ok()
    };
    let mut halves = Vec::new();
    let mut at = 0;
    // Outside of texts there are no backslashes in JSON.
    while let Some(found) = bytes
        .get(at..)
        .and_then(|rest| rest.iter().position(is_backslash))
    {
        at += found;
        match (unit(at), unit(at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => at += 12,
            (Some(0xd800..=0xdfff), _) => {
                halves.push(at + 2);
                at += 6;
            }
            _ => at += 2,
        }
    }
    if halves.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut whole = text.to_owned();
    for digits in halves {
        whole.replace_range(digits..digits + 4, "fffd");
    }
    Cow::Owned(whole)
}

fn is_backslash(byte: &u8) -> bool {
    *byte == b'\\'
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn problem(&self, what: impl Into<Cow<'static, str>>) -> Problem {
        let before = &self.text.as_bytes()[..self.at.min(self.text.len())];
        Problem {
            line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
            what: what.into(),
        }
    }

    fn unexpected(&self) -> Problem {
        match self.text[self.at..].chars().next() {
            None => self.problem("it ends in the middle"),
            Some('/') => self.problem("it has a comment"),
            Some('}' | ']') => {
                self.problem("a comma before the end of a list, or a bracket too many")
            }
            Some(letter) => self.problem(format!("{letter:?} is not expected there")),
        }
    }

    fn take(&mut self, byte: u8) -> Result<(), Problem> {
        self.skip_blanks();
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, Problem> {
        if depth > DEPTH_MAX {
            return Err(self.problem("it is too deep"));
        }
        self.skip_blanks();
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Kind::Text(self.string()?),
            _ => self.other()?,
        };
        Ok(Node {
            span: start..self.at,
            kind,
        })
    }

    fn object(&mut self, depth: usize) -> Result<Kind, Problem> {
        self.at += 1;
        let mut members: Vec<Member> = Vec::new();
        self.skip_blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Kind::Object(members));
        }
        loop {
            self.skip_blanks();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.unexpected());
            }
            let name = self.string()?;
            if members.iter().any(|member| member.name == name) {
                return Err(self.problem(format!("{name:?} is there twice")));
            }
            self.take(b':')?;
            let value = self.value(depth + 1)?;
            members.push(Member { name, start, value });
            self.skip_blanks();
            if self.peek() == Some(b',') {
                self.at += 1;
                continue;
            }
            self.take(b'}')?;
            return Ok(Kind::Object(members));
        }
    }

    fn array(&mut self, depth: usize) -> Result<Kind, Problem> {
        self.at += 1;
        let mut elements = Vec::new();
        self.skip_blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Kind::Array(elements));
        }
        loop {
            elements.push(self.value(depth + 1)?);
            self.skip_blanks();
            if self.peek() == Some(b',') {
                self.at += 1;
                continue;
            }
            self.take(b']')?;
            return Ok(Kind::Array(elements));
        }
    }

    fn string(&mut self) -> Result<String, Problem> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut end = start + 1;
        loop {
            match bytes.get(end) {
                None => return Err(self.problem("it ends in the middle")),
                Some(b'"') => break,
                Some(b'\\') => end += 2,
                Some(_) => end += 1,
            }
        }
        let text = &self.text[start..=end];
        let string = serde_json::from_str(text);
        let string = string.map_err(|_| self.problem("a text that is not one"))?;
        self.at = end + 1;
        Ok(string)
    }

    fn other(&mut self) -> Result<Kind, Problem> {
        let rest = &self.text[self.at..];
        let is_end = |byte: u8| b" \t\r\n,]}:/\"{[".contains(&byte);
        let length = rest.bytes().position(is_end).unwrap_or(rest.len());
        let literal = &rest[..length];
        if serde_json::from_str::<serde::de::IgnoredAny>(literal).is_err() {
            return Err(self.unexpected());
        }
        self.at += length;
        Ok(Kind::Other)
    }
}

/// A text as JSON, with its quotes.
#[must_use]
pub fn quoted(text: &str) -> String {
    // A text can always be written; if it could not, it would be nothing.
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn places_are_told_and_names_found() {
        let text = "\u{feff} {\"a\" : [1, \"b\\n\"], \"c\":{}} ";
        let node = parse(text).unwrap();
        let list = node.get("a").unwrap();
        assert_eq!(&text[list.span.clone()], "[1, \"b\\n\"]");
        assert_eq!(list.elements().unwrap()[1].text(), Some("b\n"));
        assert_eq!(node.get("c").unwrap().members(), Some(&[][..]));
        assert!(node.any_text(&|text| text == "b\n"));
    }

    #[test]
    fn what_is_not_plain_json_is_refused_with_its_line() {
        for (text, line, what) in [
            ("{\n// x\n}", 2, "comment"),
            ("{\"a\": 1, /* x */ \"b\": 2}", 1, "comment"),
            ("{\"a\": 1,\n}", 2, "comma"),
            ("{\"a\": 1, \"a\": 2}", 1, "twice"),
            ("{\"a\": 1", 1, "ends"),
            ("{\"a", 1, "ends"),
            ("", 1, "ends"),
            ("{} x", 1, "'x'"),
            ("{a: 1}", 1, "'a'"),
            ("nul", 1, "'n'"),
            (&"[".repeat(100), 1, "deep"),
        ] {
            let problem = parse(text).unwrap_err();
            assert_eq!(problem.line, line, "{text}: {problem}");
            assert!(problem.what.contains(what), "{text}: {problem}");
        }
    }

    #[test]
    fn half_a_character_is_replaced_in_place_and_nothing_else() {
        for (text, whole) in [
            (r#""x\ud83d""#, r#""x\ufffd""#),
            (r#""\uDE00x""#, r#""\ufffdx""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\ud83d\u0041""#, r#""\ufffd\u0041""#),
            (r#""\ud83d\ude00 é""#, r#""\ud83d\ude00 é""#),
            // A backslash that is escaped, and what is cut.
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\\\ud83d""#, r#""\\\ufffd""#),
            (r#""\ud83"#, r#""\ud83"#),
            (r#""\ud+3d\"#, r#""\ud+3d\"#),
            ("\\é\\", "\\é\\"),
        ] {
            assert_eq!(whole_characters(text), whole, "{text}");
        }
        let text = r#"{"a": "\ud83d", "b": "\udc00\n"}"#;
        assert!(parse(text).is_err());
        let node = parse(&whole_characters(text)).unwrap();
        assert_eq!(node.get("b").unwrap().text(), Some("\u{fffd}\n"));
    }

    proptest! {
        #[test]
        fn whole_characters_are_as_long_and_always_parse(text in "[\\\\udD83cCeE0\"é]{0,40}") {
            let quoted = format!("\"{}\"", text.replace('"', ""));
            let whole = whole_characters(&quoted);
            prop_assert_eq!(whole.len(), quoted.len());
            if serde_json::from_str::<serde::de::IgnoredAny>(&quoted).is_ok() {
                prop_assert!(serde_json::from_str::<String>(&whole).is_ok(), "{}", whole);
            }
        }

        #[test]
        fn any_text_is_taken_as_serde_takes_it(text in "[\\[\\]{}\",:a1 \\\\\n-]{0,24}") {
            let ours = parse(&text);
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            if theirs.is_err() {
                prop_assert!(ours.is_err());
            } else if let Err(problem) = ours {
                prop_assert!(problem.what.contains("twice"), "{}", problem);
            }
        }
    }
}
