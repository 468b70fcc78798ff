//! SVG: a picture of the last lines, as many as the terminal had.
//!
//! Each run of one colour is a text with its length given in cells, so that columns stay in their place
//! whatever font there is.

use std::collections::VecDeque;
use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::html::escape;
use super::palette::{Paint, paints};
use super::rendering::Rendering;
use super::{Format, Head};
use crate::redact::Redactor;
use crate::transcript::render::{Mark, Style, runs};
use crate::transcript::timeline::Moment;
use crate::view::sanitize;

/// A cell's width and height, and the space around the picture, in tenths of a pixel.
const CELL: (usize, usize) = (84, 190);
const PADDING: usize = 120;
/// Where a row's letters stand.
const BASELINE: usize = 140;

/// Most rows and columns of a picture.
const ROWS_MAX: usize = 200;
const COLUMNS_MAX: usize = 400;
/// The least columns of a picture, where the terminal had so many.
const COLUMNS_LEAST: usize = 80;

const TEXT: &str = "#e6edf3";
const GROUND: &str = "#161b22";

/// The sixteen colours of terminals on a dark ground.
const BASIC: [&str; 16] = [
    "#6e7681", "#ff7b72", "#57c76a", "#d9a13b", "#79b8ff", "#c89bff", "#56c8d8", "#c9d1d9",
    "#8b949e", "#ffa198", "#7ee08a", "#f0c566", "#a5d6ff", "#dcbfff", "#86e1ec", "#ffffff",
];

/// Text of one style in a row, and the column it begins in.
type Piece = (usize, Style, String);

/// Draws a picture.
pub struct Svg<'r, W> {
    head: Head,
    rendering: Rendering<'r>,
    rows: Rows,
    out: W,
}

/// The last rows, broken where the terminal broke them.
struct Rows {
    columns: usize,
    most: usize,
    rows: VecDeque<Vec<Piece>>,
}

impl<'r, W: Write> Svg<'r, W> {
    /// Will write to `out`. What the redactor finds in lines is masked.
    pub fn new(head: Head, redactor: Option<&'r Redactor>, out: W) -> Self {
        let columns = usize::from(head.size.columns).clamp(2, COLUMNS_MAX);
        let most = usize::from(head.size.rows).clamp(1, ROWS_MAX);
        Self {
            rendering: Rendering::coloured(&head, redactor),
            rows: Rows {
                columns,
                most,
                rows: VecDeque::new(),
            },
            head,
            out,
        }
    }
}

impl Rows {
    fn push(&mut self, line: &str) {
        let (mut row, mut column) = (Vec::new(), 0);
        for (style, text) in runs(line) {
            let mut piece: Piece = (column, style, String::new());
            for character in sanitize::line(text).chars() {
                let width = character.to_string().width();
                if column + width > self.columns {
                    row.push(piece);
                    self.end(std::mem::take(&mut row));
                    (piece, column) = ((0, style, String::new()), 0);
                }
                piece.2.push(character);
                column += width;
            }
            row.push(piece);
        }
        self.end(row);
    }

    /// The columns that are drawn: all, unless most are empty in each row.
    fn width(&self) -> usize {
        let pieces = self.rows.iter().flatten();
        let used = pieces.map(|(column, _, text)| column + text.width()).max();
        used.unwrap_or_default()
            .max(self.columns.min(COLUMNS_LEAST))
    }

    fn end(&mut self, mut row: Vec<Piece>) {
        row.retain(|(_, _, text)| !text.is_empty());
        self.rows.push_back(row);
        if self.rows.len() > self.most {
            self.rows.pop_front();
        }
    }
}

