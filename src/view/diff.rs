//! Two sessions side by side: what differs in what is known of them, and in their text, line by line.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use serde_json::{Value, json};
use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};

use super::paint::{Meaning, Palette};
use super::session::Shown;
use super::text::Audience;
use super::units;

/// Lines that are shown around a difference.
const CONTEXT: usize = 3;

/// Lines of text, held together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextLines {
    text: String,
    ends: Vec<usize>,
}

impl TextLines {
    /// Adds a line.
    pub fn push(&mut self, line: &str) {
        self.text.push_str(line);
        self.ends.push(self.text.len());
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// What they take in memory, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.text.len() + size_of_val(self.ends.as_slice())
    }

    /// The lines in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.count()).map(|index| self.line(index))
    }

    fn line(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[index]]
    }
}

/// Something known of both sessions that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// Its name for people.
    pub name: &'static str,
    /// The sidecar's field.
    pub field: &'static str,
    /// What it is of either, for people.
    pub shown: [String; 2],
    /// What it is of either, as the sidecar has it.
    pub values: [Value; 2],
}

impl Fact {
    fn differs(&self) -> bool {
        self.differs_in_sight() || self.values[0] != self.values[1]
    }

    fn differs_in_sight(&self) -> bool {
        self.shown[0] != self.shown[1]
    }
}

/// What differs in what is known of two sessions: command, outcome, duration and branch.
#[must_use]
pub fn facts(sessions: [&Shown; 2]) -> Vec<Fact> {
    type Read = fn(&Shown) -> (String, Value);
    let known: [(&'static str, &'static str, Read); 4] = [
        ("command", "command", |session| {
            let command = &session.metadata.command;
            (command.clone(), command.clone().into())
        }),
        ("outcome", "exit_code", |session| {
            (session.outcome(), session.metadata.exit_code.into())
        }),
        ("duration", "duration_ms", |session| {
            let duration = session.metadata.duration_ms;
            let shown = duration.map_or("unknown".to_owned(), units::duration);
            (shown, duration.into())
        }),
        ("branch", "branch", |session| {
            let git = session.metadata.git.as_ref();
            let branch = git.and_then(|git| git.branch.clone());
            (branch.clone().unwrap_or("none".to_owned()), branch.into())
        }),
    ];
    let facts = known.into_iter().map(|(name, field, read)| {
        let [(one, one_value), (other, other_value)] = sessions.map(read);
        Fact {
            name,
            field,
            shown: [one, other],
            values: [one_value, other_value],
        }
    });
    facts.filter(Fact::differs).collect()
}

/// The difference of two texts.
pub struct TextDiff<'a> {
    texts: [&'a TextLines; 2],
    hunks: Vec<Vec<DiffOp>>,
}

impl<'a> TextDiff<'a> {
    /// Compares two texts. The time that takes is bounded: of texts that have little in common the
    /// result is right, but may not be the shortest.
    #[must_use]
    pub fn new(texts: [&'a TextLines; 2]) -> Self {
        // Numbers are compared instead of lines.
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let [one, other] = texts.map(|text| -> Vec<u32> {
            let number = |line| {
                let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                *numbers.entry(line).or_insert(next)
            };
            text.iter().map(number).collect()
        });
        drop(numbers);
        let changes = capture_diff_slices(Algorithm::Myers, &one, &other);
        let hunks = if one == other {
            Vec::new()
        } else {
            group_diff_ops(changes, CONTEXT)
        };
        Self { texts, hunks }
    }

    /// Whether the texts are the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hunks.is_empty()
    }

    /// Hands over each line of a hunk, with the sign that stands before it.
    fn lines(&self, hunk: &[DiffOp], take: &mut dyn FnMut(char, &str)) {
        for change in hunk {
            let (old, new) = (change.old_range(), change.new_range());
            if let DiffOp::Equal { .. } = change {
                old.for_each(|line| take(' ', self.texts[0].line(line)));
                continue;
            }
            old.for_each(|line| take('-', self.texts[0].line(line)));
            new.for_each(|line| take('+', self.texts[1].line(line)));
        }
    }

    /// The difference as JSON: hunks as a unified diff has them.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let (mut removed, mut added) = (0_u64, 0_u64);
        let mut hunks = Vec::new();
        for hunk in &self.hunks {
            let mut lines = Vec::new();
            self.lines(hunk, &mut |sign, line| {
                removed += u64::from(sign == '-');
                added += u64::from(sign == '+');
                lines.push(format!("{sign}{line}"));
            });
            let [old, new] = ranges(hunk);
            hunks.push(json!({
                "left_line": first_line(&old),
                "left_count": old.len(),
                "right_line": first_line(&new),
                "right_count": new.len(),
                "lines": lines,
            }));
        }
        json!({"same": self.is_empty(), "removed": removed, "added": added, "hunks": hunks})
    }

    /// The difference as a unified diff.
    #[must_use]
    pub fn unified(
        &self,
        names: [&'a str; 2],
        palette: Palette,
        audience: Audience,
    ) -> Unified<'_> {
        Unified {
            diff: self,
            names,
            palette,
            audience,
        }
    }
}

