//! A page about many sessions: when each ran, by agent; what failed, took longest and was run again.
//! Each leads to its own section, which comes after.

use std::collections::BTreeMap;
use std::io::{self, Write};

use chrono::DateTime;

use super::Head;
use super::html::{escape, outcome_class, time_text};
use crate::session::Timestamp;
use crate::view::units;

/// How the page looks beside what all pages have.
pub const STYLE: &str = "\
.sums{display:flex;flex-wrap:wrap;gap:.5rem 2rem;margin:0 0 1rem;padding:0;list-style:none}
.sums b{font-size:1.3rem;display:block}
.lane{margin:.5rem 0}
.lane .track{position:relative;height:1.25rem;background:var(--panel);border:1px solid var(--line);border-radius:4px;overflow:hidden}
.lane a{position:absolute;top:2px;bottom:2px;min-width:4px;border-radius:2px;background:var(--c3)}
.lane a.good{background:var(--c2)}.lane a.bad{background:var(--c1)}
.lane a:focus,.lane a:hover{outline:2px solid var(--text)}
.axis{display:flex;justify-content:space-between;gap:1rem;color:var(--dim);font-size:.8125rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}
td,th{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid var(--line)}
td:first-child{overflow-wrap:anywhere;width:60%}
td.number,th.number{text-align:right}
td.number,td.wide{white-space:nowrap}
h2+table,h2+.lanes{margin-top:.5rem}
.more{color:var(--dim);font-size:.875rem}
section{scroll-margin-top:1rem}
section h2{border-top:1px solid var(--line);padding-top:1rem}
@media (max-width:40rem){td:first-child{width:auto}td.wide,th.wide{display:none}}
";

/// Rows of a table.
const ROWS: usize = 15;

/// Writes everything before the sections of the sessions, which are given newest first.
///
/// # Errors
/// When it can't be written.
pub fn overview(out: &mut dyn Write, title: &str, heads: &[Head]) -> io::Result<()> {
    writeln!(out, "<h1>{}</h1>", escape(title))?;
    sums(out, heads)?;
    timeline(out, heads)?;
    let failed: Vec<&Head> = heads.iter().filter(|head| head.has_failed).collect();
    table(out, "Failures", &failed)?;
    let mut slowest: Vec<&Head> = heads
        .iter()
        .filter(|head| head.duration_ms.is_some())
        .collect();
    slowest.sort_by_key(|head| std::cmp::Reverse(head.duration_ms));
    slowest.truncate(ROWS);
    table(out, "Slowest", &slowest)?;
    repeats(out, heads)
}

fn sums(out: &mut dyn Write, heads: &[Head]) -> io::Result<()> {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let failed = heads.iter().filter(|head| head.has_failed).count();
    let open = heads.iter().filter(|head| head.exit_code.is_none()).count();
    let agents: BTreeMap<&str, ()> = heads.iter().map(|head| (head.agent.as_str(), ())).collect();
    let took: u64 = heads
        .iter()
        .filter_map(|head| head.duration_ms)
        .fold(0, u64::saturating_add);
    writeln!(out, "<ul class=\"sums\">")?;
    for (value, name) in [
        (count(heads.len()).to_string(), "sessions"),
        (count(failed).to_string(), "failed"),
        (count(open).to_string(), "without an exit code"),
        (count(agents.len()).to_string(), "agents"),
        (units::duration(took), "in all"),
    ] {
        writeln!(out, "<li><b>{value}</b> {name}</li>")?;
    }
    writeln!(out, "</ul>")
}

/// Milliseconds since 1970 at which a session began and ended.
fn span(head: &Head) -> (i64, i64) {
    let began = head.began.0.timestamp_millis();
    let took = i64::try_from(head.duration_ms.unwrap_or(0)).unwrap_or(0);
    (began, began.saturating_add(took))
}

fn timeline(out: &mut dyn Write, heads: &[Head]) -> io::Result<()> {
    let Some(first) = heads.iter().map(|head| span(head).0).min() else {
        return Ok(());
    };
    let last = heads.iter().map(|head| span(head).1).max().unwrap_or(first);
    let length = last.saturating_sub(first).max(1);
    let mut lanes: BTreeMap<&str, Vec<&Head>> = BTreeMap::new();
    for head in heads {
        lanes.entry(&head.agent).or_default().push(head);
    }
    writeln!(out, "<h2>Timeline</h2>\n<div class=\"lanes\">")?;
    for (agent, sessions) in &lanes {
        writeln!(
            out,
            "<div class=\"lane\"><code>{}</code> <span class=\"more\">{}</span><div class=\"track\">",
            escape(agent),
            units::count(sessions.len() as u64, "session"),
        )?;
        // The oldest first, as one reads.
        for head in sessions.iter().rev() {
            let (began, ended) = span(head);
            let label = format!("{}: {}", head.command, head.outcome);
            writeln!(
                out,
                "<a class=\"{}\" href=\"#{}\" title=\"{label}\" aria-label=\"{label}\" \
                 style=\"left:{}%;width:{}%\"></a>",
                outcome_class(head),
                escape(&head.title),
                percent(began.saturating_sub(first), length),
                percent(ended.saturating_sub(began), length),
                label = escape(&label),
            )?;
        }
        writeln!(out, "</div></div>")?;
    }
    let time = |millis: i64| {
        let time = DateTime::from_timestamp_millis(millis);
        time.map(|time| time_text(Timestamp(time)))
            .unwrap_or_default()
    };
    writeln!(
        out,
        "<div class=\"axis\"><span>{}</span><span>{}</span></div>\n</div>",
        time(first),
        time(last),
    )
}

