//! Cures: which of the commands after a failure worked instead, looked for among the sessions when
//! somebody asks. So a command that succeeds pays nothing for it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use chrono::TimeDelta;

use super::{FaultStore, Hide};
use crate::faults::cure::{Change, WITHIN_MS, may_have_cure};
use crate::faults::lesson::{Learned, Worked};
use crate::faults::{Attempt, Cause, History, Lesson, find_cure, lookup};
use crate::session::{Judgement, Metadata, Query, SessionId, Timestamp};
use crate::store::fs::FileStore;
use crate::store::{Found, Store};

/// The most sessions that are read for one cure.
const SESSIONS_MAX: usize = 60;

/// How much time there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Somebody waits for a command to end: only failures of the last hours, whose sessions stand near
    /// the end of the index.
    Recent,
    /// Somebody asked.
    Any,
}

/// How long ago is recent.
const RECENT_HOURS: i64 = 6;

/// Looks for cures among the sessions.
pub struct CureSeeker<'s> {
    /// Where failures are remembered.
    pub faults: &'s FaultStore,
    /// Where sessions are.
    pub store: &'s FileStore,
    /// The repository's root.
    pub root: Option<&'s Path>,
    /// Takes out what must not be shared.
    pub hide: &'s Hide,
    /// The present.
    pub now: Timestamp,
}

impl CureSeeker<'_> {
    /// Looks for the cure of the last time that a failure was seen, if that was not done yet, and remembers
    /// what it finds: the lesson, and that the search is done. True says that a cure was found now.
    pub fn seek(&self, history: &History, reach: Reach) -> bool {
        let age = self.now.0 - history.last.at.0;
        let is_far = reach == Reach::Recent && age > TimeDelta::hours(RECENT_HOURS);
        if history.is_cure_sought || is_far || !may_have_cure(&history.class) {
            return false;
        }
        let found = self.find(history);
        if found.is_none() && age <= TimeDelta::milliseconds(WITHIN_MS) {
            return false;
        }
        let is_found = found.is_some();
        let lesson = found.and_then(|(lesson, by)| {
            let learn = |learned: &mut Learned| {
                if learned.at.is_empty() {
                    learned.at = self.now.to_string();
                    learned.agent.clone_from(&by.agent);
                }
                learned.cured.retain(|known| *known != history.last.session);
                learned.cured.push(history.last.session.clone());
                learned.worked_in = Some(by.session_id.to_string());
            };
            self.faults.add_lesson(&lesson, &learn).ok()
        });
        if is_found && lesson.is_none() {
            // It can't be kept now; the next search finds it again.
            return false;
        }
        // Another failure may have come meanwhile, whose cure is still to be sought.
        let _ = self.faults.change_history(&history.fault, &mut |present| {
            if present.last.session == history.last.session {
                present.is_cure_sought = true;
            }
            if let Some(known) = &lesson {
                present.cure = Some(known.lesson.lesson.clone());
            }
        });
        lesson.is_some()
    }

    /// The cure, and the session in which it worked.
    fn find(&self, history: &History) -> Option<(Lesson, Metadata)> {
        let last = &history.last;
        let failed_id: SessionId = last.session.parse().ok()?;
        let failed = self.store.metadata(&failed_id).ok()?;
        let later = later(self.store, last.at, &failed_id)?;
        let cause = Cause {
            class: history.class.clone(),
            rule: None,
            command_key: history.program.clone(),
            line: last.line.clone(),
            key: None,
            named: last.named.clone(),
            message: None,
            lesson: None,
            code: last.exit_code.unwrap_or_default(),
        };
        let cure = find_cure(&attempt(&failed), &cause, later.iter().map(attempt))?;
        let worked = later.into_iter().nth(cure.index)?;
        let command = self.hide.command(&worked.command);
        if command != worked.command {
            // With its secret taken out nobody can run it.
            return None;
        }
        let cwd = Path::new(worked.cwd.as_deref().unwrap_or_default());
        let directory =
            (cure.change == Change::Directory).then(|| lookup::directory(cwd, self.root));
        let said = Worked {
            failed: self.hide.command(&failed.command),
            command,
            directory,
        };
        Some((Lesson::cure(history.fault.clone(), said), worked))
    }
}

/// The sessions that started within the time in which a cure may be, in their order.
fn later(store: &FileStore, since: Timestamp, failed: &SessionId) -> Option<Vec<Metadata>> {
    let until = Timestamp(since.0 + TimeDelta::milliseconds(WITHIN_MS + 1));
    let query = Query {
        since: Some(since.to_string()),
        until: Some(until.to_string()),
        ..Query::default()
    };
    let mut ids: BTreeMap<String, SessionId> = BTreeMap::new();
    let mut take = |found: Found| {
        if let Some(id) = found.entry.id().filter(|id| id != failed) {
            ids.insert(format!("{} {id}", found.entry.timestamp), id);
        }
        ControlFlow::Continue(())
    };
    store.newest(&query, &mut take).ok()?;
    // What follows the failure at once is nearest.
    let read = ids.into_values().take(SESSIONS_MAX);
    Some(read.filter_map(|id| store.metadata(&id).ok()).collect())
}

fn attempt(session: &Metadata) -> Attempt<'_> {
    Attempt {
        argv: &session.argv,
        shell_line: session.shell_line.as_deref(),
        directory: session.cwd.as_deref().unwrap_or_default(),
        caller: caller_of(session),
        started_ms: session.timestamp.0.timestamp_millis(),
        has_succeeded: session.judgement() == Some(Judgement::Ok),
    }
}

/// Who ran a session: the agent's conversation, or its name where that is unknown.
pub fn caller_of(session: &Metadata) -> &str {
    let harness = session.harness.as_ref();
    let conversation = harness.and_then(|harness| harness.conversation.as_deref());
    conversation.unwrap_or(&session.agent)
}
