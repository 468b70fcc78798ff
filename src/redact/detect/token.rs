//! Tokens that a [`Form`] describes.

use super::{Found, look};
use crate::redact::class::{Class, TOKEN};
use crate::redact::rule::{Form, Look, Part, Run};
use crate::redact::view::{Ran, View};
use crate::redact::word::Edge;

/// How much of a token is looked at, at least, to tell it from a place holder.
const BODY_BYTES: usize = 16;

/// The part of a token after its keyword.
struct Rest {
    /// Where it ends.
    to: usize,
    /// The class with which it may go on after the view.
    open: Option<Class>,
    /// The class of its last run, if that is its end.
    last: Option<Class>,
    /// The length that it has at least, by its form.
    least: usize,
}

/// Checks the token whose keyword stands from `at` to `end`.
pub(in crate::redact) fn find(
    form: &Form,
    keyword: &[u8],
    view: &View<'_>,
    at: usize,
    end: usize,
) -> Option<Found> {
    let from = match form.before {
        Some(run) => {
            let ran = view.run_back(at, run);
            (ran.count >= usize::from(run.least)).then_some(ran.end)?
        }
        None => at,
    };
    if from < at && !view.may_begin(from, Edge::Word) {
        return None;
    }
    let rest = follow(form, view, end)?;
    let next = view.byte(rest.to);
    let goes_on = next
        .zip(rest.last)
        .is_some_and(|(byte, class)| class.has(byte));
    if form.is_exact && goes_on {
        return None;
    }
    if form.is_bare && has_extension(view, rest.to) {
        return None;
    }
    // A keyword that is a name stays.
    let from = match keyword.last() {
        Some(b'=' | b' ' | b'\'') => end,
        _ => from,
    };
    // The keyword of a form without parts is at its end, and what counts is before it.
    let body = if rest.to > end {
        end..rest.to
    } else {
        from..at
    };
    let body = without_line_ends(view.slice(body.start, body.end));
    // What follows the documented length may be the next word.
    let body = &body[..body.len().min(rest.least.max(BODY_BYTES))];
    looks_like(form.look, body).then_some(Found {
        from,
        to: rest.to,
        open: rest.open,
    })
}

/// Whether the extension of a file's name follows: a dot, and a few small letters.
fn has_extension(view: &View<'_>, at: usize) -> bool {
    let rest = view.slice(at, at + 7);
    let Some(letters) = rest.strip_prefix(b".") else {
        return false;
    };
    let count = letters.iter().take_while(|byte| byte.is_ascii_lowercase());
    let count = count.count();
    let next = letters.get(count);
    (1..=5).contains(&count) && next.is_none_or(|next| !next.is_ascii_alphanumeric())
}

/// Follows the parts of a form.
fn follow(form: &Form, view: &View<'_>, end: usize) -> Option<Rest> {
    let mut rest = Rest {
        to: end,
        open: None,
        last: None,
        least: 0,
    };
    let mut has_text = false;
    for (index, part) in form.parts.into_iter().flatten().enumerate() {
        match part {
            Part::Text(text) => {
                rest.to = text_end(view, rest.to, text)?;
                rest.least += text.len();
                rest.last = None;
                has_text = true;
            }
            Part::Run(run) => {
                let next = form.parts.get(index + 1).copied().flatten();
                let mut ran = view.run(rest.to, run);
                if let Some(Part::Text(text)) = next {
                    ran = run_to_text(view, run, ran, text);
                }
                if ran.count < usize::from(run.least) {
                    return None;
                }
                rest.least += usize::from(run.least);
                rest.to = ran.end;
                rest.last = Some(run.class);
                if ran.is_open && run.varies && (next.is_none() || has_text) {
                    // What is left of the form is out of view.
                    rest.open = Some(TOKEN);
                    break;
                }
            }
        }
    }
    Some(rest)
}

/// Where a text ends that stands here or at the beginning of the next line.
fn text_end(view: &View<'_>, at: usize, text: &str) -> Option<usize> {
    let next = || view.literal(view.after_line_end(at)?, text.as_bytes());
    view.literal(at, text.as_bytes()).or_else(next)
}

/// Follows a run over line ends until the text comes that ends it.
fn run_to_text(view: &View<'_>, run: Run, mut ran: Ran, text: &str) -> Ran {
    while ran.count < run.limit() && text_end(view, ran.end, text).is_none() {
        let Some(next) = view.after_line_end(ran.end) else {
            break;
        };
        let more = view.run(next, run.at_most(run.limit() - ran.count));
        if more.count == 0 {
            break;
        }
        ran = Ran {
            count: ran.count + more.count,
            ..more
        };
    }
    ran
}

/// Whether what is special to a token looks as it must.
fn looks_like(look: Look, body: &[u8]) -> bool {
    let has = |is_one: fn(&u8) -> bool| body.iter().any(is_one);
    !look::is_placeholder(body)
        && match look {
            Look::Any => true,
            Look::Random => look::is_random(body),
            Look::Mixed => {
                look::is_random(body)
                    && has(u8::is_ascii_uppercase)
                    && has(u8::is_ascii_lowercase)
                    && has(u8::is_ascii_digit)
            }
        }
}

/// The same text in one line.
pub(in crate::redact) fn without_line_ends(text: &[u8]) -> Vec<u8> {
    let is_kept = |byte: &u8| !matches!(byte, b'\n' | b'\r');
    text.iter().copied().filter(is_kept).collect()
}

/// Goes on with a secret that reached the end of the view before this one.
pub(in crate::redact) fn go_on(class: Class, view: &View<'_>, at: usize) -> Option<Found> {
    let ran = view.run(at, Run::many(class));
    let room = view.slice(at, ran.end);
    let is_line_end = |byte: &&u8| matches!(**byte, b'\n' | b'\r');
    let after = room.iter().rev().take_while(is_line_end).count();
    let end = if ran.is_open {
        ran.end
    } else {
        ran.end - after
    };
    (end > at).then_some(Found {
        from: at,
        to: end,
        open: ran.is_open.then_some(class),
    })
}
