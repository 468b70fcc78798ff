//! Output that is held until it is known to hold no secret's beginning.
//!
//! A secret that is written in pieces is known as one only when it is whole. So a line is held until it
//! ends. After a pause, which may be a prompt's, its whole words are given ahead: what is being written
//! may be half a secret.

use std::io;

use super::follow::{News, Taker};
use super::live_text::PROMPT_AFTER;
use crate::cli::text::Taking;
use crate::redact::{Redactor, Style};
use crate::session::Stream;

/// The most that is held of a stream.
const HELD_BYTES: usize = 1024 * 1024;

/// How much of what is held may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    /// What has ended.
    Lines,
    /// Also the words of the last line that have.
    Words,
    /// Everything: nothing more will come.
    End,
}

/// Output that is held, to be rid of its secrets. Without a guard nothing is.
pub(super) struct Restraint<'a> {
    guard: Option<&'a Redactor>,
    /// Of each stream.
    parts: [Part; 2],
}

/// What is held of a stream.
#[derive(Default)]
struct Part {
    /// From the beginning of a line.
    bytes: Vec<u8>,
    /// What was given of it ahead, as it was given.
    given: Vec<u8>,
}

impl<'a> Restraint<'a> {
    pub(super) fn new(guard: Option<&'a Redactor>) -> Self {
        Self {
            guard,
            parts: Default::default(),
        }
    }

    /// Takes what is new, and hands on what may be.
    pub(super) fn take(&mut self, news: News<'_>, take: &mut Taker<'_>) -> io::Result<Taking> {
        if self.guard.is_none() {
            return take(news);
        }
        let (until, streams) = match &news {
            News::Output(Stream::Stdout, _) => (Until::Lines, &[Stream::Stderr][..]),
            News::Output(Stream::Stderr, _) => (Until::Lines, &[Stream::Stdout][..]),
            News::Pause(quiet) if *quiet < PROMPT_AFTER => (Until::Lines, &BOTH[..]),
            News::Pause(_) | News::Gap(_) => (Until::Words, &BOTH[..]),
        };
        for stream in streams {
            if self.hand_on(*stream, until, take)? == Taking::Stop {
                return Ok(Taking::Stop);
            }
        }
        let News::Output(stream, bytes) = news else {
            return take(news);
        };
        let part = &mut self.parts[index(stream)];
        part.bytes.extend_from_slice(bytes);
        if part.bytes.len() <= HELD_BYTES {
            return Ok(Taking::More);
        }
        if self.hand_on(stream, Until::Words, take)? == Taking::Stop {
            return Ok(Taking::Stop);
        }
        let part = &mut self.parts[index(stream)];
        let end = words_end(&part.bytes);
        part.bytes.drain(..end);
        part.given.clear();
        match part.bytes.len() <= HELD_BYTES {
            true => Ok(Taking::More),
            // No secret is a word as long as that.
            false => self.hand_on(stream, Until::End, take),
        }
    }

    /// Hands on everything: nothing more will come.
    pub(super) fn finish(&mut self, take: &mut Taker<'_>) -> io::Result<Taking> {
        for stream in BOTH {
            if self.hand_on(stream, Until::End, take)? == Taking::Stop {
                return Ok(Taking::Stop);
            }
        }
        Ok(Taking::More)
    }

    fn hand_on(
        &mut self,
        stream: Stream,
        until: Until,
        take: &mut Taker<'_>,
    ) -> io::Result<Taking> {
        let Some(guard) = self.guard else {
            return Ok(Taking::More);
        };
        let part = &mut self.parts[index(stream)];
        let lines_end = memchr::memrchr(b'\n', &part.bytes).map_or(0, |newline| newline + 1);
        let end = match until {
            Until::Lines => lines_end,
            Until::End => part.bytes.len(),
            Until::Words => {
                let words = &part.bytes[..words_end(&part.bytes)];
                match std::str::from_utf8(words) {
                    // Half of one of the caller's own, which may have several words, is not known as one.
                    Ok(words) => guard.without_cut_secret(words).len().max(lines_end),
                    Err(_) => lines_end,
                }
            }
        };
        if end == 0 {
            return Ok(Taking::More);
        }
        let (mut shown, _) = guard.bytes(&part.bytes[..end], Style::Token);
        let pairs = part.given.iter().zip(&shown);
        let known = pairs.take_while(|(given, shown)| given == shown).count();
        let more = shown.split_off(known);
        if until == Until::Words {
            // Kept: what comes behind may be a secret because of what stands here.
            shown.extend_from_slice(&more);
            part.given = shown;
        } else {
            part.bytes.drain(..end);
            part.given.clear();
        }
        match more.is_empty() {
            true => Ok(Taking::More),
            false => take(News::Output(stream, &more)),
        }
    }
}

