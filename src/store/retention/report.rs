//! A plan, and what came of it: a dry run and a report are the same value.

use std::fmt;

use super::{PrunePlan, Removal, Sum};

/// What came of a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate<'a> {
    /// A dry run: it would go.
    Planned,
    /// It went.
    Removed,
    /// It could not be removed, for this reason.
    Failed(&'a str),
    /// Nobody tried, since the time was over.
    Left,
}

/// A removal that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which of the plan's removals, counted from 0.
    pub index: usize,
    /// Why, for people.
    pub error: String,
}

/// A plan, and how far it was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PruneReport<'a> {
    plan: PrunePlan<'a>,
    tried: Option<usize>,
    failures: Vec<Failure>,
}

impl<'a> PruneReport<'a> {
    /// The report of a dry run: nothing was tried.
    #[must_use]
    pub fn of_dry_run(plan: PrunePlan<'a>) -> Self {
        Self {
            plan,
            tried: None,
            failures: Vec::new(),
        }
    }

    /// Carries a plan out, in its order. A removal that fails is noted, and the next is tried;
    /// `may_go_on` is asked before each, so that housekeeping can stop when its time is over.
    pub fn carry_out<E: fmt::Display>(
        plan: PrunePlan<'a>,
        mut may_go_on: impl FnMut() -> bool,
        mut remove: impl FnMut(&Removal<'a>) -> Result<(), E>,
    ) -> Self {
        let mut failures = Vec::new();
        let mut tried = 0;
        for removal in &plan.removals {
            if !may_go_on() {
                break;
            }
            if let Err(error) = remove(removal) {
                failures.push(Failure {
                    index: tried,
                    error: error.to_string(),
                });
            }
            tried += 1;
        }
        Self {
            plan,
            tried: Some(tried),
            failures,
        }
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &PrunePlan<'a> {
        &self.plan
    }

    /// Whether nothing was tried because that was not wanted.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.tried.is_none()
    }

    /// The removals that failed, in their order.
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Each removal of the plan, and what came of it.
    pub fn fates(&self) -> impl Iterator<Item = (&Removal<'a>, Fate<'_>)> {
        let mut failures = self.failures.iter().peekable();
        let removals = self.plan.removals.iter().enumerate();
        removals.map(move |(index, removal)| {
            let failure = failures.next_if(|failure| failure.index == index);
            let fate = match (self.tried, failure) {
                (None, _) => Fate::Planned,
                (_, Some(failure)) => Fate::Failed(&failure.error),
                (Some(tried), None) if index < tried => Fate::Removed,
                (Some(_), None) => Fate::Left,
            };
            (removal, fate)
        })
    }

    /// What went; in a dry run nothing.
    #[must_use]
    pub fn removed(&self) -> Sum {
        let gone = self.fates().filter(|(_, fate)| *fate == Fate::Removed);
        Sum::of(gone.map(|(removal, _)| removal.candidate))
    }

    /// What stays; in a dry run, what would.
    #[must_use]
    pub fn kept(&self) -> Sum {
        let total = self.plan.total;
        let gone = if self.is_dry_run() {
            self.plan.removed
        } else {
            self.removed()
        };
        Sum {
            sessions: total.sessions - gone.sessions,
            size_bytes: total.size_bytes - gone.size_bytes,
        }
    }
}
