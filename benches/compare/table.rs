//! Medians, targets and Markdown.

use std::time::Duration;

/// The middle and the ends of some figures.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    /// Half are below.
    pub(crate) median: f64,
    /// The smallest.
    pub(crate) min: f64,
    /// The largest.
    pub(crate) max: f64,
}

/// The spread of some figures; of none it is not a number.
pub(crate) fn spread(figures: impl IntoIterator<Item = f64>) -> Spread {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    let at = |index: usize| figures.get(index).copied().unwrap_or(f64::NAN);
    let middle = figures.len() / 2;
    let median = if figures.len().is_multiple_of(2) {
        (at(middle.wrapping_sub(1)) + at(middle)) / 2.0
    } else {
        at(middle)
    };
    Spread {
        median,
        min: at(0),
        max: at(figures.len().wrapping_sub(1)),
    }
}

/// Milliseconds.
pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A limit of docs/performance.md.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

impl Target {
    /// The limit, and whether `figure` keeps it.
    pub(crate) fn check(self, figure: f64) -> String {
        let (sign, limit, met) = match self {
            Self::AtMost(limit) => ('≤', limit, figure <= limit),
            Self::AtLeast(limit) => ('≥', limit, figure >= limit),
        };
        let verdict = if met { "met" } else { "missed" };
        format!("{sign} {limit}: {verdict}")
    }
}

/// A table in Markdown, its first column to the left and the others to the right.
pub(crate) struct Table(String);

impl Table {
    /// A table with these heads.
    pub(crate) fn new(heads: &[&str]) -> Self {
        let mut table = Self(String::new());
        table.row(heads);
        let rules = heads.iter().enumerate();
        let rules: Vec<&str> = rules
            .map(|(index, _)| if index == 0 { "---" } else { "--:" })
            .collect();
        table.row(&rules);
        table
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: &[impl AsRef<str>]) {
        for cell in cells {
            // A bar would end the cell.
            let text = cell.as_ref().replace('|', "\\|");
            self.0.push_str(&format!("| {text} "));
        }
        self.0.push_str("|\n");
    }

    /// The table's text.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}
