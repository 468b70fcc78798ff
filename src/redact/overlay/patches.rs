//! Which bytes of a recording are secret, in bounded memory.

use std::collections::HashMap;

/// The most patches. A recording that holds more secrets than that has what is between them hidden, too,
/// the narrowest gaps first.
const PATCHES: usize = 1 << 19;
/// The most labels that are told apart.
const LABELS: usize = 1 << 13;
/// Memory of masks for what isn't ASCII; beyond it, such secrets become asterisks too, which moves what
/// stands behind them in their line.
const MASKS_BYTES: usize = 4 << 20;
/// The label of a patch that has none.
const UNLABELLED: u32 = u32::MAX;

/// Bytes that are secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Patch {
    from: u64,
    to: u64,
    /// The number of what stands there, as far as it fits; asterisks after it.
    label: u32,
}

/// All of them, in order and without overlaps.
#[derive(Debug)]
pub(super) struct Patches {
    list: Vec<Patch>,
    labels: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
    /// What stands in the place of secrets that hold more than ASCII, byte for byte; in order.
    masks: Vec<(u64, Box<[u8]>)>,
    masks_bytes: usize,
    /// How many secrets were added.
    named: usize,
    most: usize,
    /// Gaps up to this many bytes are hidden.
    hidden_gap: u64,
}

impl Default for Patches {
    fn default() -> Self {
        Self::of_at_most(PATCHES)
    }
}

impl Patches {
    fn of_at_most(most: usize) -> Self {
        Self {
            list: Vec::new(),
            labels: Vec::new(),
            numbers: HashMap::new(),
            masks: Vec::new(),
            masks_bytes: 0,
            named: 0,
            most,
            hidden_gap: 0,
        }
    }

    /// The number of a label; of the short form of it, where there are too many.
    pub(super) fn label(&mut self, label: &str, short: &str) -> u32 {
        let label = match self.labels.len() < LABELS || self.numbers.contains_key(label) {
            true => label,
            false => short,
        };
        if let Some(number) = self.numbers.get(label) {
            return *number;
        }
        let number = u32::try_from(self.labels.len()).unwrap_or(UNLABELLED);
        self.labels.push(label.into());
        self.numbers.insert(label.into(), number);
        number
    }

    /// How many secrets were added.
    pub(super) fn count(&self) -> usize {
        self.named
    }

    /// Says what stands in the place of bytes that come after all others and are added next.
    pub(super) fn mask(&mut self, from: u64, mask: &[u8]) {
        if self.masks_bytes + mask.len() <= MASKS_BYTES {
            self.masks_bytes += mask.len();
            self.masks.push((from, mask.into()));
        }
    }

    /// Adds bytes that come after all others.
    pub(super) fn add(&mut self, from: u64, to: u64, label: Option<u32>) {
        self.named += usize::from(label.is_some());
        match self.list.last_mut() {
            // A piece ends where a portion does.
            Some(last) if last.to == from && label.is_none() => last.to = to,
            Some(last) if self.hidden_gap > 0 && from - last.to <= self.hidden_gap => last.to = to,
            _ => self.list.push(Patch {
                from,
                to,
                label: label.unwrap_or(UNLABELLED),
            }),
        }
        if self.list.len() > self.most {
            self.join();
        }
    }

