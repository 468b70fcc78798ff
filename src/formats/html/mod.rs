//! HTML: one page without scripts and without anything from elsewhere, readable in light and dark, on a
//! phone and on a desk.
//!
//! Responsible for pages and for one session on a page. Not responsible for which sessions.

mod escape;
mod style;

pub use escape::escape;

use std::collections::VecDeque;
use std::io::{self, Write};

use super::palette::{Paint, paints};
use super::rendering::Rendering;
use super::{Format, Head};
use crate::redact::Redactor;
use crate::session::Timestamp;
use crate::transcript::render::{Mark, Style, runs};
use crate::transcript::timeline::Moment;
use crate::view::units;

/// Writes what a page begins with, up to where its sections come. What `extra` adds to the style comes
/// last in it.
///
/// # Errors
/// When it can't be written.
pub fn page_start(out: &mut dyn Write, title: &str, extra: &str) -> io::Result<()> {
    writeln!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{}</title>\n<style>\n{}{extra}</style>\n</head>\n<body>\n<main>",
        escape(title),
        style::sheet(),
    )
}

/// Writes links to the sessions on a page.
///
/// # Errors
/// When it can't be written.
pub fn contents(out: &mut dyn Write, heads: &[Head]) -> io::Result<()> {
    writeln!(out, "<nav><ol>")?;
    for head in heads {
        writeln!(
            out,
            "<li><a href=\"#{}\"><code>{}</code></a> <span class=\"{}\">{}</span></li>",
            escape(&head.title),
            escape(&head.command),
            outcome_class(head),
            escape(&head.outcome),
        )?;
    }
    writeln!(out, "</ol></nav>")
}

/// Writes what a page ends with.
///
/// # Errors
/// When it can't be written.
pub fn page_end(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "</main>\n</body>\n</html>")?;
    out.flush()
}

/// A time as it is read at a glance, in UTC.
pub(super) fn time_text(time: Timestamp) -> String {
    time.0.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// The class of how a session ended.
pub(super) fn outcome_class(head: &Head) -> &'static str {
    match head.exit_code {
        Some(0) => "good",
        Some(_) => "bad",
        None => "open",
    }
}

/// Writes a section about a session whose output can't be shown, and why.
///
/// # Errors
/// When it can't be written.
pub fn absent(out: &mut dyn Write, head: &Head, why: &str) -> io::Result<()> {
    section_start(out, head)?;
    writeln!(out, "<p class=\"facts\">{}</p>\n</section>", escape(why))
}

fn section_start(out: &mut dyn Write, head: &Head) -> io::Result<()> {
    writeln!(
        out,
        "<section id=\"{}\">\n<h2><code>{}</code></h2>\n<p class=\"facts\">\
         <span class=\"{}\">{}</span>",
        escape(&head.title),
        escape(&head.command),
        outcome_class(head),
        escape(&head.outcome),
    )?;
    let mut facts = Vec::new();
    facts.extend(head.duration_ms.map(units::duration));
    facts.push(head.agent.clone());
    facts.push(time_text(head.began));
    facts.extend(head.directory.clone());
    facts.push(head.title.clone());
    for fact in facts {
        writeln!(out, "<span>{}</span>", escape(&fact))?;
    }
    writeln!(out, "</p>")
}

/// Writes a session as a section of a page.
pub struct Html<'r, W> {
    head: Head,
    rendering: Rendering<'r>,
    lines: Lines,
    out: W,
}

/// The most of the last lines that is kept, together and of one.
const KEPT_BYTES: usize = 256 * 1024;
const LINE_BYTES: usize = 32 * 1024;

/// Which lines are shown.
#[derive(Debug)]
enum Lines {
    All,
    /// At most so many, the last.
    Last {
        most: usize,
        kept: VecDeque<String>,
        kept_bytes: usize,
        left_out: u64,
    },
}

/// The beginning of a line, of which no colour is cut.
fn beginning(line: &str) -> &str {
    let end = (0..=LINE_BYTES).rev().find(|at| line.is_char_boundary(*at));
    let beginning = line.get(..end.unwrap_or(0)).unwrap_or_default();
    match beginning.rfind('\u{1b}') {
        Some(escape) if !beginning[escape..].contains('m') => &beginning[..escape],
        _ => beginning,
    }
}

