//! A table of sessions.

use std::fmt;

use super::columns::{self, Columns, Side};
use super::sanitize;
use super::session::Shown;
use super::text::Audience;
use super::units;
use crate::session::{Entry, Timestamp};
use crate::store::State;
use crate::store::signature::Signature;

/// How many rows the widths of columns are decided by: what is shown together is aligned, and memory
/// doesn't grow with a table of a million rows.
const BLOCK_ROWS: usize = 1000;
/// The most bytes of rows that are held.
const BLOCK_BYTES: usize = 4 * 1024 * 1024;

/// Sessions as a table: one line each, cut to the width where there is one. A long one comes in blocks,
/// and columns that were wide stay wide.
#[derive(Debug)]
pub struct Table {
    now: Timestamp,
    width: Option<usize>,
    audience: Audience,
    columns: Columns<8>,
    rows: Vec<[String; 8]>,
    held_bytes: usize,
    has_header: bool,
}

const HEADER: [&str; 8] = [
    "ID", "STATE", "EXIT", "AGENT", "AGE", "TIME", "SIGNED", "COMMAND",
];
/// The columns that give way to the command on a narrow terminal, the first of them first.
const LESS_TELLING: [usize; 6] = [6, 5, AGENT, 4, 1, 2];
const AGENT: usize = 3;
/// How much is then shown of an agent's name, which may have 64 characters.
const AGENT_WIDTH: usize = 16;

impl Table {
    /// A table without rows. Ages are counted from `now`; without a width in columns nothing is cut.
    #[must_use]
    pub fn new(now: Timestamp, width: Option<usize>, audience: Audience) -> Self {
        Self {
            now,
            width,
            audience,
            columns: Columns::new([Side::Left; 8]),
            rows: Vec::new(),
            held_bytes: 0,
            has_header: false,
        }
    }

    /// Adds a session. Gives the lines that are ready to be printed: none but now and then.
    #[must_use]
    pub fn add(&mut self, shown: &Shown) -> String {
        let row = self.row(shown);
        self.held_bytes += row.iter().map(String::len).sum::<usize>();
        self.rows.push(row);
        match self.rows.len() < BLOCK_ROWS && self.held_bytes < BLOCK_BYTES {
            true => String::new(),
            false => self.lines(),
        }
    }

    /// The lines of the sessions that were added since the last ones; before the first of all a header.
    #[must_use]
    pub fn lines(&mut self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let mut rows = std::mem::take(&mut self.rows);
        self.held_bytes = 0;
        let is_first = !std::mem::replace(&mut self.has_header, true);
        if is_first {
            rows.insert(0, HEADER.map(str::to_owned));
        }
        rows.iter().for_each(|row| self.columns.widen(row));
        self.columns.cap(self.width, AGENT, AGENT_WIDTH);
        // Later lines have the columns that the header names.
        if is_first {
            self.columns.give_way(self.width, &LESS_TELLING);
        }
        let mut lines = String::new();
        for row in &rows {
            let line = self.columns.line(row);
            lines.push_str(&columns::fit(line.trim_end(), self.width));
            lines.push('\n');
        }
        lines
    }

    fn row(&self, shown: &Shown) -> [String; 8] {
        let metadata = &shown.metadata;
        let age = self.now.0.signed_duration_since(metadata.timestamp.0);
        let exit = match (shown.state, metadata.exit_code) {
            (State::Finished, Some(code)) => code.to_string(),
            _ => "-".to_owned(),
        };
        [
            metadata.session_id.hex().to_owned(),
            shown.standing().to_owned(),
            exit,
            metadata.session_id.agent().to_owned(),
            units::age(age.num_seconds()),
            metadata.duration_ms.map_or("-".to_owned(), units::duration),
            shown.signature.map_or("-", Signature::name).to_owned(),
            format!("{}{}", mark(shown), self.audience.line(&metadata.command)),
        ]
    }
}

/// What stands before the command of a session in which a secret was found.
fn mark(shown: &Shown) -> &'static str {
    match shown.metadata.sensitive {
        Some(true) => "\u{1f512} ",
        _ => "",
    }
}

/// Removed sessions as a table.
pub struct Removed<'a> {
    /// What to show.
    pub entries: &'a [Entry<'static>],
    /// The present time, which ages are counted from.
    pub now: Timestamp,
    /// The terminal's width in columns; none doesn't cut.
    pub width: Option<usize>,
    /// Who reads it.
    pub audience: Audience,
}

