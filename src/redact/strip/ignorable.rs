//! Characters without width that a terminal doesn't show: zero-width spaces and joiners, soft hyphens,
//! marks of direction, variation selectors (Unicode's Default_Ignorable_Code_Point, as far as such are in
//! use).

/// How many bytes the character has that begins here, if it isn't shown; else none.
pub(super) fn ignorable_length(bytes: &[u8]) -> usize {
    match bytes {
        // U+00AD, U+034F, U+061C.
        [0xc2, 0xad, ..] | [0xcd, 0x8f, ..] | [0xd8, 0x9c, ..] => 2,
        // U+115F, U+1160, U+180B to U+180F.
        [0xe1, 0x85, 0x9f..=0xa0, ..] | [0xe1, 0xa0, 0x8b..=0x8f, ..] => 3,
        // U+200B to U+200F, U+202A to U+202E, U+2060 to U+206F.
        [0xe2, 0x80, 0x8b..=0x8f | 0xaa..=0xae, ..] | [0xe2, 0x81, 0xa0..=0xaf, ..] => 3,
        // U+FE00 to U+FE0F, U+FEFF.
        [0xef, 0xb8, 0x80..=0x8f, ..] | [0xef, 0xbb, 0xbf, ..] => 3,
        // U+E0000 to U+E0FFF.
        [0xf3, 0xa0, _, _, ..] => 4,
        _ => 0,
    }
}

/// Whether such a character begins among these bytes.
pub(super) fn is_in(bytes: &[u8], from: usize, count: usize) -> bool {
    (from..from + count).any(|at| bytes[at] >= 0x80 && ignorable_length(&bytes[at..]) > 0)
}