/// A share in hundredths of a percent, as CSS has it.
fn percent(part: i64, whole: i64) -> String {
    let share = i128::from(part.max(0)) * 10_000 / i128::from(whole.max(1));
    let share = share.min(9_980);
    format!("{}.{:02}", share / 100, share % 100)
}

fn table(out: &mut dyn Write, name: &str, heads: &[&Head]) -> io::Result<()> {
    writeln!(out, "<h2>{name}</h2>")?;
    if heads.is_empty() {
        return writeln!(out, "<p class=\"more\">none</p>");
    }
    writeln!(
        out,
        "<table><tr><th>command</th><th>outcome</th><th class=\"number\">took</th>\
         <th class=\"wide\">agent</th><th class=\"wide\">began</th></tr>"
    )?;
    for head in heads.iter().take(ROWS) {
        writeln!(
            out,
            "<tr><td><a href=\"#{}\"><code>{}</code></a></td><td class=\"{}\">{}</td>\
             <td class=\"number\">{}</td><td class=\"wide\">{}</td><td class=\"wide\">{}</td></tr>",
            escape(&head.title),
            escape(&head.command),
            outcome_class(head),
            escape(&head.outcome),
            head.duration_ms.map(units::duration).unwrap_or_default(),
            escape(&head.agent),
            time_text(head.began),
        )?;
    }
    writeln!(out, "</table>")?;
    match heads.len().saturating_sub(ROWS) {
        0 => Ok(()),
        more => writeln!(out, "<p class=\"more\">and {more} more</p>"),
    }
}

/// What was run more than once.
fn repeats(out: &mut dyn Write, heads: &[Head]) -> io::Result<()> {
    let mut runs: BTreeMap<&str, Vec<&Head>> = BTreeMap::new();
    for head in heads {
        runs.entry(&head.command).or_default().push(head);
    }
    let mut runs: Vec<(&str, Vec<&Head>)> = runs
        .into_iter()
        .filter(|(_, runs)| runs.len() > 1)
        .collect();
    runs.sort_by_key(|(_, runs)| std::cmp::Reverse(runs.len()));
    writeln!(out, "<h2>Repeats</h2>")?;
    if runs.is_empty() {
        return writeln!(out, "<p class=\"more\">none</p>");
    }
    writeln!(
        out,
        "<table><tr><th>command</th><th class=\"number\">runs</th><th class=\"number\">failed</th>\
         <th class=\"number\">in all</th></tr>"
    )?;
    for (command, runs) in runs.iter().take(ROWS) {
        let failed = runs.iter().filter(|head| head.has_failed).count();
        let took: u64 = runs
            .iter()
            .filter_map(|head| head.duration_ms)
            .fold(0, u64::saturating_add);
        writeln!(
            out,
            "<tr><td><a href=\"#{}\"><code>{}</code></a></td><td class=\"number\">{}</td>\
             <td class=\"number\">{failed}</td><td class=\"number\">{}</td></tr>",
            runs.first()
                .map(|head| escape(&head.title))
                .unwrap_or_default(),
            escape(command),
            runs.len(),
            units::duration(took),
        )?;
    }
    writeln!(out, "</table>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::head;

    fn page(heads: &[Head]) -> String {
        let mut out = Vec::new();
        overview(&mut out, "a <store>", heads).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn session(title: &str, change: impl FnOnce(&mut Head)) -> Head {
        let mut head = head();
        head.title = title.to_owned();
        change(&mut head);
        head
    }

    #[test]
    fn every_table_has_what_belongs_there() {
        let heads = [
            session("c", |head| {
                head.began = "1970-01-01T00:00:10.000Z".parse().unwrap();
                head.duration_ms = Some(0);
                head.has_failed = false;
            }),
            session("b", |head| {
                head.began = "1970-01-01T00:00:05.000Z".parse().unwrap();
                head.command = "make <all>".to_owned();
                head.agent = "other".to_owned();
            }),
            session("a", |head| head.duration_ms = Some(2500)),
        ];
        let page = page(&heads);
        assert!(page.contains("<h1>a &lt;store&gt;</h1>"));
        assert!(
            page.contains("<b>3</b> sessions") && page.contains("<b>2</b> failed"),
            "{page}"
        );
        let part = |name: &str| {
            let (_, rest) = page.split_once(&format!("<h2>{name}</h2>")).unwrap();
            rest.split("<h2>").next().unwrap().to_owned()
        };
        let order = |text: &str| -> String {
            text.split("href=\"#")
                .skip(1)
                .filter_map(|rest| rest.chars().next())
                .collect()
        };
        assert_eq!(order(&part("Timeline")), "acb");
        assert!(
            part("Timeline").contains("style=\"left:50.00%;width:15.00%\""),
            "{page}"
        );
        assert_eq!(order(&part("Failures")), "ba");
        assert_eq!(order(&part("Slowest")), "abc");
        assert_eq!(order(&part("Repeats")), "c");
        assert!(part("Repeats").contains("<td class=\"number\">2</td><td class=\"number\">1</td>"));
    }

    #[test]
    fn a_page_about_nothing_is_one() {
        let page = page(&[]);
        assert!(
            page.contains("<b>0</b> sessions") && !page.contains("Timeline"),
            "{page}"
        );
    }

    #[test]
    fn no_share_leaves_the_track() {
        for (part, whole, expected) in [
            (0, 10, "0.00"),
            (10, 10, "99.80"),
            (-5, 10, "0.00"),
            (1, 0, "99.80"),
        ] {
            assert_eq!(percent(part, whole), expected);
        }
        assert_eq!(percent(i64::MAX, 1), "99.80");
    }
}
