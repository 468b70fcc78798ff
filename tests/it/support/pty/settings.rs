//! A terminal's settings as a test looks at them.

use std::os::fd::OwnedFd;

use rustix::termios::{LocalModes, SpecialCodeIndex, tcgetattr};

/// The settings of a terminal, in a form that can be compared.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    modes: [u64; 4],
    special_codes: Vec<u8>,
    speeds: [u32; 2],
    is_raw: bool,
}

impl Settings {
    pub(super) fn of(terminal: &OwnedFd) -> Self {
        let settings = tcgetattr(terminal).unwrap();
        let codes = [
            SpecialCodeIndex::VINTR,
            SpecialCodeIndex::VQUIT,
            SpecialCodeIndex::VERASE,
            SpecialCodeIndex::VKILL,
            SpecialCodeIndex::VEOF,
            SpecialCodeIndex::VTIME,
            SpecialCodeIndex::VMIN,
            SpecialCodeIndex::VSTART,
            SpecialCodeIndex::VSTOP,
            SpecialCodeIndex::VSUSP,
            SpecialCodeIndex::VEOL,
            SpecialCodeIndex::VREPRINT,
            SpecialCodeIndex::VDISCARD,
            SpecialCodeIndex::VWERASE,
            SpecialCodeIndex::VLNEXT,
            SpecialCodeIndex::VEOL2,
        ];
        Settings {
            modes: [
                settings.input_modes.bits().into(),
                settings.output_modes.bits().into(),
                settings.control_modes.bits().into(),
                settings.local_modes.bits().into(),
            ],
            special_codes: codes
                .iter()
                .map(|&code| settings.special_codes[code])
                .collect(),
            speeds: [settings.input_speed(), settings.output_speed()],
            is_raw: !settings
                .local_modes
                .intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG),
        }
    }

    /// Whether keys go to the program one by one, unseen and without meaning.
    pub(crate) fn is_raw(&self) -> bool {
        self.is_raw
    }
}