impl fmt::Display for Removed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.entries.is_empty() {
            return writeln!(formatter, "no session was removed");
        }
        let age = |time: &str| {
            let time: Timestamp = time.parse().ok()?;
            let age = self.now.0.signed_duration_since(time.0);
            Some(units::age(age.num_seconds()))
        };
        let age = |time: &str| age(time).unwrap_or_else(|| "-".to_owned());
        let row = |entry: &Entry<'_>| {
            let removal = entry.pruned.as_ref();
            let exit = entry
                .exit_code
                .map_or("-".to_owned(), |code| code.to_string());
            [
                sanitize::line(&entry.session_id).into_owned(),
                exit,
                age(&entry.timestamp),
                age(removal.map_or("", |removal| &removal.at)),
                self.audience
                    .line(removal.map_or("", |removal| &removal.reason))
                    .into_owned(),
                self.audience.line(&entry.command).into_owned(),
            ]
        };
        let header = ["ID", "EXIT", "AGE", "REMOVED", "WHY", "COMMAND"];
        let rows: Vec<[String; 6]> = self.entries.iter().map(row).collect();
        let header = header.map(|name| (name, Side::Left));
        columns::write(formatter, header, &rows, self.width)
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::session::metadata::tests::minimal;

    fn shown(id: &str, command: &str) -> Shown {
        let mut metadata = minimal(id);
        metadata.command = command.to_owned();
        Shown {
            metadata,
            state: State::Finished,
            signature: None,
        }
    }

    fn table(width: Option<usize>) -> String {
        let sessions = [
            shown(
                "codex-20260305_132522-1-abcdef12",
                "echo 日本語 and more\x1b[2J",
            ),
            shown("ai-agent-20260305_132520-1-00000001", "true"),
        ];
        let mut table = Table::new(now(), width, Audience::People);
        let ready = sessions.map(|session| table.add(&session)).concat();
        ready + &table.lines()
    }

    fn now() -> Timestamp {
        serde_json::from_str("\"2026-03-05T13:30:22.000Z\"").unwrap()
    }

    #[test]
    fn a_long_table_comes_in_blocks_with_one_header_and_columns_that_only_grow() {
        let mut table = Table::new(now(), None, Audience::People);
        let mut printed = Vec::new();
        for number in 0..2 * BLOCK_ROWS + 1 {
            let agent = if number == BLOCK_ROWS {
                "a-long-name"
            } else {
                "codex"
            };
            let id = format!("{agent}-20260305_132522-1-{number:08x}");
            printed.push(table.add(&shown(&id, "true")));
            assert!(table.rows.len() < BLOCK_ROWS);
        }
        printed.push(table.lines());
        let blocks = printed.iter().filter(|lines| !lines.is_empty());
        let blocks: Vec<Vec<&str>> = blocks.map(|lines| lines.lines().collect()).collect();
        let counts: Vec<usize> = blocks.iter().map(Vec::len).collect();
        assert_eq!(counts, [BLOCK_ROWS + 1, BLOCK_ROWS, 1]);
        let place = |line: &str| line.find("true").unwrap();
        let narrow = place(blocks[0][1]);
        assert!(blocks[0][1..].iter().all(|line| place(line) == narrow));
        let wide = narrow + "a-long-name".len() - "codex".len();
        assert!(blocks[1].iter().all(|line| place(line) == wide));
        assert_eq!(place(blocks[2][0]), wide);
        assert_eq!(table.lines(), "");
    }

    #[test]
    fn rows_of_long_commands_are_not_held_by_the_thousand() {
        let mut table = Table::new(now(), None, Audience::People);
        let long = shown("a-20260305_132522-1-abcdef12", &"x".repeat(BLOCK_BYTES / 2));
        assert_eq!(table.add(&long), "");
        assert_eq!(table.add(&long).lines().count(), 3);
    }

    #[test]
    fn a_table_in_a_pipe_is_not_cut_and_shows_no_control_character() {
        let expected = "\
ID        STATE     EXIT  AGENT     AGE  TIME   SIGNED  COMMAND
abcdef12  finished  0     codex     5m   0.00s  -       echo 日本語 and more^[[2J
00000001  finished  0     ai-agent  5m   0.00s  -       true
";
        assert_eq!(table(None), expected);
    }

    #[test]
    fn on_a_narrow_terminal_the_command_is_seen_whatever_an_agent_is_called() {
        let long = format!("{}-20260305_132522-1-abcdef12", "a".repeat(64));
        let narrow = |width| {
            let mut table = Table::new(now(), Some(width), Audience::People);
            let ready = table.add(&shown(&long, "cargo test --release"));
            ready + &table.lines()
        };
        let expected = "\
ID        STATE     EXIT  AGENT             AGE  TIME   COMMAND
abcdef12  finished  0     aaaaaaaaaaaaaaa…  5m   0.00s  cargo test --release
";
        assert_eq!(narrow(80), expected);
        let expected = "\
ID        EXIT  COMMAND
abcdef12  0     cargo test --release
";
        assert_eq!(narrow(40), expected);
        for width in 30..100 {
            assert!(narrow(width).contains("cargo test --"), "{width}");
        }
    }

    #[test]
    fn a_table_fits_the_terminal() {
        for width in [1, 20, 55, 60, 200] {
            for line in table(Some(width)).lines() {
                assert!(line.width() <= width, "{width}: {line:?}");
            }
        }
    }
}