impl Lines {
    /// Writes a line, or keeps it until it is known to be one of the last.
    fn take(&mut self, out: &mut impl Write, line: &str) -> io::Result<()> {
        let Self::Last {
            most,
            kept,
            kept_bytes,
            left_out,
        } = self
        else {
            return write_line(out, line);
        };
        let line = match line.len() {
            0..=LINE_BYTES => line.to_owned(),
            _ => {
                let shown = beginning(line);
                let rest = units::size((line.len() - shown.len()) as u64);
                format!("{shown}\u{1b}[m … {rest} more")
            }
        };
        *kept_bytes += line.len();
        kept.push_back(line);
        while kept.len() > *most || *kept_bytes > KEPT_BYTES {
            *kept_bytes -= kept.pop_front().map_or(0, |line| line.len());
            *left_out += 1;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut impl Write) -> io::Result<()> {
        let Self::Last { kept, left_out, .. } = self else {
            return Ok(());
        };
        if *left_out > 0 {
            let lines = units::count(*left_out, "line");
            writeln!(out, "<i>{lines} before these are left out</i>")?;
        }
        kept.iter().try_for_each(|line| write_line(out, line))
    }
}

impl<'r, W: Write> Html<'r, W> {
    /// Will write to `out`. What the redactor finds in lines is masked.
    pub fn new(head: Head, redactor: Option<&'r Redactor>, out: W) -> Self {
        Self {
            rendering: Rendering::coloured(&head, redactor),
            head,
            lines: Lines::All,
            out,
        }
    }

    /// The same, with the last lines only, at most so many.
    #[must_use]
    pub fn last_lines(mut self, most: usize) -> Self {
        self.lines = Lines::Last {
            most,
            kept: VecDeque::new(),
            kept_bytes: 0,
            left_out: 0,
        };
        self
    }
}

fn write_line(out: &mut impl Write, line: &str) -> io::Result<()> {
    for (style, text) in runs(line) {
        write_run(out, style, text)?;
    }
    out.write_all(b"\n")
}

fn write_run(out: &mut impl Write, style: Style, text: &str) -> io::Result<()> {
    let text = escape(text);
    if style == Style::default() {
        return out.write_all(text.as_bytes());
    }
    let (mut classes, mut exact) = (Vec::new(), String::new());
    let (front, ground) = paints(style);
    for (paint, letter, property) in [(front, 'f', "color"), (ground, 'g', "background")] {
        match paint {
            Paint::Text if letter == 'f' => {}
            Paint::Ground if letter == 'g' => {}
            Paint::Text | Paint::Ground => classes.push(format!("{letter}x")),
            Paint::Basic(index) => classes.push(format!("{letter}{index}")),
            Paint::Exact(red, green, blue) => {
                exact += &format!("{property}:#{red:02x}{green:02x}{blue:02x};");
            }
        }
    }
    for (mark, class) in [
        (Mark::Bold, "w"),
        (Mark::Faint, "d"),
        (Mark::Italic, "i"),
        (Mark::Underlined, "u"),
        (Mark::Struck, "s"),
    ] {
        if style.has(mark) {
            classes.push(class.to_owned());
        }
    }
    out.write_all(b"<span")?;
    if !classes.is_empty() {
        write!(out, " class=\"{}\"", classes.join(" "))?;
    }
    if !exact.is_empty() {
        write!(out, " style=\"{exact}\"")?;
    }
    write!(out, ">{text}</span>")
}

impl<W: Write> Format for Html<'_, W> {
    fn masked(&self) -> usize {
        self.rendering.masked()
    }

    fn begin(&mut self) -> io::Result<()> {
        section_start(&mut self.out, &self.head)?;
        // A line feed right after the tag is not shown, so the first line may be empty.
        self.out.write_all(b"<pre tabindex=\"0\">\n")
    }

