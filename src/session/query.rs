//! Which sessions are wanted: the filters that every reading word shares.

use std::fmt;

use super::{Entry, Judgement, Metadata, State, Status};

/// What every wanted session has to fulfil; the default wants all.
#[derive(Debug, Default)]
pub struct Query {
    /// Its end.
    pub outcome: Option<WantedOutcome>,
    /// Its state; one that was finished after its recorder was killed is [`State::Interrupted`] all the
    /// same.
    pub state: Option<State>,
    /// The agent's name.
    pub agent: Option<String>,
    /// It started at this time or later: ISO 8601, UTC, milliseconds.
    pub since: Option<String>,
    /// It started before this time.
    pub until: Option<String>,
    /// Its task.
    pub task: Option<String>,
    /// It belongs to a task, whichever.
    pub in_any_task: bool,
    /// The branch it ran on.
    pub branch: Option<String>,
    /// The directory it ran in, or one above it.
    pub cwd: Option<String>,
    /// One of its labels.
    pub tag: Option<String>,
    /// The fault it ran into.
    pub fault: Option<String>,
    /// What it was called.
    pub name: Option<String>,
    /// Whether it is pinned.
    pub pinned: Option<bool>,
    /// What its command, its note or one of its labels has to pass.
    pub text: Option<TextTest>,
}

/// A test of a text.
pub struct TextTest(pub Box<dyn Fn(&str) -> bool + Send + Sync>);

impl fmt::Debug for TextTest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TextTest")
    }
}

/// Which ends are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WantedOutcome {
    /// Over, and a failure as far as anybody knows: see [`Entry::has_failed`].
    Failed,
    /// Over, and it did what it should.
    Succeeded,
    /// It was judged so.
    Judged(Judgement),
    /// This exit code.
    Code(i32),
}

/// Whether a session is wanted, as far as its entry tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// It is.
    Yes,
    /// It isn't.
    No,
    /// Its entry holds only the beginning of its texts, so its metadata decides.
    Unknown,
}

impl Query {
    /// Whether a session is wanted.
    #[must_use]
    pub fn matches(&self, entry: &Entry<'_>, state: State) -> Match {
        if entry.status.is_none() && state == State::Finished {
            // Nobody knows what it is, so it is not passed over in silence.
            return self.matches_by_id(entry);
        }
        let is = |wanted: &Option<String>, found: &Option<std::borrow::Cow<'_, str>>| {
            wanted.is_none() || wanted.as_deref() == found.as_deref()
        };
        let certain = self.matches_by_id(entry) == Match::Yes
            && self.state.is_none_or(|wanted| wanted == seen(entry, state))
            && self.outcome.is_none_or(|wanted| wanted.fits(entry, state))
            && self.pinned.is_none_or(|wanted| wanted == entry.pinned)
            && is(&self.task, &entry.task)
            && (!self.in_any_task || entry.task.is_some())
            && is(&self.branch, &entry.branch)
            && is(&self.fault, &entry.fault)
            && is(&self.name, &entry.name)
            && self.fits_directory(entry)
            && self.fits_tag(entry);
        match (certain, &self.text) {
            (false, _) => Match::No,
            (true, None) => Match::Yes,
            (true, Some(test)) => test.fits(entry),
        }
    }

    /// Whether it fits by what an id alone tells.
    fn matches_by_id(&self, entry: &Entry<'_>) -> Match {
        let agent = self.agent.as_deref().is_none_or(|agent| {
            let rest = entry.session_id.strip_prefix(agent);
            // The agent's name is followed by time, process and hex digits.
            rest.is_some_and(|rest| rest.starts_with('-') && rest.matches('-').count() == 3)
        });
        let since = self.since.as_deref();
        let until = self.until.as_deref();
        if agent
            && since.is_none_or(|since| &*entry.timestamp >= since)
            && until.is_none_or(|until| &*entry.timestamp < until)
        {
            Match::Yes
        } else {
            Match::No
        }
    }

    fn fits_directory(&self, entry: &Entry<'_>) -> bool {
        let Some(wanted) = &self.cwd else { return true };
        let path = std::path::Path::new;
        let found = entry.cwd.as_deref();
        found.is_some_and(|cwd| path(cwd).starts_with(path(wanted)))
    }

    fn fits_tag(&self, entry: &Entry<'_>) -> bool {
        let wanted = self.tag.as_deref();
        wanted.is_none_or(|tag| entry.tags.iter().any(|label| label == tag))
    }
}

