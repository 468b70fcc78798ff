//! Statistics for people: sums, days as sparklines, and tables with bars. And as JSON.

#[cfg(test)]
mod tests;

use std::fmt;

use chrono::NaiveDate;
use serde::Serialize;

use super::chart;
use super::columns::{self, Side, fit};
use super::paint::Palette;
use super::{sanitize, units};
use crate::session::metadata::SCHEMA_VERSION;
use crate::stats::{Counts, Ranking, Stats};

/// The width where there is no terminal.
const DEFAULT_WIDTH: usize = 80;
/// The widest name in a table.
const NAME_WIDTH: usize = 32;
/// The narrowest and the widest bar that are drawn.
const BAR_WIDTHS: std::ops::RangeInclusive<usize> = 8..=40;

/// Statistics for people.
pub struct Overview<'a> {
    /// What to show.
    pub stats: &'a Stats,
    /// The terminal's width in columns; none doesn't cut.
    pub width: Option<usize>,
    /// Whether failures may be red.
    pub palette: Palette,
    /// The checkpoints of this repository, if there are any.
    pub checkpoints: Option<Checkpoints>,
}

/// The checkpoints of a repository.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Checkpoints {
    /// How many sessions have any.
    pub sessions: u64,
    /// What all of them take on the disk, in bytes.
    pub size_bytes: u64,
}

/// Statistics as JSON.
#[derive(Serialize)]
pub struct StatsJson<'a> {
    schema_version: &'static str,
    #[serde(flatten)]
    stats: &'a Stats,
    checkpoints: Option<Checkpoints>,
}

impl<'a> StatsJson<'a> {
    /// Of these.
    #[must_use]
    pub fn of(stats: &'a Stats, checkpoints: Option<Checkpoints>) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            stats,
            checkpoints,
        }
    }
}

impl fmt::Display for Overview<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats = self.stats;
        if stats.total.sessions == 0 {
            return writeln!(formatter, "no sessions");
        }
        self.write_sums(formatter)?;
        self.write_days(formatter)?;
        self.write_ranking(formatter, "AGENT", &stats.agents)?;
        self.write_ranking(formatter, "PROGRAM", &stats.programs)?;
        self.write_ranking(formatter, "OUTCOME", &stats.outcomes)?;
        self.write_repeated(formatter)
    }
}

