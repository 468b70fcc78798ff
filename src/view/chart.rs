//! Numbers as bars and sparklines, in block characters that take one column each.

use super::paint::{Meaning, Palette};

/// The eight heights of a sparkline, from the lowest.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A bar for an amount, of which a part stands out, where `most` would be `columns` wide.
///
/// Whatever is more than nothing is seen: an amount takes a column at least, and so does a part of
/// it and what is not part of it, if the bar has two. Without colour the part is shaded.
#[must_use]
pub fn bar(amount: u64, part: u64, most: u64, columns: usize, colour: Palette) -> String {
    let length = scaled(amount, most, columns);
    let part_length = match part.min(amount) {
        part if part == amount => length,
        part => scaled(part, amount, length).min(length.saturating_sub(1)),
    };
    let part = match colour {
        Palette::Coloured => "█".repeat(part_length),
        Palette::Plain => "▒".repeat(part_length),
    };
    let part = colour.paint(Meaning::Failure, &part);
    format!("{part}{}", "█".repeat(length - part_length))
}

/// How many of the columns an amount takes: rounded, but none for nothing only.
fn scaled(amount: u64, most: u64, columns: usize) -> usize {
    if amount == 0 || columns == 0 {
        return 0;
    }
    let columns = columns as u128;
    let (amount, most) = (u128::from(amount), u128::from(most.max(amount)));
    let length = (amount * columns * 2 + most) / (most * 2);
    // It is at most `columns`, which is a usize.
    usize::try_from(length.clamp(1, columns)).unwrap_or(usize::MAX)
}

/// A column for each value, as high as it is. Nothing is blank, and whatever is more is seen.
#[must_use]
pub fn sparkline(values: &[u64]) -> String {
    let most = values.iter().copied().max().unwrap_or(0);
    let height = |value: &u64| match scaled(*value, most, HEIGHTS.len()) {
        0 => ' ',
        height => HEIGHTS[height - 1],
    };
    values.iter().map(height).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share() {
        for (amount, part, expected) in [
            (0, 0, ""),
            (1, 0, "█"),
            (50, 0, "█████"),
            (100, 0, "██████████"),
            (100, 1, "▒█████████"),
            (100, 50, "▒▒▒▒▒█████"),
            (100, 99, "▒▒▒▒▒▒▒▒▒█"),
            (100, 100, "▒▒▒▒▒▒▒▒▒▒"),
            (1, 1, "▒"),
            (15, 1, "▒█"),
            (9, 1, "█"),
            (900, 0, "██████████"),
        ] {
            assert_eq!(
                bar(amount, part, 100, 10, Palette::Plain),
                expected,
                "{amount} {part}"
            );
        }
    }

    #[test]
    fn a_part_is_red_where_there_are_colours() {
        assert_eq!(
            bar(2, 1, 2, 4, Palette::Coloured),
            "\u{1b}[31m██\u{1b}[0m██"
        );
        assert_eq!(bar(2, 0, 2, 4, Palette::Coloured), "████");
    }

    #[test]
    fn a_sparkline_has_a_column_for_each_value() {
        assert_eq!(sparkline(&[0, 1, 2, 3, 4, 5, 6, 7, 8]), " ▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&[1, 0, 1000]), "▁ █");
        assert_eq!(sparkline(&[u64::MAX, 1]), "█▁");
        assert_eq!(sparkline(&[0, 0]), "  ");
        assert_eq!(sparkline(&[]), "");
    }

    proptest! {
        #[test]
        fn a_bar_never_exceeds_its_columns_and_nothing_vanishes(
            amount: u64, part: u64, most: u64, columns in 0usize..300
        ) {
            let drawn = bar(amount, part, most, columns, Palette::Plain);
            prop_assert!(drawn.width() <= columns);
            prop_assert_eq!(drawn.is_empty(), amount == 0 || columns == 0);
            if drawn.width() >= 2 {
                prop_assert_eq!(drawn.contains('▒'), part > 0);
                prop_assert_eq!(drawn.contains('█'), part < amount);
            }
            let plain = drawn.replace('▒', "█");
            let coloured = bar(amount, part, most, columns, Palette::Coloured);
            prop_assert_eq!(coloured.replace("\u{1b}[31m", "").replace("\u{1b}[0m", ""), plain);
        }

        #[test]
        fn more_is_never_shorter(one: u64, other: u64, most: u64, columns in 0usize..300) {
            let (less, more) = (one.min(other), one.max(other));
            let most = most.max(more);
            let width = |amount| bar(amount, 0, most, columns, Palette::Plain).width();
            prop_assert!(width(less) <= width(more));
        }

        #[test]
        fn a_sparkline_keeps_the_order_of_values(values in prop::collection::vec(any::<u64>(), 0..40)) {
            let line: Vec<char> = sparkline(&values).chars().collect();
            prop_assert_eq!(line.len(), values.len());
            let rank = |drawn: char| HEIGHTS.iter().position(|height| *height == drawn);
            for (one, drawn) in values.iter().zip(&line) {
                for (other, other_drawn) in values.iter().zip(&line) {
                    prop_assert!(one > other || rank(*drawn) <= rank(*other_drawn));
                }
            }
        }
    }
}
