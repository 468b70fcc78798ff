//! Text in columns, each as wide as its widest cell.

use std::borrow::Cow;
use std::fmt;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The side of its column that a cell stands at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// For text.
    Left,
    /// For numbers.
    Right,
}

/// Writes a header and rows, a line each, cut to the width where there is one. Cells are safe to
/// show already.
pub(super) fn write<const N: usize>(
    formatter: &mut fmt::Formatter<'_>,
    header: [(&str, Side); N],
    rows: &[[String; N]],
    width: Option<usize>,
) -> fmt::Result {
    for line in lines(header, rows) {
        writeln!(formatter, "{}", fit(line.trim_end(), width))?;
    }
    Ok(())
}

/// How much of the last column has to be seen, where it is so wide.
const LAST_WIDTH: usize = 20;

/// The same for a narrow terminal: columns give way, in the order of `less_telling`, until the last one can
/// be read.
pub(super) fn write_telling<const N: usize>(
    formatter: &mut fmt::Formatter<'_>,
    header: [(&str, Side); N],
    rows: &[[String; N]],
    width: Option<usize>,
    less_telling: &[usize],
) -> fmt::Result {
    let mut columns = Columns::new(header.map(|(_, side)| side));
    let names = header.map(|(name, _)| name.to_owned());
    columns.widen(&names);
    rows.iter().for_each(|row| columns.widen(row));
    columns.give_way(width, less_telling);
    for row in std::iter::once(&names).chain(rows) {
        writeln!(formatter, "{}", fit(columns.line(row).trim_end(), width))?;
    }
    Ok(())
}

/// Whether a table is too wide for its last column to be read.
pub(super) fn is_too_wide<const N: usize>(
    header: [(&str, Side); N],
    rows: &[[String; N]],
    width: Option<usize>,
) -> bool {
    let mut columns = Columns::new(header.map(|(_, side)| side));
    columns.widen(&header.map(|(name, _)| name.to_owned()));
    rows.iter().for_each(|row| columns.widen(row));
    width.is_some_and(|width| columns.least_width() > width)
}

/// A header and rows as lines that are all of the same width, with two blanks at the end.
pub(super) fn lines<const N: usize>(
    header: [(&str, Side); N],
    rows: &[[String; N]],
) -> Vec<String> {
    let mut columns = Columns::new(header.map(|(_, side)| side));
    let names = header.map(|(name, _)| name.to_owned());
    columns.widen(&names);
    rows.iter().for_each(|row| columns.widen(row));
    let all = std::iter::once(&names).chain(rows);
    all.map(|row| columns.line(row)).collect()
}

/// How wide the columns of a table are.
#[derive(Debug)]
pub(super) struct Columns<const N: usize> {
    sides: [Side; N],
    widths: [usize; N],
    /// The most of a column that is shown.
    most: [usize; N],
    is_hidden: [bool; N],
}

impl<const N: usize> Columns<N> {
    /// Columns without any width yet.
    pub(super) fn new(sides: [Side; N]) -> Self {
        Self {
            sides,
            widths: [0; N],
            most: [usize::MAX; N],
            is_hidden: [false; N],
        }
    }

    /// Makes them wide enough for a row.
    pub(super) fn widen(&mut self, row: &[String; N]) {
        for ((width, cell), most) in self.widths.iter_mut().zip(row).zip(self.most) {
            *width = (*width).max(cell.width().min(most));
        }
    }

    /// Shows no more than so much of a column, if the lines don't fit the width.
    pub(super) fn cap(&mut self, width: Option<usize>, column: usize, most: usize) {
        if width.is_some_and(|width| self.least_width() > width) {
            self.most[column] = most;
            self.widths[column] = self.widths[column].min(most);
        }
    }

    /// Hides columns, in the order of `less_telling`, until the last one can be read.
    pub(super) fn give_way(&mut self, width: Option<usize>, less_telling: &[usize]) {
        for hidden in less_telling {
            if width.is_none_or(|width| self.least_width() <= width) {
                break;
            }
            self.is_hidden[*hidden] = true;
        }
    }