const BOTH: [Stream; 2] = [Stream::Stdout, Stream::Stderr];

fn index(stream: Stream) -> usize {
    usize::from(stream == Stream::Stderr)
}

/// Where the last word begins that may go on.
fn words_end(bytes: &[u8]) -> usize {
    let last = bytes.iter().rposition(u8::is_ascii_whitespace);
    last.map_or(0, |last| last + 1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::redact::tests::made::Lot;
    use crate::redact::{Options, OwnSecret};

    const OWN: &str = "correct horse battery staple 9";

    /// What is shown of pieces, with a pause of so many milliseconds behind each, before and at the end.
    fn shown(pieces: &[(&[u8], u64)]) -> [String; 2] {
        let redactor = Redactor::new(Options {
            own: OwnSecret::of_environment([("DEPLOY_TOKEN", OWN)]),
            ..Options::default()
        });
        let mut held = Restraint::new(Some(&redactor));
        let mut seen = Vec::new();
        let mut take = |news: News<'_>| {
            if let News::Output(_, bytes) = news {
                seen.extend_from_slice(bytes);
            }
            Ok(Taking::More)
        };
        for (piece, pause) in pieces {
            let output = News::Output(Stream::Stdout, piece);
            held.take(output, &mut take).unwrap();
            let pause = News::Pause(Duration::from_millis(*pause));
            held.take(pause, &mut take).unwrap();
        }
        let mut all = Vec::new();
        let mut rest = |news: News<'_>| {
            if let News::Output(_, bytes) = news {
                all.extend_from_slice(bytes);
            }
            Ok(Taking::More)
        };
        held.finish(&mut rest).unwrap();
        let before = String::from_utf8(seen).unwrap();
        let all = before.clone() + &String::from_utf8(all).unwrap();
        [before, all]
    }

    #[test]
    fn a_prompt_is_shown_after_a_pause_and_what_has_ended_at_once() {
        for (text, pause, expected) in [
            ("one\ntwo", 0, "one\n"),
            ("one\ntwo three", 0, "one\n"),
            ("one\ntwo three", 1000, "one\ntwo "),
            ("Go on? [y/N] ", 1000, "Go on? [y/N] "),
            // It may be the beginning of the caller's own.
            ("is correct horse ", 1000, "is "),
        ] {
            let [before, all] = shown(&[(text.as_bytes(), pause)]);
            assert_eq!((before.as_str(), all.as_str()), (expected, text));
        }
    }

    #[test]
    fn a_line_that_never_ends_is_shown_all_the_same() {
        let text = "word ".repeat(HELD_BYTES / 4) + &"x".repeat(HELD_BYTES + 1);
        let [before, all] = shown(&[(text.as_bytes(), 0)]);
        assert_eq!((before.len(), all.len()), (text.len(), text.len()));
        assert_eq!(all, text);
    }

    proptest! {
        #[test]
        fn a_secret_in_pieces_is_shown_by_none_of_them(
            cuts in prop::collection::vec((1_usize..12, prop_oneof![Just(0_u64), Just(1000)]), 20),
            number in 1_u64..50,
        ) {
            let token = Lot::new(number).cook("gh|p_{a36}");
            let text = format!("it is {token} and password={OWN}\nthen {OWN}\n{token}");
            let mut pieces = Vec::new();
            let mut rest = text.as_bytes();
            for (length, pause) in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, more) = rest.split_at((*length).min(rest.len()));
                pieces.push((piece, *pause));
                rest = more;
            }
            let [_, all] = shown(&pieces);
            for secret in [&token[4..], "battery"] {
                for piece in secret.as_bytes().windows(6) {
                    let piece = std::str::from_utf8(piece).unwrap();
                    prop_assert!(!all.contains(piece), "{piece:?} in {all:?}");
                }
            }
        }
    }
}
