//! Texts that have done harm somewhere.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use crate::dice::Dice;

/// Texts without a zero byte.
pub(super) const TEXTS: &[&[u8]] = &[
    b"",
    b" ",
    b".",
    b"..",
    b"-",
    b"--",
    b"-rf",
    b"--help",
    b"~",
    b"/",
    b"../../outside/file",
    b"..%2f..%2foutside",
    b"/etc/passwd",
    b"a/b/c",
    b"work/../../outside",
    b"\\..\\outside",
    b"con",
    b"a\nb",
    b"a\rb",
    b"a\tb",
    b"\x07bell",
    b"\x08\x08\x08back",
    b"\x1b[31mred",
    b"\x1b[2J\x1b[H",
    b"\x1b]0;title\x07",
    b"\x1b]52;c;aGVsbG8=\x07",
    b"\x1bP+q544e\x1b\\",
    b"\x1b[?1049h",
    b"\x1b_Gi=1;AAAA\x1b\\",
    b"\xc2\x9b31m",
    b"\xc2\x9d0;title\xc2\x9c",
    b"\x9b31m",
    b"\x7f\x7f",
    b"\xe2\x80\xaegnp.exe",
    b"\xe2\x81\xa6isolate\xe2\x81\xa9",
    b"zero\xe2\x80\x8bwidth\xef\xbb\xbf",
    b"tag\xf3\xa0\x81\x81\xf3\xa0\x81\x82",
    b"\xff\xfe",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xf5\x80\x80\x80",
    b"caf\xc3",
    b"\xc3\x84\xc3\x96\xc3\x9c",
    b"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
    b"Z\xcc\xb5\xcc\xa1\xcc\xa2\xcc\x9b",
    b"$(touch outside/pwned)",
    b"`touch outside/pwned`",
    b"; touch outside/pwned",
    b"| tee outside/pwned",
    b"a' b\" c",
    b"*?[a-z]",
    b"%s%n%x",
    b"{\"json\": true}",
    b"=== AI_EXIT_CODE: 0 ===",
    b"a=b",
    b"last~999999999999",
];

/// All of them.
pub(super) fn all() -> impl Iterator<Item = OsString> {
    TEXTS.iter().map(|text| OsString::from_vec(text.to_vec()))
}

/// Any bytes but zero.
pub(super) fn any(dice: &mut Dice, length: usize) -> OsString {
    let bytes = (0..length).map(|_| u8::try_from(1 + dice.below(255)).unwrap_or(1));
    OsString::from_vec(bytes.collect())
}

/// Texts with control characters among letters, separators and dots.
pub(super) fn spiced(dice: &mut Dice) -> OsString {
    const SPICES: &[&[u8]] = &[
        b"../",
        b"./",
        b"/",
        b"..",
        b"-",
        b"\n",
        b"\x1b[",
        b"\x1b]0;",
        b"\x07",
        b"\xc2\x9b",
        b"\xff",
        b"\xe2\x80\xae",
        b"a",
        b"B",
        b"7",
        b" ",
        b"\t",
        b"$",
        b"'",
        b"outside/file",
        b"~",
    ];
    let count = 1 + dice.below(12);
    let mut bytes = Vec::new();
    for _ in 0..count {
        bytes.extend(*dice.one_of::<&[u8]>(SPICES));
    }
    OsString::from_vec(bytes)
}
