//! Files that are aido's from the first line to the last, until somebody adds to them, or has one of their
//! own in the place.

use crate::agents::Mode;
use crate::agents::block::SKILL;
use crate::agents::host::Content;

use super::plan::Piece;

/// Every text that aido gives to such a file; none for what is only a part of its file.
pub(super) fn texts(piece: &Piece) -> Vec<String> {
    match piece {
        Piece::Skill => vec![SKILL.to_owned()],
        Piece::Hooks(host) => {
            let contents = [Mode::Observe, Mode::Wrap].map(|mode| host.content(mode));
            let texts = contents.into_iter().filter_map(|content| match content {
                Content::Whole(text) => Some(text),
                Content::Entries { .. } => None,
            });
            texts.collect()
        }
        _ => Vec::new(),
    }
}

/// What somebody added to such a file; none where not all of aido's lines are in it.
pub(super) fn added(piece: &Piece, text: &str) -> Option<String> {
    let mut texts = texts(piece);
    // The longest first: one may be a part of another.
    texts.sort_by_key(|own| std::cmp::Reverse(own.len()));
    texts.iter().find_map(|own| without_lines(text, own))
}

/// A text without the lines of another one, which stand in it in their order.
fn without_lines(text: &str, own: &str) -> Option<String> {
    if let Some((before, after)) = text.split_once(own) {
        return Some(format!("{before}{after}"));
    }
    let mut own = own.lines().peekable();
    let mut left = String::new();
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end_matches(['\r', '\n']);
        if own.next_if_eq(&bare).is_none() {
            left.push_str(line);
        }
    }
    own.peek().is_none().then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::Host;

    #[test]
    fn what_somebody_added_is_told_from_what_aido_wrote() {
        let skill = &Piece::Skill;
        assert_eq!(added(skill, SKILL).as_deref(), Some(""));
        assert_eq!(
            added(skill, &format!("above\n{SKILL}below")).as_deref(),
            Some("above\nbelow")
        );
        let within = SKILL.replacen("# Recorded", "- mine\n# Recorded", 1);
        assert_eq!(added(skill, &within).as_deref(), Some("- mine\n"));
        let crlf = SKILL.replace('\n', "\r\n");
        assert_eq!(added(skill, &crlf).as_deref(), Some(""));
        // Somebody's own, and what somebody took a line out of.
        assert_eq!(added(skill, "---\nname: aido\n---\nMine.\n"), None);
        assert_eq!(
            added(skill, &SKILL.replace("# Recorded commands\n", "")),
            None
        );
        let plugin = &Piece::Hooks(Host::OpenCode);
        for text in texts(plugin) {
            assert_eq!(added(plugin, &text).as_deref(), Some(""), "{text}");
            assert_eq!(
                added(plugin, &format!("{text}// mine\n")).as_deref(),
                Some("// mine\n")
            );
        }
        assert_eq!(added(&Piece::Hooks(Host::Claude), "{}"), None);
    }
}