    /// Joins patches that are near each other until half of them are left.
    fn join(&mut self) {
        while self.list.len() > self.most / 2 {
            self.hidden_gap = (self.hidden_gap * 2).max(8);
            let gap = self.hidden_gap;
            self.list.dedup_by(|later, earlier| {
                let is_near = later.from - earlier.to <= gap;
                if is_near {
                    earlier.to = later.to;
                }
                is_near
            });
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether any of them has bytes between two places.
    pub(super) fn touches(&self, from: u64, to: u64) -> bool {
        let first = self.list.partition_point(|patch| patch.to <= from);
        self.list.get(first).is_some_and(|patch| patch.from < to)
    }

    /// Overwrites what is secret in bytes that stand at this place.
    pub(super) fn cover(&self, bytes: &mut [u8], place: u64) {
        let end = place + bytes.len() as u64;
        let first = self.list.partition_point(|patch| patch.to <= place);
        for patch in self.list[first..]
            .iter()
            .take_while(|patch| patch.from < end)
        {
            let label = usize::try_from(patch.label).ok();
            let label = label.and_then(|number| self.labels.get(number));
            let label = label.map_or(&b""[..], |label| label.as_bytes());
            let has_room = patch.to - patch.from >= label.len() as u64;
            let (from, to) = (patch.from.max(place), patch.to.min(end));
            for at in from..to {
                // Both differences are lengths of something in memory.
                let (Ok(here), Ok(inside)) = (
                    usize::try_from(at - place),
                    usize::try_from(at - patch.from),
                ) else {
                    return;
                };
                let byte = &mut bytes[here];
                if !matches!(*byte, b'\n' | b'\r' | b'\t') {
                    *byte = match label.get(inside) {
                        Some(letter) if has_room => *letter,
                        _ => b'*',
                    };
                }
            }
        }
        self.cover_with_masks(bytes, place);
    }

    fn cover_with_masks(&self, bytes: &mut [u8], place: u64) {
        let end = place + bytes.len() as u64;
        let end_of = |(from, mask): &(u64, Box<[u8]>)| from + mask.len() as u64;
        let first = self.masks.partition_point(|mask| end_of(mask) <= place);
        for mask in self.masks[first..].iter().take_while(|mask| mask.0 < end) {
            let (from, to) = (mask.0.max(place), end_of(mask).min(end));
            let within = |at: u64, start: u64| usize::try_from(at - start).ok();
            let there = within(from, place).zip(within(to, place));
            let those = within(from, mask.0).zip(within(to, mask.0));
            // All are places in something in memory.
            if let (Some((from, to)), Some((first, last))) = (there, those) {
                bytes[from..to].copy_from_slice(&mask.1[first..last]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn there_are_never_too_many_and_everything_that_was_added_is_covered(
            steps in prop::collection::vec((0_u64..40, 1_u64..9, any::<bool>()), 0..400),
            most in 2_usize..50,
        ) {
            let mut patches = Patches::of_at_most(most);
            let label = patches.label("[REDACTED:x:0000]", "[REDACTED:x]");
            let (mut at, mut secret) = (0, Vec::new());
            for (gap, length, is_labelled) in steps {
                let (from, to) = (at + gap, at + gap + length);
                patches.add(from, to, is_labelled.then_some(label));
                secret.extend(from..to);
                at = to;
                prop_assert!(patches.list.len() <= most);
            }
            let mut bytes = vec![b'.'; usize::try_from(at).unwrap()];
            patches.cover(&mut bytes, 0);
            for place in secret {
                prop_assert!(bytes[usize::try_from(place).unwrap()] != b'.');
                prop_assert!(patches.touches(place, place + 1));
            }
            prop_assert!(patches.list.is_sorted_by(|one, other| one.to <= other.from));
        }
    }

    #[test]
    fn where_there_is_room_for_all_nothing_else_is_covered() {
        let mut patches = Patches::of_at_most(3);
        for from in [2, 6, 10] {
            patches.add(from, from + 2, None);
        }
        let mut bytes = *b"0123456789abcd";
        patches.cover(&mut bytes, 0);
        assert_eq!(&bytes, b"01**45**89**cd");
    }

    #[test]
    fn labels_are_bounded_too() {
        let mut patches = Patches::default();
        for number in 0..LABELS + 100 {
            patches.label(&format!("[REDACTED:x:{number:04x}]"), "[REDACTED:x]");
        }
        assert_eq!(patches.labels.len(), LABELS + 1);
    }
}
