//! One character cell, and how it looks.

use serde::{Deserialize, Serialize};

/// A colour of text or of what is behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "ColorForm", try_from = "ColorForm")]
pub enum Color {
    /// The terminal's own.
    #[default]
    Default,
    /// One of the terminal's 256.
    Indexed(u8),
    /// Red, green and blue.
    Rgb([u8; 3]),
}

/// A colour as JSON has it: nothing, a number, or `#rrggbb`.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ColorForm {
    Default(()),
    Indexed(u8),
    Rgb(String),
}

impl From<Color> for ColorForm {
    fn from(color: Color) -> Self {
        match color {
            Color::Default => Self::Default(()),
            Color::Indexed(index) => Self::Indexed(index),
            Color::Rgb([red, green, blue]) => Self::Rgb(format!("#{red:02x}{green:02x}{blue:02x}")),
        }
    }
}

impl TryFrom<ColorForm> for Color {
    type Error = hex::FromHexError;

    fn try_from(form: ColorForm) -> Result<Self, Self::Error> {
        Ok(match form {
            ColorForm::Default(()) => Self::Default,
            ColorForm::Indexed(index) => Self::Indexed(index),
            ColorForm::Rgb(text) => {
                let mut parts = [0; 3];
                hex::decode_to_slice(text.trim_start_matches('#'), &mut parts)?;
                Self::Rgb(parts)
            }
        })
    }
}

impl Color {
    fn is_default(&self) -> bool {
        *self == Self::Default
    }

    /// The parameters of SGR for it, with what stands before: 3 for text, 4 for what is behind it.
    fn parameters(self, layer: u8) -> String {
        match self {
            Self::Default => String::new(),
            Self::Indexed(index @ 0..=7) => format!(";{layer}{index}"),
            Self::Indexed(index @ 8..=15) => format!(";{}{}", layer + 6, index - 8),
            Self::Indexed(index) => format!(";{layer}8;5;{index}"),
            Self::Rgb([red, green, blue]) => format!(";{layer}8;2;{red};{green};{blue}"),
        }
    }
}

/// What besides its colours makes text look different: a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<String>", from = "Vec<String>")]
pub struct Attributes(u16);

/// Each attribute's parameter of SGR, the one that takes it back, and its name.
const ATTRIBUTES: [(u16, u16, &str); 8] = [
    (1, 22, "bold"),
    (2, 22, "dim"),
    (3, 23, "italic"),
    (4, 24, "underline"),
    (5, 25, "blink"),
    (7, 27, "inverse"),
    (8, 28, "hidden"),
    (9, 29, "strike"),
];

impl Attributes {
    /// Applies a parameter of SGR; false if it is none for an attribute.
    pub fn apply(&mut self, parameter: u16) -> bool {
        let mut is_known = false;
        for (bit, (set, reset, _)) in ATTRIBUTES.iter().enumerate() {
            if *set == parameter {
                self.0 |= 1 << bit;
                is_known = true;
            } else if *reset == parameter {
                self.0 &= !(1 << bit);
                is_known = true;
            }
        }
        is_known
    }

    fn set(self) -> impl Iterator<Item = &'static (u16, u16, &'static str)> {
        let all = ATTRIBUTES.iter().enumerate();
        all.filter(move |(bit, _)| self.0 & (1 << bit) != 0)
            .map(|(_, attribute)| attribute)
    }

    fn is_empty(&self) -> bool {
        self.0 == 0
    }
}

impl From<Attributes> for Vec<String> {
    fn from(attributes: Attributes) -> Self {
        let names = attributes.set().map(|(_, _, name)| (*name).to_owned());
        names.collect()
    }
}

impl From<Vec<String>> for Attributes {
    fn from(names: Vec<String>) -> Self {
        let mut attributes = Self::default();
        for (set, _, name) in ATTRIBUTES {
            if names.iter().any(|known| known == name) {
                attributes.apply(set);
            }
        }
        attributes
    }
}

/// How text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Style {
    /// The text's colour.
    #[serde(default, skip_serializing_if = "Color::is_default")]
    pub foreground: Color,
    /// The colour behind it.
    #[serde(default, skip_serializing_if = "Color::is_default")]
    pub background: Color,
    /// Everything else.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

impl Style {
    /// The control sequence that switches to it, from whatever was before.
    #[must_use]
    pub fn sequence(&self) -> String {
        let mut parameters = String::from("0");
        for (set, ..) in self.attributes.set() {
            parameters.push_str(&format!(";{set}"));
        }
        parameters.push_str(&self.foreground.parameters(3));
        parameters.push_str(&self.background.parameters(4));
        format!("\x1b[{parameters}m")
    }

    /// What is left of it behind erased text.
    #[must_use]
    pub fn erased(&self) -> Self {
        Self {
            background: self.background,
            ..Self::default()
        }
    }
}

/// One cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// What stands in it; a space where nothing does.
    pub character: char,
    /// A mark above or below it. Of several the last is kept.
    pub mark: Option<char>,
    /// How it looks.
    pub style: Style,
    /// Columns that it takes: 1, 2, or 0 for the second column of the one before.
    pub columns: u8,
    /// How much output there was when it last changed, in bytes; 0 where nothing was written.
    pub stamp: u64,
}

impl Cell {
    /// An empty cell.
    #[must_use]
    pub const fn blank(style: Style) -> Self {
        Self {
            character: ' ',
            mark: None,
            style,
            columns: 1,
            stamp: 0,
        }
    }

    /// Whether it shows the same, whenever it was written.
    #[must_use]
    pub fn looks_like(&self, other: &Self) -> bool {
        self.character == other.character
            && self.style == other.style
            && self.mark == other.mark
            && self.columns == other.columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_survives_its_json_form() {
        let mut style = Style {
            foreground: Color::Rgb([1, 2, 255]),
            background: Color::Indexed(200),
            attributes: Attributes::default(),
        };
        for parameter in [1, 4, 9] {
            assert!(style.attributes.apply(parameter));
        }
        assert!(!style.attributes.apply(31));
        let json = serde_json::to_string(&style).unwrap();
        let expected = r##"{"foreground":"#0102ff","background":200,"attributes":["bold","underline","strike"]}"##;
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_str::<Style>(&json).unwrap(), style);
        assert_eq!(serde_json::to_string(&Style::default()).unwrap(), "{}");
    }

    #[test]
    fn a_sequence_takes_back_what_was_before() {
        let mut style = Style::default();
        assert_eq!(style.sequence(), "\x1b[0m");
        style.foreground = Color::Indexed(9);
        style.background = Color::Indexed(2);
        style.attributes.apply(7);
        assert_eq!(style.sequence(), "\x1b[0;7;91;42m");
        style.attributes.apply(27);
        style.foreground = Color::Indexed(99);
        assert_eq!(style.erased().sequence(), "\x1b[0;42m");
        assert_eq!(style.sequence(), "\x1b[0;38;5;99;42m");
    }
}
