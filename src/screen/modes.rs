//! What a program asked its terminal to do, besides drawing.

use serde::{Deserialize, Serialize};

/// What a program wants to hear of the mouse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mouse {
    /// Nothing.
    #[default]
    Off,
    /// Presses (DECSET 9).
    Presses,
    /// Presses and releases (1000).
    Buttons,
    /// Also moves with a button down (1002).
    Drags,
    /// All moves (1003).
    Moves,
}

impl Mouse {
    /// The mode of DECSET that asks for it.
    #[must_use]
    pub fn mode(self) -> Option<u16> {
        match self {
            Self::Off => None,
            Self::Presses => Some(9),
            Self::Buttons => Some(1000),
            Self::Drags => Some(1002),
            Self::Moves => Some(1003),
        }
    }

    fn of_mode(mode: u16) -> Option<Self> {
        let all = [Self::Presses, Self::Buttons, Self::Drags, Self::Moves];
        all.into_iter().find(|mouse| mouse.mode() == Some(mode))
    }
}

/// The modes that matter to whoever types, and to a terminal that shows the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modes {
    /// Whether the cursor is shown (DECSET 25).
    pub cursor_visible: bool,
    /// The cursor's shape (DECSCUSR), 0 to 6.
    pub cursor_shape: u16,
    /// Arrow keys send `ESC O` (DECSET 1).
    pub application_cursor: bool,
    /// The number pad sends sequences (DECKPAM).
    pub application_keypad: bool,
    /// What is pasted is put between marks (DECSET 2004).
    pub bracketed_paste: bool,
    /// The program hears when its window is looked at (DECSET 1004).
    pub focus: bool,
    /// What it wants to hear of the mouse.
    pub mouse: Mouse,
    /// How places are told: 1005, 1006, 1015, or 0.
    pub mouse_encoding: u16,
    /// Long lines go on in the next row (DECSET 7).
    pub(super) wraps: bool,
    /// Characters are inserted (SM 4).
    pub(super) inserts: bool,
    /// A line feed also returns (SM 20).
    pub(super) returns: bool,
    /// A frame is being drawn (DECSET 2026).
    pub in_frame: bool,
}

impl Default for Modes {
    fn default() -> Self {
        Self {
            cursor_visible: true,
            cursor_shape: 0,
            application_cursor: false,
            application_keypad: false,
            bracketed_paste: false,
            focus: false,
            mouse: Mouse::Off,
            mouse_encoding: 0,
            wraps: true,
            inserts: false,
            returns: false,
            in_frame: false,
        }
    }
}

impl Modes {
    /// Sets or resets a mode of DECSET; those of the screen itself are not known here.
    pub(super) fn set_private(&mut self, mode: u16, is_on: bool) {
        match mode {
            1 => self.application_cursor = is_on,
            7 => self.wraps = is_on,
            25 => self.cursor_visible = is_on,
            1004 => self.focus = is_on,
            1005 | 1006 | 1015 => self.mouse_encoding = if is_on { mode } else { 0 },
            2004 => self.bracketed_paste = is_on,
            2026 => self.in_frame = is_on,
            _ => {
                if let Some(mouse) = Mouse::of_mode(mode) {
                    self.mouse = if is_on { mouse } else { Mouse::Off };
                }
            }
        }
    }

    /// Whether a mode of DECSET is on; none where it isn't known.
    pub(super) fn private(&self, mode: u16) -> Option<bool> {
        Some(match mode {
            1 => self.application_cursor,
            7 => self.wraps,
            25 => self.cursor_visible,
            1004 => self.focus,
            1005 | 1006 | 1015 => self.mouse_encoding == mode,
            2004 => self.bracketed_paste,
            2026 => self.in_frame,
            mode => self.mouse == Mouse::of_mode(mode)?,
        })
    }
}