impl Overview<'_> {
    fn write_line(&self, formatter: &mut fmt::Formatter<'_>, line: &str) -> fmt::Result {
        writeln!(formatter, "{}", fit(line, self.width))
    }

    fn write_sums(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = &self.stats.total;
        let line = format!(
            "{}, {}, {} of output",
            units::count(total.sessions, "session"),
            units::duration(total.duration_ms),
            units::size(total.output_bytes)
        );
        self.write_line(formatter, &line)?;
        let line = format!(
            "{} failed ({}): {} lost ({} of the time)",
            total.failed,
            share(total.failed, total.sessions),
            units::duration(total.lost_ms),
            share(total.lost_ms, total.duration_ms)
        );
        self.write_line(formatter, &line)?;
        let line = format!(
            "{} of what had just failed, {} failed again: {} lost",
            units::count(total.repeats, "repeat"),
            total.failed_again,
            units::duration(total.lost_again_ms)
        );
        self.write_line(formatter, &line)?;
        if let Some(checkpoints) = self.checkpoints {
            let line = format!(
                "checkpoints of {}: {}",
                units::count(checkpoints.sessions, "session"),
                units::size(checkpoints.size_bytes)
            );
            self.write_line(formatter, &line)?;
        }
        Ok(())
    }

    /// All days from the first to the last, those without sessions too; as many together as it takes
    /// to fit.
    fn write_days(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = &self.stats.days;
        let (Some(first), Some(last)) = (days.first(), days.last()) else {
            return Ok(());
        };
        let room = self
            .width
            .unwrap_or(DEFAULT_WIDTH)
            .saturating_sub(36)
            .max(10);
        let distance = |date: NaiveDate| {
            let days = date.signed_duration_since(first.date).num_days();
            usize::try_from(days).unwrap_or(0)
        };
        let span = distance(last.date) + 1;
        let days_each = span.div_ceil(room);
        let columns = span.div_ceil(days_each);
        let mut sessions = vec![0; columns];
        let mut failed = vec![0; columns];
        for day in days {
            let column = distance(day.date) / days_each;
            sessions[column] += day.counts.sessions;
            failed[column] += day.counts.failed;
        }
        let each = match days_each {
            1 => "a day".to_owned(),
            days => format!("in {days} days"),
        };
        writeln!(formatter)?;
        let dates = format!("{} to {}", first.date, last.date);
        self.write_line(formatter, &dates)?;
        for (name, values) in [("sessions", sessions), ("failed", failed)] {
            let most = values.iter().copied().max().unwrap_or(0);
            let drawn = chart::sparkline(&values);
            let line = format!("{name:<8}  {drawn}  at most {most} {each}");
            self.write_line(formatter, &line)?;
        }
        if self.stats.earlier.sessions > 0 {
            let line = format!(
                "{} before that",
                units::count(self.stats.earlier.sessions, "session")
            );
            self.write_line(formatter, &line)?;
        }
        Ok(())
    }

    fn write_ranking(
        &self,
        formatter: &mut fmt::Formatter<'_>,
        title: &str,
        ranking: &Ranking,
    ) -> fmt::Result {
        let named = ranking.rows.iter().map(|row| {
            let name = sanitize::line(&row.name);
            (fit(&name, Some(NAME_WIDTH)).into_owned(), row.counts)
        });
        let other = Some(("(other)".to_owned(), ranking.other));
        let other = other.filter(|(_, counts)| counts.sessions > 0);
        let rows: Vec<(String, Counts)> = named.chain(other).collect();
        let cells: Vec<[String; 6]> = rows
            .iter()
            .map(|(name, counts)| {
                [
                    name.clone(),
                    counts.sessions.to_string(),
                    counts.failed.to_string(),
                    counts.failed_again.to_string(),
                    units::duration(counts.duration_ms),
                    units::duration(counts.lost_ms),
                ]
            })
            .collect();
        let header = [
            (title, Side::Left),
            ("SESSIONS", Side::Right),
            ("FAILED", Side::Right),
            ("AGAIN", Side::Right),
            ("TIME", Side::Right),
            ("LOST", Side::Right),
        ];
        let lines = columns::lines(header, &cells);
        let used = lines.first().map_or(0, |line| columns::width(line));
        let room = self.width.unwrap_or(DEFAULT_WIDTH).saturating_sub(used);
        let most = rows.iter().map(|(_, counts)| counts.sessions).max();
        let mut bars = rows.iter().map(|(_, counts)| {
            let most = most.unwrap_or(0);
            let columns = room.min(*BAR_WIDTHS.end());
            chart::bar(counts.sessions, counts.failed, most, columns, self.palette)
        });
        writeln!(formatter)?;
        for (index, line) in lines.iter().enumerate() {
            if index > 0 && room >= *BAR_WIDTHS.start() {
                writeln!(formatter, "{line}{}", bars.next().unwrap_or_default())?;
            } else {
                self.write_line(formatter, line.trim_end())?;
            }
        }
        self.write_uncounted(formatter, ranking)
    }

    fn write_repeated(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranking = &self.stats.repeated;
        if ranking.rows.is_empty() {
            return Ok(());
        }
        let named = ranking.rows.iter().map(|row| (&*row.name, row.counts));
        let other = Some(("(other)", ranking.other)).filter(|(_, counts)| counts.sessions > 0);
        let cells: Vec<[String; 4]> = named
            .chain(other)
            .map(|(command, counts)| {
                [
                    counts.sessions.to_string(),
                    counts.failed_again.to_string(),
                    units::duration(counts.lost_again_ms),
                    sanitize::line(command).into_owned(),
                ]
            })
            .collect();
        let header = [
            ("REPEATED", Side::Right),
            ("AGAIN", Side::Right),
            ("LOST", Side::Right),
            ("COMMAND", Side::Left),
        ];
        writeln!(formatter)?;
        columns::write(formatter, header, &cells, self.width)?;
        self.write_uncounted(formatter, ranking)
    }

    /// Says how much each row may be too low by.
    fn write_uncounted(
        &self,
        formatter: &mut fmt::Formatter<'_>,
        ranking: &Ranking,
    ) -> fmt::Result {
        match ranking.uncounted_max {
            0 => Ok(()),
            most => {
                let line = format!("up to {most} more of each may be among the others");
                self.write_line(formatter, &line)
            }
        }
    }
}

/// A share in whole per cent, where only nothing is 0 and only all is 100.
fn share(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return "0%".to_owned();
    }
    let (part, whole) = (u128::from(part), u128::from(whole));
    match (part * 200 + whole) / (whole * 2) {
        0 => "<1%".to_owned(),
        100 if part < whole => ">99%".to_owned(),
        rounded => format!("{rounded}%"),
    }
}