/// What a hunk covers of either text.
fn ranges(hunk: &[DiffOp]) -> [Range<usize>; 2] {
    let end = |range: fn(&DiffOp) -> Range<usize>| {
        let first = hunk.first().map(range).unwrap_or_default();
        let last = hunk.last().map(range).unwrap_or_default();
        first.start..last.end
    };
    [end(DiffOp::old_range), end(DiffOp::new_range)]
}

/// The number of a range's first line; of an empty one, of the line before it.
fn first_line(range: &Range<usize>) -> usize {
    range.start + usize::from(!range.is_empty())
}

/// A unified diff, as diff(1) and git write it; nothing where the texts are the same.
pub struct Unified<'a> {
    diff: &'a TextDiff<'a>,
    names: [&'a str; 2],
    palette: Palette,
    audience: Audience,
}

impl fmt::Display for Unified<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.diff.is_empty() {
            return Ok(());
        }
        for (sign, name) in ["---", "+++"].into_iter().zip(self.names) {
            let line = format!("{sign} {name}");
            writeln!(formatter, "{}", self.palette.paint(Meaning::Heading, &line))?;
        }
        for hunk in &self.diff.hunks {
            let [old, new] = ranges(hunk).map(|range| match range.len() {
                1 => first_line(&range).to_string(),
                count => format!("{},{count}", first_line(&range)),
            });
            let place = format!("@@ -{old} +{new} @@");
            writeln!(formatter, "{}", self.palette.paint(Meaning::Place, &place))?;
            let mut written = Ok(());
            self.diff.lines(hunk, &mut |sign, line| {
                if written.is_ok() {
                    written =
                        write_signed(formatter, sign, &self.audience.line(line), self.palette);
                }
            });
            written?;
        }
        Ok(())
    }
}

fn write_signed(
    formatter: &mut fmt::Formatter<'_>,
    sign: char,
    line: &str,
    palette: Palette,
) -> fmt::Result {
    let meaning = match sign {
        '-' => Meaning::Removed,
        '+' => Meaning::Added,
        _ => return writeln!(formatter, "{sign}{line}"),
    };
    writeln!(
        formatter,
        "{}",
        palette.paint(meaning, &format!("{sign}{line}"))
    )
}

/// Facts that differ, a line for either session.
pub struct Facts<'a> {
    /// The facts.
    pub facts: &'a [Fact],
    /// The colours.
    pub palette: Palette,
    /// Who reads it.
    pub audience: Audience,
}

impl fmt::Display for Facts<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fact in self.facts.iter().filter(|fact| fact.differs_in_sight()) {
            for (sign, shown) in ['-', '+'].into_iter().zip(&fact.shown) {
                let line = format!("{:<10}{}", fact.name, self.audience.line(shown));
                write_signed(formatter, sign, &line, self.palette)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(text: &str) -> TextLines {
        let mut lines = TextLines::default();
        text.lines().for_each(|line| lines.push(line));
        lines
    }

    fn unified(one: &str, other: &str) -> String {
        let (one, other) = (lines(one), lines(other));
        let diff = TextDiff::new([&one, &other]);
        diff.unified(["A", "B"], Palette::Plain, Audience::People)
            .to_string()
    }

    #[test]
    fn differences_are_written_as_diff_writes_them() {
        assert_eq!(unified("a\nb", "a\nb"), "");
        assert_eq!(
            unified("", "x\u{1b}"),
            "--- A\n+++ B\n@@ -0,0 +1 @@\n+x^[\n"
        );
        assert_eq!(
            unified(
                "1\n2\n3\n4\n5\n6\n7\n8\n9\n",
                "1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n"
            ),
            "--- A\n+++ B\n@@ -2,8 +2,9 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n 9\n+10\n"
        );
    }

    proptest! {
        #[test]
        fn a_diff_leads_from_one_text_to_the_other(
            one in proptest::collection::vec("[ab]{0,2}", 0..30),
            other in proptest::collection::vec("[ab]{0,2}", 0..30),
        ) {
            let text = |words: &[String]| {
                let mut lines = TextLines::default();
                words.iter().for_each(|line| lines.push(line));
                lines
            };
            let (left, right) = (text(&one), text(&other));
            let diff = TextDiff::new([&left, &right]);
            prop_assert_eq!(diff.is_empty(), one == other);
            let mut rebuilt = one.clone();
            for hunk in diff.hunks.iter().rev() {
                let mut new = Vec::new();
                let mut old = Vec::new();
                diff.lines(hunk, &mut |sign, line| {
                    if sign != '+' {
                        old.push(line.to_owned());
                    }
                    if sign != '-' {
                        new.push(line.to_owned());
                    }
                });
                let [range, _] = ranges(hunk);
                prop_assert_eq!(&rebuilt[range.clone()], &old[..]);
                rebuilt.splice(range, new);
            }
            prop_assert_eq!(rebuilt, other);
        }
    }
}
