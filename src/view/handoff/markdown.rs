//! A hand-off as Markdown.

use std::fmt::Write;

use super::quote::code;
use super::room::Room;
use super::{MOST, Shown, fit};
use crate::handoff::{Ending, Failure, Handoff, Ran, Task, Turn, Unknown};
use crate::session::{Judgement, SessionId, Status, Timestamp};
use crate::view::frame::Frame;
use crate::view::units::{self, count};

/// A hand-off as Markdown of at most the budget's characters, framed as data.
#[must_use]
pub fn markdown(shown: &Shown<'_>, frame: &Frame) -> String {
    fit(shown, &|room| {
        let mut text = String::from("# Hand-off\n\n");
        text.push_str(&frame.opening());
        let mut page = Page {
            shown,
            room,
            text: "\n".to_owned(),
            left_out: Vec::new(),
        };
        // Writing to a string does not fail.
        let _ = page.write();
        // A line of its own: without the blank one the frame's end would belong to the last item.
        page.text.push('\n');
        text.push_str(&page.text);
        text.push_str(&frame.closing(page.text.len() as u64));
        let _ = more(shown, &mut text);
        text
    })
}

/// How to see more: aido's own words, and nothing recorded.
fn more(shown: &Shown<'_>, text: &mut String) -> std::fmt::Result {
    if shown.handoff.sums.commands > 0 {
        write!(
            text,
            "\nMore: `aido show ID` (all of its output), `aido rerun ID`, `aido list --failed`, "
        )?;
        if !shown.handoff.tasks.is_empty() {
            write!(text, "`aido tasks show TASK`, ")?;
        }
        writeln!(
            text,
            "`aido handoff --budget {}`.",
            shown.budget.saturating_mul(3).min(MOST)
        )?;
    }
    if let Some(option) = shown.store_option {
        writeln!(text, "Each with {}.", code(option, 200))?;
    }
    Ok(())
}

struct Page<'a> {
    shown: &'a Shown<'a>,
    room: &'a Room,
    text: String,
    /// What there is no room for at all.
    left_out: Vec<String>,
}

