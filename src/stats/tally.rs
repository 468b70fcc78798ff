//! Counts by name, of the most frequent names, in bounded memory.
//!
//! While there are at most `2 × NAMES` names, every count is exact. After that, rare names are
//! dropped as "Frequent" does it (Misra and Gries 1982, "Finding repeated elements"; with the median
//! as in Anderson et al. 2017, "A high-performance algorithm for identifying frequent items in data
//! streams"): each name has a weight, which its sessions raise by one; when the table is full, the
//! median of all weights is taken from each, and names whose weight is used up go. Of `n` sessions
//! no name can lose more than `n / NAMES` that way, so every name that has more is there, and the
//! loss is known ([`Ranking::uncounted_max`]). What is not counted under a name is counted in
//! [`Ranking::other`], so all sums are exact.

use std::collections::HashMap;

use serde::Serialize;

use super::Counts;

/// How many names are kept at least once there are too many.
pub const NAMES: usize = 1000;

/// The longest name that is told from others, in bytes: what follows is cut off.
const NAME_MAX_BYTES: usize = 200;

/// The most frequent names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ranking {
    /// The most frequent first; those that are alike by name.
    pub rows: Vec<Row>,
    /// What is not in the rows.
    pub other: Counts,
    /// So many sessions of a name may be in `other`, not in its row; 0 where all counts are exact.
    pub uncounted_max: u64,
}

/// A name, and its sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The name, as it was given.
    pub name: String,
    /// Its sessions.
    #[serde(flatten)]
    pub counts: Counts,
}

/// Takes sessions in, by name.
#[derive(Default)]
pub(super) struct Tally {
    names: HashMap<String, Entry>,
    total: Counts,
    uncounted_max: u64,
}

struct Entry {
    weight: u64,
    counts: Counts,
}

impl Tally {
    pub(super) fn add(&mut self, name: &str, counts: Counts) {
        let name = cut(name);
        self.total.add(counts);
        if let Some(entry) = self.names.get_mut(name) {
            entry.weight += 1;
            entry.counts.add(counts);
            return;
        }
        let entry = Entry { weight: 1, counts };
        self.names.insert(name.to_owned(), entry);
        if self.names.len() > 2 * NAMES {
            self.drop_rare();
        }
    }

    fn drop_rare(&mut self) {
        let mut weights: Vec<u64> = self.names.values().map(|entry| entry.weight).collect();
        let (_, median, _) = weights.select_nth_unstable(NAMES);
        let median = *median;
        self.uncounted_max += median;
        self.names.retain(|_, entry| {
            entry.weight = entry.weight.saturating_sub(median);
            entry.weight > 0
        });
    }

    /// The most frequent names, at most this many.
    pub(super) fn rank(self, rows: usize) -> Ranking {
        let names = self.names.into_iter();
        let mut all: Vec<Row> = names
            .map(|(name, entry)| Row {
                name,
                counts: entry.counts,
            })
            .collect();
        all.sort_unstable_by(|one, other| {
            let by_count = other.counts.sessions.cmp(&one.counts.sessions);
            by_count.then_with(|| one.name.cmp(&other.name))
        });
        all.truncate(rows);
        let mut named = Counts::default();
        all.iter().for_each(|row| named.add(row.counts));
        Ranking {
            rows: all,
            other: self.total.without(named),
            uncounted_max: self.uncounted_max,
        }
    }
}

/// The part of a name that is told from others; never half a character.
fn cut(name: &str) -> &str {
    if name.len() <= NAME_MAX_BYTES {
        return name;
    }
    let is_boundary = |end: &usize| name.is_char_boundary(*end);
    let end = (0..=NAME_MAX_BYTES).rev().find(is_boundary);
    &name[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const ONE: Counts = Counts {
        sessions: 1,
        failed: 0,
        repeats: 0,
        failed_again: 0,
        duration_ms: 10,
        lost_ms: 0,
        lost_again_ms: 0,
        output_bytes: 0,
    };

    fn ranking(names: impl IntoIterator<Item = String>, rows: usize) -> Ranking {
        let mut tally = Tally::default();
        for name in names {
            tally.add(&name, ONE);
            assert!(tally.names.len() <= 2 * NAMES);
        }
        tally.rank(rows)
    }

    fn shown(ranking: &Ranking) -> Vec<(&str, u64)> {
        let rows = ranking.rows.iter();
        rows.map(|row| (row.name.as_str(), row.counts.sessions))
            .collect()
    }

    #[test]
    fn the_most_frequent_come_first_and_the_rest_is_counted() {
        let names = ["b", "c", "a", "c", "b", "d"].map(str::to_owned);
        let ranking = ranking(names, 2);
        assert_eq!(shown(&ranking), [("b", 2), ("c", 2)]);
        assert_eq!((ranking.other.sessions, ranking.other.duration_ms), (2, 20));
        assert_eq!(ranking.uncounted_max, 0);
    }

    #[test]
    fn a_name_is_cut_between_characters() {
        let long = "é".repeat(NAME_MAX_BYTES);
        let ranking = ranking([long.clone(), format!("{long}x")], 9);
        assert_eq!(
            shown(&ranking),
            [("é".repeat(NAME_MAX_BYTES / 2).as_str(), 2)]
        );
    }

    #[test]
    fn frequent_names_survive_any_number_of_rare_ones() {
        let count = 60 * NAMES;
        let names = (0..count).map(|index| match index % 10 {
            0 => "tenth".to_owned(),
            1 if index % 40 == 1 => "fortieth".to_owned(),
            _ => format!("rare {index}"),
        });
        let ranking = ranking(names, 2);
        assert_eq!(ranking.rows[0].name, "tenth");
        assert_eq!(ranking.rows[1].name, "fortieth");
        let uncounted = ranking.uncounted_max;
        assert!(
            (1..=(count / NAMES) as u64).contains(&uncounted),
            "{uncounted}"
        );
        for (row, truly) in ranking.rows.iter().zip([count / 10, count / 40]) {
            let counted = row.counts.sessions;
            assert!(counted <= truly as u64 && counted + uncounted >= truly as u64);
        }
        let rows: u64 = ranking.rows.iter().map(|row| row.counts.sessions).sum();
        assert_eq!(rows + ranking.other.sessions, count as u64);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        /// Any order: names by rank in shuffled streams, many more than fit.
        #[test]
        fn no_name_loses_more_than_is_said(
            seeds in prop::collection::vec(any::<u32>(), 5_000..20_000)
        ) {
            // Half of the names come from a few, half from very many.
            let name = |seed: &u32| match seed % 2 {
                0 => format!("few {}", (seed >> 1) % 20),
                _ => format!("many {}", seed >> 1),
            };
            let names: Vec<String> = seeds.iter().map(name).collect();
            let mut truly: BTreeMap<&str, u64> = BTreeMap::new();
            for name in &names {
                *truly.entry(name).or_default() += 1;
            }
            let ranking = ranking(names.iter().cloned(), usize::MAX);
            prop_assert!(ranking.uncounted_max <= (names.len() / NAMES) as u64);
            let counted: BTreeMap<&str, u64> = shown(&ranking).into_iter().collect();
            for (name, truly) in truly {
                let counted = counted.get(name).copied().unwrap_or(0);
                prop_assert!(counted <= truly && counted + ranking.uncounted_max >= truly);
            }
            let rows: u64 = counted.values().sum();
            prop_assert_eq!(rows + ranking.other.sessions, names.len() as u64);
        }
    }
}