    /// The columns that a line takes, of which the last column may lose all but its beginning.
    fn least_width(&self) -> usize {
        let shown = self.widths.iter().zip(self.is_hidden);
        let mut shown = shown
            .filter(|(_, is_hidden)| !is_hidden)
            .map(|(width, _)| *width);
        let last = shown.next_back().unwrap_or_default().min(LAST_WIDTH);
        shown.map(|width| width + 2).sum::<usize>() + last
    }

    /// A row that they are wide enough for as a line, with two blanks at the end.
    pub(super) fn line(&self, row: &[String; N]) -> String {
        let mut line = String::new();
        let columns = row.iter().zip(self.sides).zip(self.widths);
        let kept = self.most.into_iter().zip(self.is_hidden);
        for (((cell, side), width), (most, is_hidden)) in columns.zip(kept) {
            if is_hidden {
                continue;
            }
            let cell = match most {
                usize::MAX => Cow::Borrowed(&**cell),
                most => fit(cell, Some(most)),
            };
            let padding = std::iter::repeat_n(' ', width.saturating_sub(cell.width()));
            match side {
                Side::Left => {
                    line.push_str(&cell);
                    line.extend(padding);
                }
                Side::Right => {
                    line.extend(padding);
                    line.push_str(&cell);
                }
            }
            line.push_str("  ");
        }
        line
    }
}

/// The columns that a text takes on a terminal.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// Cuts a line to a width, and shows that it did.
pub(super) fn fit(line: &str, width: Option<usize>) -> Cow<'_, str> {
    let Some(width) = width.filter(|width| line.width() > *width) else {
        return line.into();
    };
    let mut cut = String::new();
    let mut used = 0;
    for character in line.chars() {
        let columns = character.width().unwrap_or(0);
        if used + columns + 1 > width {
            break;
        }
        cut.push(character);
        used += columns;
    }
    cut.push('…');
    cut.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Example(Option<usize>);

    impl fmt::Display for Example {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            let header = [
                ("NAME", Side::Left),
                ("COUNT", Side::Right),
                ("", Side::Left),
            ];
            let row = |cells: [&str; 3]| cells.map(str::to_owned);
            let rows = [row(["日本", "7", "x"]), row(["a", "1234567", ""])];
            write(formatter, header, &rows, self.0)
        }
    }

    #[test]
    fn columns_line_up_by_width_and_not_by_bytes() {
        let expected = "\
NAME    COUNT
日本        7  x
a     1234567
";
        assert_eq!(Example(None).to_string(), expected);
    }

    struct Narrow(usize);

    impl fmt::Display for Narrow {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            let header = ["NAME", "AGE", "WHY"].map(|name| (name, Side::Left));
            let row = ["a-long-name", "12m", "because of something or other"];
            let rows = [row.map(str::to_owned)];
            write_telling(formatter, header, &rows, Some(self.0), &[1, 0])
        }
    }

    #[test]
    fn columns_that_tell_less_give_way_to_the_last_one() {
        let table = |width| Narrow(width).to_string();
        assert!(table(38).starts_with("NAME         AGE  WHY\n"));
        assert!(table(37).starts_with("NAME         WHY\n"));
        assert!(table(32).starts_with("WHY\n"));
        for width in 1..60 {
            assert!(table(width).lines().all(|line| line.width() <= width));
        }
    }

    #[test]
    fn a_column_is_capped_only_where_the_lines_do_not_fit() {
        let row = ["a-long-name", "x"].map(str::to_owned);
        let line = |width| {
            let mut columns = Columns::new([Side::Left; 2]);
            columns.widen(&row);
            columns.cap(width, 0, 6);
            columns.line(&row).trim_end().to_owned()
        };
        assert_eq!(line(None), "a-long-name  x");
        assert_eq!(line(Some(14)), "a-long-name  x");
        assert_eq!(line(Some(13)), "a-lon…  x");
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_visibly() {
        assert_eq!(fit("日本語", Some(6)), "日本語");
        assert_eq!(fit("日本語", Some(5)), "日本…");
        assert_eq!(fit("日本語", Some(4)), "日…");
        for line in Example(Some(8)).to_string().lines() {
            assert!(line.width() <= 8, "{line:?}");
        }
    }
}