    fn moment(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        let (out, lines) = (&mut self.out, &mut self.lines);
        self.rendering
            .moment(moment, &mut |line| lines.take(out, line))
    }

    fn end(&mut self) -> io::Result<()> {
        let (out, lines) = (&mut self.out, &mut self.lines);
        self.rendering.end(&mut |line| lines.take(out, line))?;
        self.lines.end(&mut self.out)?;
        writeln!(self.out, "</pre>\n</section>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::{head, write};
    use crate::session::Stream;

    fn pre(output: &[u8]) -> String {
        let mut out = Vec::new();
        write(
            &mut Html::new(head(), None, &mut out),
            &[(Stream::Stdout, output)],
        );
        let html = String::from_utf8(out).unwrap();
        let (_, pre) = html.split_once("<pre tabindex=\"0\">\n").unwrap();
        pre.split_once("</pre>").unwrap().0.to_owned()
    }

    #[test]
    fn colours_are_classes_and_text_is_only_text() {
        for (output, expected) in [
            (
                &b"a <b> & \"c\" 'd'\r\n"[..],
                "a &lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;\n",
            ),
            (
                b"\x1b[1;31mred\x1b[0m x",
                "<span class=\"f1 w\">red</span> x\n",
            ),
            (
                b"\x1b[38;5;208mx\x1b[48;2;1;2;3my",
                "<span style=\"color:#ff8700;\">x</span>\
                 <span style=\"color:#ff8700;background:#010203;\">y</span>\n",
            ),
            (
                b"\x1b[7mx\x1b[27;97my",
                "<span class=\"fx gx\">x</span><span class=\"f15\">y</span>\n",
            ),
            (
                b"\x1b[41m\x1b[Kx\x1b[m",
                &format!("<span class=\"g1\">x{}</span>\n", " ".repeat(79)),
            ),
            (b"\x1b[31mab\r\x1b[0mc", "c<span class=\"f1\">b</span>\n"),
            (b"\x1b]0;</pre><script>\x07x", "x\n"),
            (
                b"</pre><script>alert(1)</script>",
                "&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;\n",
            ),
            (
                "a\u{202e}b\u{ffff}".as_bytes(),
                "a&lt;U+202E&gt;b&lt;U+FFFF&gt;\n",
            ),
        ] {
            assert_eq!(pre(output), expected, "{}", output.escape_ascii());
        }
    }

    #[test]
    fn of_a_long_output_the_last_lines_are_shown() {
        let mut out = Vec::new();
        let mut html = Html::new(head(), None, &mut out).last_lines(2);
        write(&mut html, &[(Stream::Stdout, b"1\r\n2\r\n3\r\n4\r\n")]);
        let html = String::from_utf8(out).unwrap();
        let expected =
            "<pre tabindex=\"0\">\n<i>2 lines before these are left out</i>\n3\n4\n</pre>";
        assert!(html.contains(expected), "{html}");
    }

    #[test]
    fn of_long_lines_little_is_kept() {
        let long = "\u{1b}[31m".to_owned() + &"x".repeat(3 * LINE_BYTES) + "\r\n";
        let mut out = Vec::new();
        let mut html = Html::new(head(), None, &mut out).last_lines(200);
        write(&mut html, &[(Stream::Stdout, long.repeat(40).as_bytes())]);
        let html = String::from_utf8(out).unwrap();
        assert!(html.len() < KEPT_BYTES + 4096, "{}", html.len());
        assert!(html.contains(" more\n") && html.contains(" lines before these"));
    }

    #[test]
    fn a_command_line_is_only_text_too() {
        let mut head = head();
        head.command = "echo '</title><script>'".to_owned();
        let mut out = Vec::new();
        page_start(&mut out, &head.command, "").unwrap();
        contents(&mut out, std::slice::from_ref(&head)).unwrap();
        write(&mut Html::new(head, None, &mut out), &[]);
        page_end(&mut out).unwrap();
        let html = String::from_utf8(out).unwrap();
        assert!(!html.contains("<script"), "{html}");
        assert_eq!(html.matches("&lt;/title&gt;&lt;script&gt;").count(), 3);
    }
}
