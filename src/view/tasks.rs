//! Tasks: a table of them, and one in full.

use std::fmt;

use super::columns::{self, Side};
use super::{sanitize, units};
use crate::session::{Judgement, TaskNote, TaskSession, TaskStatus, Timestamp};

/// Tasks as a table: one line each, cut to the width where there is one.
pub struct Table<'a> {
    /// What to show.
    pub statuses: &'a [TaskStatus],
    /// The present time, which ages are counted from.
    pub now: Timestamp,
    /// The terminal's width in columns; none doesn't cut.
    pub width: Option<usize>,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = [
            ("TASK", Side::Left),
            ("STATE", Side::Left),
            ("SESSIONS", Side::Right),
            ("FAILED", Side::Right),
            ("TIME", Side::Left),
            ("LAST", Side::Left),
            ("AGENTS", Side::Left),
            ("NOTE", Side::Left),
        ];
        let rows: Vec<[String; 8]> = self
            .statuses
            .iter()
            .map(|status| self.row(status))
            .collect();
        columns::write_telling(formatter, header, &rows, self.width, &[4, 6, 2, 5, 3])
    }
}

impl Table<'_> {
    fn row(&self, status: &TaskStatus) -> [String; 8] {
        let last = status.last.as_ref();
        let note = status.last_note.as_ref();
        let note = note.and_then(|note| note.text.as_deref());
        [
            bounded(&sanitize::line(&status.task)),
            status.state.name().to_owned(),
            status.sessions.to_string(),
            status.failed.to_string(),
            units::duration(status.duration_ms),
            last.map_or("-".to_owned(), |last| {
                units::age_at(self.now, last.ended_at.unwrap_or(last.timestamp))
            }),
            bounded(&agents(status)),
            sanitize::line(note.unwrap_or("-")).into_owned(),
        ]
    }
}

/// The widest that the columns of names get, in columns of the terminal.
const COLUMN_MAX: usize = 40;

/// A text cut to what its column takes: one long name must not move all other lines.
fn bounded(text: &str) -> String {
    columns::fit(text, Some(COLUMN_MAX)).into_owned()
}

fn agents(status: &TaskStatus) -> String {
    let names: Vec<&str> = status.agents.iter().map(|it| it.agent.as_str()).collect();
    sanitize::line(&names.join(", ")).into_owned()
}

/// One task in full.
pub struct Detail<'a> {
    /// Its sums.
    pub status: &'a TaskStatus,
    /// The sessions to show.
    pub sessions: &'a [TaskSession],
    /// What was said of it, the first first.
    pub notes: &'a [TaskNote],
    /// The present time, which ages are counted from.
    pub now: Timestamp,
    /// The terminal's width in columns; none doesn't cut.
    pub width: Option<usize>,
}

impl fmt::Display for Detail<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status;
        let counts = format!(
            "{} sessions, {} failed, {} removed since",
            status.sessions, status.failed, status.pruned
        );
        let time = format!(
            "{} from first to last, {} in commands",
            units::duration(status.duration_ms),
            units::duration(status.commands_ms)
        );
        writeln!(formatter, "task      {}", sanitize::line(&status.task))?;
        writeln!(formatter, "state     {}", status.state.name())?;
        writeln!(formatter, "sessions  {counts}")?;
        writeln!(formatter, "time      {time}")?;
        writeln!(formatter, "agents    {}", agents(status))?;
        if !self.sessions.is_empty() {
            writeln!(formatter)?;
            let header = ["N", "ID", "EXIT", "AGENT", "AGE", "TIME", "COMMAND"];
            let header = header.map(|name| (name, Side::Left));
            let rows: Vec<[String; 7]> = self.sessions.iter().map(|it| self.row(it)).collect();
            columns::write_telling(formatter, header, &rows, self.width, &[5, 3, 0, 4])?;
        }
        if !self.notes.is_empty() {
            writeln!(formatter)?;
        }
        for note in self.notes {
            let agent = sanitize::line(&note.agent);
            write!(
                formatter,
                "{} ago  {agent}",
                units::age_at(self.now, note.at)
            )?;
            if let Some(state) = note.state {
                write!(formatter, "  [{}]", state.name())?;
            }
            if let Some(text) = &note.text {
                // Further lines are indented, so that none can look like another note.
                let text = sanitize::text(text).replace('\n', "\n    ");
                write!(formatter, "  {text}")?;
            }
            writeln!(formatter)?;
        }
        Ok(())
    }
}