impl Page<'_> {
    fn write(&mut self) -> std::fmt::Result {
        let (handoff, room) = (self.shown.handoff, self.room);
        self.state(handoff)?;
        self.section(
            "Open failures",
            &handoff.failures,
            room.failures,
            Self::failure,
        )?;
        self.section("Lessons", &handoff.lessons, room.lessons, |page, lesson| {
            let line = page.code(lesson.as_str());
            page.line(&line)
        })?;
        self.section("Open tasks", &handoff.tasks, room.tasks, Self::task)?;
        self.section("Notes", &handoff.notes, room.notes, |page, note| {
            let text = page.code(note.text.as_str());
            let line = format!("{text} on {}, {} ago", id(&note.id), page.age(note.at));
            page.line(&line)
        })?;
        self.section(
            "Last commands",
            &handoff.commands,
            room.commands,
            |page, ran| {
                let line = page.ran(ran);
                page.line(&line)
            },
        )?;
        self.section("Turns", &handoff.turns, room.turns, Self::turn)?;
        if !self.left_out.is_empty() {
            writeln!(self.text, "\nleft out: {}", self.left_out.join(", "))?;
        }
        self.unknown(handoff)
    }

    /// A heading, as much as there is room for, and how much more there is.
    fn section<T>(
        &mut self,
        name: &str,
        items: &[T],
        room: usize,
        write: impl Fn(&mut Self, &T) -> std::fmt::Result,
    ) -> std::fmt::Result {
        let hidden = items.len().saturating_sub(room);
        if room == 0 {
            if hidden > 0 {
                self.left_out
                    .push(format!("{hidden} {}", name.to_lowercase()));
            }
            return Ok(());
        }
        match hidden {
            0 => writeln!(self.text, "\n## {name}\n")?,
            hidden => writeln!(self.text, "\n## {name} ({hidden} more, left out)\n")?,
        }
        for item in items.iter().take(room) {
            write(self, item)?;
        }
        Ok(())
    }

    fn state(&mut self, handoff: &Handoff) -> std::fmt::Result {
        let repository = &handoff.repository;
        let mut line = String::new();
        match (&repository.branch, &repository.commit) {
            (Some(branch), _) => write!(line, "branch {}", self.code(branch.as_str()))?,
            (None, Some(_)) => write!(line, "no branch")?,
            (None, None) => {}
        }
        if let Some(commit) = &repository.commit {
            write!(
                line,
                " at {}",
                code(&commit.chars().take(12).collect::<String>(), 12)
            )?;
        }
        if let Some(operation) = repository.operation {
            write!(line, ", in the middle of a {operation}")?;
        }
        if !line.is_empty() {
            self.line(&line)?;
        }
        let sums = &handoff.sums;
        if sums.commands == 0 {
            return self.line("no commands are known");
        }
        let mut line = count(sums.commands, "command");
        write!(line, ", {} failed", sums.failed)?;
        if sums.running > 0 {
            write!(line, ", {} running", sums.running)?;
        }
        if let (Some(first), Some(last)) = (sums.first, sums.last) {
            write!(line, "; {}", self.span(first, last))?;
        }
        if !sums.are_all {
            write!(line, ", and older ones")?;
        }
        self.line(&line)?;
        if handoff.redacted > 0 {
            let line = format!(
                "{} replaced by what they were",
                count(handoff.redacted, "secret")
            );
            self.line(&line)?;
        }
        if let (Some(others), Some(reader)) = (sums.since_reader, &handoff.reader) {
            let name = self.code(reader.as_str());
            let line = format!("since {name} (you): {} by others", count(others, "command"));
            self.line(&line)?;
        }
        Ok(())
    }

    fn failure(&mut self, failure: &Failure) -> std::fmt::Result {
        let mut line = self.ran(&failure.ran);
        if failure.times > 1 {
            write!(line, ", {} times", failure.times)?;
        }
        self.line(&line)?;
        if let Some(said) = &failure.said {
            writeln!(self.text, "  - said {}", self.code(said.as_str()))?;
        }
        if let Some(fault) = &failure.fault {
            writeln!(self.text, "  - fault {}", self.code(fault.as_str()))?;
        }
        for lesson in &failure.lessons {
            writeln!(self.text, "  - lesson {}", self.code(lesson.as_str()))?;
        }
        Ok(())
    }

    fn task(&mut self, task: &Task) -> std::fmt::Result {
        let mut line = self.code(task.name.as_str());
        write!(
            line,
            ": {}, {} failed",
            count(task.sessions, "command"),
            task.failed
        )?;
        if let Some((last, at)) = &task.last {
            write!(line, ", the last {} {} ago", id(last), self.age(*at))?;
        }
        if let Some(note) = &task.note {
            write!(line, "; note {}", self.code(note.as_str()))?;
        }
        self.line(&line)
    }

    fn turn(&mut self, turn: &Turn) -> std::fmt::Result {
        let mut line = self.code(turn.agent.as_str());
        if self.shown.handoff.reader.as_ref() == Some(&turn.agent) {
            line.push_str(" (you)");
        }
        write!(
            line,
            ": {}, {} failed",
            count(turn.commands, "command"),
            turn.failed
        )?;
        write!(line, ", {}", self.span(turn.from, turn.to))?;
        if let Some(conversation) = &turn.conversation {
            write!(line, ", conversation {}", self.code(conversation.as_str()))?;
        }
        self.line(&line)
    }

    fn unknown(&mut self, handoff: &Handoff) -> std::fmt::Result {
        let shown = handoff.unknown.iter().take(self.room.unknown);
        let said: Vec<String> = shown.map(|unknown| self.say(unknown)).collect();
        let hidden = handoff.unknown.len() - said.len();
        if said.is_empty() {
            return Ok(());
        }
        write!(self.text, "\nunknown: {}", said.join("; "))?;
        match hidden {
            0 => writeln!(self.text),
            hidden => writeln!(self.text, "; and {hidden} more"),
        }
    }

    fn say(&self, unknown: &Unknown) -> String {
        match unknown {
            Unknown::WorkTree => "changes in the work tree (`git status`)".to_owned(),
            Unknown::OlderSessions => "older commands, for lack of time".to_owned(),
            Unknown::NoIndex => {
                "commands, since there is no index yet (`aido list` makes it)".to_owned()
            }
            Unknown::Sessions(error) => format!("commands: {}", self.code(error.as_str())),
            Unknown::Tasks(tasks) => format!("{} (`aido tasks`)", count(*tasks as u64, "task")),
            Unknown::Lessons => "lessons, for lack of time (`aido lessons`)".to_owned(),
            Unknown::Details(failures) => {
                format!("what {} said", count(*failures as u64, "failure"))
            }
            Unknown::Settings(error) => format!("the settings: {}", self.code(error.as_str())),
            Unknown::Rules(rules) => {
                format!("{} for secrets, not valid", count(*rules as u64, "rule"))
            }
        }
    }

    /// A command with its end, in the words that all lists have.
    fn ran(&self, ran: &Ran) -> String {
        let command = self.code(ran.command.as_str());
        let (end, age) = (ending(ran.ending), self.age(ran.at));
        let agent = self.code(ran.id.agent());
        let changed = match ran.changes {
            Some(counts) if counts.total() > 0 => format!("; files: {counts}"),
            _ => String::new(),
        };
        format!(
            "{command}: {end}, {age} ago by {agent}, {}{changed}",
            id(&ran.id)
        )
    }

    /// From when to when something was.
    fn span(&self, from: Timestamp, to: Timestamp) -> String {
        match (self.age(from), self.age(to)) {
            (from, to) if from == to => format!("{to} ago"),
            (from, to) => format!("from {from} to {to} ago"),
        }
    }

    fn line(&mut self, line: &str) -> std::fmt::Result {
        writeln!(self.text, "- {line}")
    }

    fn code(&self, text: &str) -> String {
        code(text, self.room.text)
    }

    fn age(&self, then: Timestamp) -> String {
        units::age_at(self.shown.now, then)
    }
}

/// What a session is called by other words.
fn id(id: &SessionId) -> String {
    format!("`{}`", id.hex())
}

/// How a command ended, in words.
fn ending(ending: Ending) -> String {
    let (status, exit_code, judgement) = match ending {
        Ending::Running => return "running".to_owned(),
        Ending::Over {
            status,
            exit_code,
            judgement,
        } => (status, exit_code, judgement),
    };
    if let (Some(judgement), Some(code)) = (judgement, exit_code) {
        match judgement {
            Judgement::Suspect => return "suspect: exit 0 over a failure".to_owned(),
            Judgement::Negative => return format!("exit {code}, an answer"),
            Judgement::Interrupted => return format!("stopped, exit {code}"),
            Judgement::Ok | Judgement::Fault => {}
        }
    }
    match (status, exit_code) {
        (Some(Status::Exited), Some(0)) => "ok".to_owned(),
        (Some(Status::Signaled), Some(code)) => format!("killed, exit {code}"),
        (Some(Status::TimedOut), _) => "timed out".to_owned(),
        (Some(Status::NotStarted), Some(code)) => format!("not started, exit {code}"),
        (Some(Status::Interrupted), _) => "interrupted".to_owned(),
        (_, Some(code)) => format!("exit {code}"),
        (_, None) => "end unknown".to_owned(),
    }
}
