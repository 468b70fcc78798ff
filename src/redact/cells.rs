//! Masks that take as many bytes and as many cells as what they stand for.

use unicode_width::UnicodeWidthChar;

/// Masks a text of any letters; line ends and tabs stay. What is no UTF-8 is masked byte for byte.
pub(super) fn mask(bytes: &[u8]) -> Vec<u8> {
    let mut masked = Vec::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' | '\r' | '\t' => masked.push(character as u8),
                _ => masked.extend_from_slice(stand_in(character).as_bytes()),
            }
        }
        masked.extend(std::iter::repeat_n(b'*', chunk.invalid().len()));
    }
    masked
}

/// A character of the same length and width, which is the same for all such characters.
fn stand_in(character: char) -> &'static str {
    match (character.len_utf8(), character.width().unwrap_or(0)) {
        (1, _) => "*",
        (2, 0) => "\u{301}",
        (2, _) => "\u{d7}",
        (3, 0) => "\u{20d7}",
        (3, 1) => "\u{2217}",
        (3, _) => "\u{ff0a}",
        (_, 0) => "\u{1d167}",
        (_, 1) => "\u{1d7b6}",
        (_, _) => "\u{1f512}",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn a_mask_has_the_bytes_and_the_cells_of_what_it_stands_for() {
        for text in [
            "a",
            "é",
            "п",
            "e\u{301}",
            "日",
            "∑",
            "\u{20d7}",
            "𝒳",
            "🔑",
            "\u{e0101}",
            "a\tb\r\n",
        ] {
            let masked = String::from_utf8(mask(text.as_bytes())).unwrap();
            assert_eq!(
                (masked.len(), masked.width()),
                (text.len(), text.width()),
                "{text:?}"
            );
        }
        assert_eq!(mask(b"\xff\xe6\x97a"), b"****");
    }
}