impl Detail<'_> {
    fn row(&self, session: &TaskSession) -> [String; 7] {
        let exit = session.exit_code;
        let id = session.session_id.hex();
        [
            session.number.to_string(),
            match session.pruned {
                true => format!("{id} (removed)"),
                false => id.to_owned(),
            },
            match (exit, session.outcome.and_then(Judgement::remark)) {
                (None, _) => "-".to_owned(),
                (Some(code), None) => code.to_string(),
                (Some(code), Some(remark)) => format!("{code} {remark}"),
            },
            sanitize::line(&session.agent).into_owned(),
            units::age_at(self.now, session.ended_at.unwrap_or(session.timestamp)),
            session.duration_ms.map_or("-".to_owned(), units::duration),
            sanitize::line(&session.command).into_owned(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::TaskState;
    use crate::session::task::tests::session;

    fn hostile() -> (TaskStatus, Vec<TaskSession>, Vec<TaskNote>) {
        let mut first = session(1, 0);
        first.command = "echo \u{1b}[2J".to_owned();
        first.agent = "a\u{202e}b".to_owned();
        let mut second = session(2, 101);
        second.pruned = true;
        let note = TaskNote {
            at: "2026-03-05T13:25:30.000Z".parse().unwrap(),
            agent: "b".to_owned(),
            state: Some(TaskState::Done),
            text: Some("one\n5m ago  c  [failed]\u{1b}]0;x\u{7}".to_owned()),
        };
        let (sessions, notes) = (vec![first, second], vec![note]);
        let status = TaskStatus::of("../x\ny", &sessions, &notes, 9, 2);
        (status, sessions, notes)
    }

    #[test]
    fn a_task_is_shown_and_nothing_in_it_acts() {
        let (status, sessions, notes) = hostile();
        let now = "2026-03-05T13:30:22.000Z".parse().unwrap();
        let (status, sessions, notes) = (&status, &sessions, &notes);
        let detail = Detail {
            status,
            sessions,
            notes,
            now,
            width: None,
        };
        let expected = "\
task      ../x^Jy
state     done
sessions  2 sessions, 1 failed, 1 removed since
time      0.00s from first to last, 0.00s in commands
agents    a<U+202E>b, a

N  ID                  EXIT  AGENT       AGE  TIME   COMMAND
1  00000001            0     a<U+202E>b  5m   0.00s  echo ^[[2J
2  00000002 (removed)  101   a           5m   0.00s  true

4m ago  b  [done]  one
    5m ago  c  [failed]^[]0;x^G
";
        assert_eq!(detail.to_string(), expected);
        let long = TaskStatus::of(&"x".repeat(300), sessions, notes, 9, 2);
        let table = Table {
            statuses: &[long],
            now,
            width: None,
        };
        let header = table.to_string().lines().next().map(str::len);
        assert!(header.is_some_and(|length| length < 120), "{table}");
        let statuses = std::slice::from_ref(status);
        for width in [None, Some(20), Some(80)] {
            let table = Table {
                statuses,
                now,
                width,
            };
            let text = table.to_string();
            let is_safe = |line: &str| !line.chars().any(|it| it.is_control() || it == '\u{202e}');
            assert!(
                text.lines().count() == 2 && text.lines().all(is_safe),
                "{text}"
            );
        }
    }
}
