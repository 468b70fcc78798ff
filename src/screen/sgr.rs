//! How text looks from here on: the parameters of SGR.

use super::cell::{Attributes, Color, Style};
use super::parser::Sequence;

/// A style as SGR changes it.
pub(super) fn styled(mut style: Style, sequence: &Sequence) -> Style {
    let mut groups = sequence.groups();
    while let Some(group) = groups.next() {
        match group[0] {
            0 => style = Style::default(),
            4 if group.get(1) == Some(&0) => {
                style.attributes.apply(24);
            }
            21 => {
                style.attributes.apply(4);
            }
            number @ 30..=37 => style.foreground = Color::Indexed(low(number - 30)),
            number @ 40..=47 => style.background = Color::Indexed(low(number - 40)),
            number @ 90..=97 => style.foreground = Color::Indexed(low(number - 82)),
            number @ 100..=107 => style.background = Color::Indexed(low(number - 92)),
            39 => style.foreground = Color::Default,
            49 => style.background = Color::Default,
            number @ (38 | 48) => {
                let color = match group.len() {
                    1 => long_color(&mut groups),
                    _ => color_of(&group[1..]),
                };
                if let Some(color) = color {
                    match number {
                        38 => style.foreground = color,
                        _ => style.background = color,
                    }
                }
            }
            number => {
                Attributes::apply(&mut style.attributes, number);
            }
        }
    }
    style
}

fn low(number: u16) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

/// A colour whose parts are parameters of their own: `38;5;N` or `38;2;R;G;B`.
fn long_color<'s>(groups: &mut impl Iterator<Item = &'s [u16]>) -> Option<Color> {
    let mut next = || groups.next().map(|group| group[0]);
    match next()? {
        5 => Some(Color::Indexed(low(next()?))),
        2 => Some(Color::Rgb([low(next()?), low(next()?), low(next()?)])),
        _ => None,
    }
}

/// The same with colons, where a colour space may stand before the three.
fn color_of(parts: &[u16]) -> Option<Color> {
    match parts {
        [5, index, ..] => Some(Color::Indexed(low(*index))),
        [2, _, red, green, blue, ..] | [2, red, green, blue] => {
            Some(Color::Rgb([low(*red), low(*green), low(*blue)]))
        }
        _ => None,
    }
}
