//! What is secret, and handing on the input around it.

use std::collections::BTreeSet;

use crate::redact::Tag;
use crate::redact::search::RuleName;

/// A piece of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::redact) enum Piece<'a> {
    /// Nothing secret.
    Kept(&'a [u8]),
    /// A secret begins here.
    Secret { name: RuleName, tag: Option<Tag> },
    /// Bytes of the secret that began last.
    Hidden(&'a [u8]),
}

/// Bytes that are secret.
#[derive(Clone, Copy, Debug)]
struct Cut {
    from: usize,
    to: usize,
    /// For the first bytes of a secret: which it is.
    opens: Option<Opens>,
}

/// Which secret begins with a cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opens {
    pub(super) name: RuleName,
    /// Of secrets at one place, the one with the least rank gives its name.
    pub(super) rank: u32,
    pub(super) tag: Option<Tag>,
    pub(super) from: usize,
    pub(super) to: usize,
    /// Whether it is the rest of one that reached the end of what was looked at.
    pub(super) goes_on: bool,
}

/// What was found to be secret and is not handed on yet. Offsets count from the beginning of the
/// input that is held.
#[derive(Default)]
pub(super) struct Cuts {
    list: Vec<Cut>,
    /// Where the secret that began last ends, as far as is known.
    secret_end: usize,
    /// Where secrets end: another may begin there.
    ends: BTreeSet<usize>,
    /// What the secrets cover that were found last, in the input as it is and in its visible text.
    covered: [Covered; 2],
}

/// A stretch in which secrets overlap.
#[derive(Clone, Copy, Debug, Default)]
struct Covered {
    from: usize,
    to: usize,
}

impl Cuts {
    /// Notes a secret, and stretches of the input that show it: the first of them, and those of the rest
    /// that no other secret covers.
    pub(super) fn add(
        &mut self,
        opens: Opens,
        first: Vec<(usize, usize)>,
        rest: Vec<(usize, usize)>,
    ) {
        self.ends.insert(opens.to);
        let mut opens = Some(opens);
        for (from, to) in first.into_iter().chain(rest) {
            let opens = opens.take();
            self.list.push(Cut { from, to, opens });
        }
    }

    /// Up to where the secrets that were found last in the same text cover this one, if it begins
    /// inside of them.
    pub(super) fn reach(&mut self, is_visible: bool, from: usize, to: usize) -> Option<usize> {
        let covered = &mut self.covered[usize::from(is_visible)];
        if (covered.from..covered.to).contains(&from) {
            let reached = covered.to;
            covered.to = reached.max(to);
            return Some(reached);
        }
        *covered = Covered { from, to };
        None
    }

    /// Whether an offset is inside of what the secrets cover that were found last.
    pub(super) fn is_inside(&self, offset: usize) -> bool {
        let is_inside = |covered: &Covered| covered.from < offset && offset < covered.to;
        self.covered.iter().any(is_inside)
    }

    /// How much is noted.
    #[cfg(test)]
    pub(super) fn noted(&self) -> usize {
        self.list.len() + self.ends.len()
    }

    /// Where the last secret ends that ends at this offset or before.
    pub(super) fn end_before(&self, offset: usize) -> Option<usize> {
        self.ends.range(..=offset).next_back().copied()
    }

    /// Hands on the input before `safe`, which is no place inside of a character.
    pub(super) fn hand_on(&mut self, raw: &[u8], safe: usize, receive: &mut dyn FnMut(Piece<'_>)) {
        let mut cuts = std::mem::take(&mut self.list);
        cuts.sort_by_key(|cut| (cut.from, cut.opens.map_or(u32::MAX, |opens| opens.rank)));
        let mut done = 0;
        for cut in cuts {
            if cut.from >= safe {
                self.list.push(cut);
                continue;
            }
            if let Some(opens) = cut.opens {
                let is_same =
                    opens.from < self.secret_end || opens.goes_on && opens.from == self.secret_end;
                if !is_same {
                    keep(&raw[done..cut.from.max(done)], receive);
                    done = done.max(cut.from);
                    receive(Piece::Secret {
                        name: opens.name,
                        tag: opens.tag,
                    });
                }
                self.secret_end = self.secret_end.max(opens.to);
            }
            let (from, to) = (cut.from.max(done), cut.to.min(safe));
            if from < to {
                keep(&raw[done..from], receive);
                receive(Piece::Hidden(&raw[from..to]));
                done = to;
            }
            if cut.to > safe {
                self.list.push(Cut {
                    from: safe,
                    to: cut.to,
                    opens: None,
                });
            }
        }
        keep(&raw[done..safe], receive);
    }

    /// Forgets the beginning of the input, which was handed on.
    pub(super) fn forget(&mut self, count: usize) {
        self.secret_end = self.secret_end.saturating_sub(count);
        for cut in &mut self.list {
            cut.from -= count;
            cut.to -= count;
            if let Some(opens) = &mut cut.opens {
                opens.from = opens.from.saturating_sub(count);
                opens.to = opens.to.saturating_sub(count);
            }
        }
        for covered in &mut self.covered {
            covered.from = covered.from.saturating_sub(count);
            covered.to = covered.to.saturating_sub(count);
        }
        let ends = std::mem::take(&mut self.ends).into_iter();
        self.ends = ends.filter_map(|end| end.checked_sub(count)).collect();
    }
}

fn keep(bytes: &[u8], receive: &mut dyn FnMut(Piece<'_>)) {
    if !bytes.is_empty() {
        receive(Piece::Kept(bytes));
    }
}
