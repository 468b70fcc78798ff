//! The colours that terminals have: which of them a style asks for, and the ones that are the same
//! everywhere.
//!
//! Source: xterm's 256colres: a cube of six steps for each of red, green and blue, and 24 greys.

use crate::transcript::render::{Colour, Mark, Style};

/// The steps of the cube.
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// A colour to paint with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    /// What text has by default.
    Text,
    /// What is behind it by default.
    Ground,
    /// One of the sixteen that each reader chooses.
    Basic(u8),
    /// This one.
    Exact(u8, u8, u8),
}

/// What text of a style is painted with, and what is behind it.
pub(super) fn paints(style: Style) -> (Paint, Paint) {
    let text = paint(style.foreground, Paint::Text);
    let ground = paint(style.background, Paint::Ground);
    match style.has(Mark::Inverse) {
        true => (ground, text),
        false => (text, ground),
    }
}

fn paint(colour: Colour, default: Paint) -> Paint {
    match colour {
        Colour::Default => default,
        Colour::Direct(red, green, blue) => Paint::Exact(red, green, blue),
        Colour::Indexed(basic @ 0..16) => Paint::Basic(basic),
        Colour::Indexed(cube @ 16..232) => {
            let cube = usize::from(cube - 16);
            Paint::Exact(STEPS[cube / 36], STEPS[cube / 6 % 6], STEPS[cube % 6])
        }
        Colour::Indexed(grey @ 232..) => {
            let level = 8 + 10 * (grey - 232);
            Paint::Exact(level, level, level)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_of_the_cube_and_greys_are_xterms() {
        for (index, expected) in [
            (3, Paint::Basic(3)),
            (16, Paint::Exact(0, 0, 0)),
            (21, Paint::Exact(0, 0, 255)),
            (208, Paint::Exact(255, 135, 0)),
            (231, Paint::Exact(255, 255, 255)),
            (232, Paint::Exact(8, 8, 8)),
            (255, Paint::Exact(238, 238, 238)),
        ] {
            assert_eq!(
                paint(Colour::Indexed(index), Paint::Text),
                expected,
                "{index}"
            );
        }
    }
}