/// Tenths of a pixel in pixels.
fn pixels(tenths: usize) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn colour(paint: Paint) -> String {
    match paint {
        Paint::Text => TEXT.to_owned(),
        Paint::Ground => GROUND.to_owned(),
        Paint::Basic(index) => BASIC[usize::from(index % 16)].to_owned(),
        Paint::Exact(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
    }
}

fn write_piece(out: &mut impl Write, row: usize, piece: &Piece) -> io::Result<()> {
    let (column, style, text) = piece;
    let x = pixels(PADDING + column * CELL.0);
    let top = PADDING + row * CELL.1;
    let length = pixels(text.width() * CELL.0);
    let (front, ground) = paints(*style);
    if ground != Paint::Ground {
        writeln!(
            out,
            "<rect x=\"{x}\" y=\"{}\" width=\"{length}\" height=\"{}\" fill=\"{}\"/>",
            pixels(top),
            pixels(CELL.1),
            colour(ground),
        )?;
    }
    if text.trim().is_empty() && !style.has(Mark::Underlined) && !style.has(Mark::Struck) {
        return Ok(());
    }
    write!(
        out,
        "<text x=\"{x}\" y=\"{}\" textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\"",
        pixels(top + BASELINE)
    )?;
    if front != Paint::Text {
        write!(out, " fill=\"{}\"", colour(front))?;
    }
    for (mark, attribute) in [
        (Mark::Bold, " font-weight=\"bold\""),
        (Mark::Faint, " opacity=\".65\""),
        (Mark::Italic, " font-style=\"italic\""),
    ] {
        if style.has(mark) {
            out.write_all(attribute.as_bytes())?;
        }
    }
    match (style.has(Mark::Underlined), style.has(Mark::Struck)) {
        (true, true) => write!(out, " text-decoration=\"underline line-through\"")?,
        (true, false) => write!(out, " text-decoration=\"underline\"")?,
        (false, true) => write!(out, " text-decoration=\"line-through\"")?,
        (false, false) => {}
    }
    writeln!(out, ">{}</text>", escape(text))
}

impl<W: Write> Format for Svg<'_, W> {
    fn masked(&self) -> usize {
        self.rendering.masked()
    }

    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn moment(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        let rows = &mut self.rows;
        self.rendering.moment(moment, &mut |line| {
            rows.push(line);
            Ok(())
        })
    }

    fn end(&mut self) -> io::Result<()> {
        let rows = &mut self.rows;
        self.rendering.end(&mut |line| {
            rows.push(line);
            Ok(())
        })?;
        let out = &mut self.out;
        let (title, command) = (escape(&self.head.title), escape(&self.head.command));
        let width = pixels(2 * PADDING + self.rows.width() * CELL.0);
        let height = pixels(2 * PADDING + self.rows.rows.len().max(1) * CELL.1);
        writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" font-size=\"14\" fill=\"{TEXT}\" \
             font-family=\"ui-monospace,'Cascadia Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace\" \
             xml:space=\"preserve\">\n<title>{command} ({title})</title>\n\
             <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{GROUND}\"/>"
        )?;
        for (row, pieces) in self.rows.rows.iter().enumerate() {
            for piece in pieces {
                write_piece(out, row, piece)?;
            }
        }
        writeln!(out, "</svg>")?;
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::{head, write};
    use crate::session::{Size, Stream};

    fn drawn(size: Size, output: &[u8]) -> Vec<String> {
        let mut head = head();
        head.size = size;
        let mut out = Vec::new();
        write(
            &mut Svg::new(head, None, &mut out),
            &[(Stream::Stdout, output)],
        );
        let svg = String::from_utf8(out).unwrap();
        assert!(
            svg.starts_with("<svg ") && svg.ends_with("</svg>\n"),
            "{svg}"
        );
        let pieces = svg
            .lines()
            .filter(|line| line.starts_with("<text") || line.starts_with("<rect x"));
        pieces.map(str::to_owned).collect()
    }

    #[test]
    fn the_last_rows_are_drawn_with_their_colours_in_their_columns() {
        let size = Size {
            columns: 4,
            rows: 2,
        };
        let pieces = drawn(size, b"gone\r\nab\x1b[31;42mc\x1b[0m\r\n\x1b[1m<2345\r\n");
        assert_eq!(
            pieces,
            [
                "<text x=\"12.0\" y=\"26.0\" textLength=\"33.6\" lengthAdjust=\"spacingAndGlyphs\" \
                 font-weight=\"bold\">&lt;234</text>",
                "<text x=\"12.0\" y=\"45.0\" textLength=\"8.4\" lengthAdjust=\"spacingAndGlyphs\" \
                 font-weight=\"bold\">5</text>",
            ]
        );
        let size = Size {
            columns: 9,
            rows: 2,
        };
        assert_eq!(
            drawn(size, "日b\x1b[31;42mc".as_bytes()),
            [
                "<text x=\"12.0\" y=\"26.0\" textLength=\"25.2\" lengthAdjust=\"spacingAndGlyphs\">日b</text>",
                "<rect x=\"37.2\" y=\"12.0\" width=\"8.4\" height=\"19.0\" fill=\"#57c76a\"/>",
                "<text x=\"37.2\" y=\"26.0\" textLength=\"8.4\" lengthAdjust=\"spacingAndGlyphs\" \
                 fill=\"#ff7b72\">c</text>",
            ]
        );
    }

    #[test]
    fn a_picture_of_nothing_is_one() {
        let size = Size {
            columns: 0,
            rows: 0,
        };
        assert_eq!(drawn(size, b""), [""; 0]);
    }
}