/// The state that a session is shown with: nobody saw the end of one whose recorder was killed, whoever
/// finished it since.
fn seen(entry: &Entry<'_>, state: State) -> State {
    match (state, entry.status) {
        (State::Finished, Some(Status::Interrupted)) => State::Interrupted,
        _ => state,
    }
}

impl TextTest {
    /// Whether a session's whole texts pass.
    #[must_use]
    pub fn fits_metadata(&self, metadata: &Metadata) -> bool {
        let note = metadata.notes.as_deref();
        let tags = metadata.tags.iter().map(String::as_str);
        let mut texts = std::iter::once(&*metadata.command).chain(note).chain(tags);
        texts.any(|text| (self.0)(text))
    }

    fn fits(&self, entry: &Entry<'_>) -> Match {
        let note = entry.notes.as_deref();
        let tags = entry.tags.iter().map(AsRef::as_ref);
        let mut texts = std::iter::once(&*entry.command).chain(note).chain(tags);
        match (texts.any(|text| (self.0)(text)), entry.cut) {
            (true, _) => Match::Yes,
            (false, true) => Match::Unknown,
            (false, false) => Match::No,
        }
    }
}

impl WantedOutcome {
    fn fits(self, entry: &Entry<'_>, state: State) -> bool {
        match self {
            Self::Failed => state != State::Running && entry.has_failed(),
            Self::Succeeded => entry.judgement() == Some(Judgement::Ok),
            Self::Judged(judgement) => entry.judgement() == Some(judgement),
            Self::Code(code) => entry.exit_code == Some(code),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::metadata::tests::minimal;

    #[test]
    fn each_filter_lets_through_what_it_names() {
        let mut metadata = minimal("ai-agent-20260305_132522-1-abcdef12");
        metadata.cwd = Some("/srv/demo/src".to_owned());
        metadata.task = Some("parser".to_owned());
        metadata.tags = vec!["ci".to_owned()];
        metadata.exit_code = Some(3);
        let entry = Entry::of(&metadata, 0);
        let all = Query::default;
        let text = |text: &str| Some(text.to_owned());
        let test = |part: &'static str| Some(TextTest(Box::new(move |text| text.contains(part))));
        let finished = State::Finished;
        #[rustfmt::skip]
        let table = [
            (all(), Match::Yes),
            (Query { outcome: Some(WantedOutcome::Failed), ..all() }, Match::Yes),
            (Query { outcome: Some(WantedOutcome::Succeeded), ..all() }, Match::No),
            (Query { outcome: Some(WantedOutcome::Code(3)), ..all() }, Match::Yes),
            (Query { state: Some(State::Running), ..all() }, Match::No),
            (Query { agent: text("ai-agent"), ..all() }, Match::Yes),
            (Query { agent: text("ai"), ..all() }, Match::No),
            (Query { since: text("2026-03-05T13:25:22.000Z"), ..all() }, Match::Yes),
            (Query { until: text("2026-03-05T13:25:22.000Z"), ..all() }, Match::No),
            (Query { task: text("parser"), ..all() }, Match::Yes),
            (Query { task: text("other"), ..all() }, Match::No),
            (Query { in_any_task: true, ..all() }, Match::Yes),
            (Query { branch: text("main"), ..all() }, Match::No),
            (Query { cwd: text("/srv/demo"), ..all() }, Match::Yes),
            (Query { cwd: text("/srv/de"), ..all() }, Match::No),
            (Query { tag: text("ci"), ..all() }, Match::Yes),
            (Query { pinned: Some(true), ..all() }, Match::No),
            (Query { text: test("tru"), ..all() }, Match::Yes),
            (Query { text: test("ci"), ..all() }, Match::Yes),
            (Query { text: test("no"), ..all() }, Match::No),
        ];
        for (query, wanted) in table {
            assert_eq!(query.matches(&entry, finished), wanted, "{query:?}");
        }
    }

    #[test]
    fn a_running_session_has_not_failed() {
        let mut metadata = minimal("a-20260305_132522-1-abcdef12");
        metadata.exit_code = None;
        let entry = Entry::of(&metadata, 0);
        let query = Query {
            outcome: Some(WantedOutcome::Failed),
            ..Query::default()
        };
        assert_eq!(query.matches(&entry, State::Running), Match::No);
        assert_eq!(query.matches(&entry, State::Interrupted), Match::Yes);
    }

    #[test]
    fn a_session_is_interrupted_also_after_somebody_finished_it() {
        let mut metadata = minimal("a-20260305_132522-1-abcdef12");
        metadata.exit_code = None;
        metadata.status = Status::Interrupted;
        let ended = minimal("a-20260305_132522-1-abcdef13");
        let ended = Entry::of(&ended, 0);
        let entry = Entry::of(&metadata, 0);
        let query = |state| Query {
            state: Some(state),
            ..Query::default()
        };
        let fits = |entry, wanted, state| query(wanted).matches(entry, state) == Match::Yes;
        let (finished, running) = (State::Finished, State::Running);
        assert!(fits(&entry, State::Interrupted, finished));
        assert!(fits(&entry, State::Interrupted, State::Interrupted));
        assert!(!fits(&entry, State::Interrupted, running));
        assert!(!fits(&ended, State::Interrupted, finished));
        assert!(!fits(&entry, finished, finished) && fits(&ended, finished, finished));
    }

    #[test]
    fn what_nobody_could_read_is_passed_over_only_by_what_its_id_tells() {
        let id = "a-20260305_132522-1-abcdef12".parse().unwrap();
        let entry = Entry::unreadable(&id);
        let other_task = || Query {
            task: Some("other".to_owned()),
            ..Query::default()
        };
        let other_agent = Query {
            agent: Some("b".to_owned()),
            ..Query::default()
        };
        assert_eq!(other_task().matches(&entry, State::Finished), Match::Yes);
        assert_eq!(other_agent.matches(&entry, State::Finished), Match::No);
        // Of one that has no sidecar yet, what is known is all there is.
        assert_eq!(other_task().matches(&entry, State::Running), Match::No);
    }

    #[test]
    fn a_text_that_was_cut_is_looked_up() {
        let mut metadata = minimal("a-20260305_132522-1-abcdef12");
        metadata.command = "x".repeat(1000);
        let entry = Entry::of(&metadata, 0);
        let query = Query {
            text: Some(TextTest(Box::new(|text| text.contains('y')))),
            ..Query::default()
        };
        assert_eq!(query.matches(&entry, State::Finished), Match::Unknown);
    }

    #[test]
    fn times_agents_and_labels_are_borders() {
        let mut metadata = minimal("ai-agent-20260305_132522-1-abcdef12");
        metadata.tags = vec!["ci".to_owned()];
        let entry = Entry::of(&metadata, 0);
        let at = |text: &str| Some(text.to_owned());
        let matches = |query: Query| query.matches(&entry, State::Finished) == Match::Yes;
        for (since, until, fits) in [
            (None, None, true),
            (at("2026-03-05T13:25:22.000Z"), None, true),
            (at("2026-03-05T13:25:22.001Z"), None, false),
            (None, at("2026-03-05T13:25:22.001Z"), true),
            (None, at("2026-03-05T13:25:22.000Z"), false),
        ] {
            let query = Query {
                since: since.clone(),
                until: until.clone(),
                ..Query::default()
            };
            assert_eq!(matches(query), fits, "{since:?} {until:?}");
        }
        for (tag, fits) in [("ci", true), ("c", false), ("other", false)] {
            let query = Query {
                tag: at(tag),
                ..Query::default()
            };
            assert_eq!(matches(query), fits, "{tag}");
        }
        for (agent, fits) in [("ai-agent", true), ("ai", false), ("agent", false)] {
            let query = Query {
                agent: at(agent),
                ..Query::default()
            };
            assert_eq!(matches(query), fits, "{agent}");
        }
    }

    #[test]
    fn codes_and_judgements_are_told_apart() {
        let mut metadata = minimal("ai-agent-20260305_132522-1-abcdef12");
        metadata.exit_code = Some(3);
        let entry = Entry::of(&metadata, 0);
        for (wanted, fits) in [
            (WantedOutcome::Code(3), true),
            (WantedOutcome::Code(0), false),
            (WantedOutcome::Judged(Judgement::Ok), false),
            (WantedOutcome::Succeeded, false),
            (WantedOutcome::Failed, true),
        ] {
            assert_eq!(wanted.fits(&entry, State::Finished), fits, "{wanted:?}");
        }
        assert!(!WantedOutcome::Failed.fits(&entry, State::Running));
    }

    #[test]
    fn a_text_is_looked_for_in_the_command_the_note_and_the_labels() {
        let mut metadata = minimal("ai-agent-20260305_132522-1-abcdef12");
        metadata.command = "make all".to_owned();
        metadata.notes = Some("why".to_owned());
        metadata.tags = vec!["ci".to_owned()];
        for (text, fits) in [
            ("all", true),
            ("why", true),
            ("ci", true),
            ("absent", false),
        ] {
            let test = TextTest(Box::new(move |found| found.contains(text)));
            assert_eq!(test.fits_metadata(&metadata), fits, "{text}");
        }
    }
}
