//! Texts that were written to cost time and memory: what is noted of them is bounded, and all of it is
//! hidden.

use std::io::{Cursor, Read};

use crate::redact::finder::{Finder, Piece};
use crate::redact::{Redactor, Style};

/// Texts that are nothing but the beginnings of secrets, over and over.
const PIECES: &[&str] = &[
    "password=",
    "password=\x1b[m",
    "PASSWORD=\u{200b}",
    "Authorization: Digest ",
    "Cookie: a=",
    "gh|p_",
    "-----BEGIN PRIVATE KEY-----\n",
    "\x1b[C\x1b[D",
    "mysql -pa1 ",
    "curl -u a:b1c2 ",
];

/// The most that is noted at a time: less than two things for each byte that is held.
const NOTED: usize = 150_000;

#[test]
fn what_is_noted_of_a_hostile_text_is_bounded() {
    let redactor = Redactor::default();
    for piece in PIECES {
        let piece = piece.replace('|', "");
        let portion = piece.repeat(64 * 1024 / piece.len());
        let mut seen = 0;
        let mut count = |piece: Piece<'_>| {
            if let Piece::Kept(bytes) | Piece::Hidden(bytes) = piece {
                seen += bytes.len();
            }
        };
        let mut finder = Finder::new(&redactor);
        let mut noted = Vec::new();
        for _ in 0..3 {
            finder.push(portion.as_bytes(), &mut count);
            noted.push(finder.noted());
        }
        // What a block leaves behind doesn't depend on how many there were.
        let most = noted.iter().max().copied().unwrap_or_default();
        assert!(most < NOTED, "{piece:?}: {noted:?}");
        assert!(noted[2] <= noted[1] * 5 / 4 + 256, "{piece:?}: {noted:?}");
        finder.finish(&mut count);
        assert_eq!(seen, portion.len() * 3);
    }
}

#[test]
fn a_secret_that_holds_the_names_of_others_is_one() {
    for piece in ["password=", "password=\x1b[m"] {
        let text = piece.repeat(9_000);
        let (shown, report) = Redactor::default().text(&text);
        assert_eq!(report.total(), 1);
        let left = shown.replace("\x1b[m", "");
        assert_eq!(left, "password=[REDACTED:password]");
        let (masked, _) = Redactor::default().bytes(text.as_bytes(), Style::Mask);
        assert_eq!(masked.len(), text.len());
        let mut covered = String::new();
        let overlay = Redactor::default().overlay(Cursor::new(text.as_bytes()), None);
        overlay.unwrap().read_to_string(&mut covered).unwrap();
        assert_eq!(covered.len(), text.len());
        assert!(!covered[29..].contains("password"), "{}", &covered[..99]);
    }
}
