//! Secrets.

use std::io::{Cursor, Read};

use aido::redact::{Depth, Options, OwnSecret, Redactor, Style};

use super::pieces;

/// Bytes that may hold secrets.
pub(super) fn redactor(input: &[u8]) {
    for depth in [Depth::Normal, Depth::Strict] {
        let own = OwnSecret::of_variable("DEPLOY_TOKEN", "correct horse battery staple 9");
        let redactor = Redactor::new(Options {
            depth,
            own: own.into_iter().collect(),
            ..Options::default()
        });
        for style in [Style::Token, Style::Mask] {
            let (whole, report) = redactor.bytes(input, style);
            let mut pieced = Vec::new();
            let mut stream = redactor.stream(style);
            for piece in pieces(input) {
                stream.push(piece, &mut pieced);
            }
            // What is too short to hold a secret is not looked at, in one piece.
            assert_eq!(stream.finish(&mut pieced), report);
            assert_eq!(pieced, whole, "pieces make a difference");
            if report.is_clean() {
                assert_eq!(whole, input, "nothing was found, and something replaced");
            }
            if std::str::from_utf8(input).is_ok() {
                assert!(std::str::from_utf8(&whole).is_ok(), "no UTF-8 any more");
            }
            if style == Style::Mask {
                let lines = |bytes: &[u8]| bytes.split(|byte| *byte == b'\n').count();
                assert_eq!(lines(&whole), lines(input));
            }
        }
        let overlay = redactor.overlay(Cursor::new(input), None);
        let mut overlay = overlay.expect("bytes can be read");
        let mut laid = Vec::new();
        overlay.read_to_end(&mut laid).expect("bytes can be read");
        assert_eq!(laid.len(), input.len(), "what lies over it is as long");
        if overlay.is_clean() {
            assert_eq!(laid, input);
        }
        if let Ok(text) = std::str::from_utf8(input) {
            let _ = redactor.shell_line(text);
            let argv: Vec<String> = text.split(' ').map(str::to_owned).collect();
            let (kept, _) = redactor.argv(&argv);
            assert_eq!(kept.len(), argv.len());
        }
    }
}
