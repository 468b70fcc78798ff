//! What a change does to a file, as a unified diff.

use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};

use super::sanitize;

/// Lines that are shown around a difference.
const CONTEXT: usize = 3;

/// The difference between a file as it is and as it will be; none stands for no file.
#[must_use]
pub fn patch(path: &str, before: Option<&str>, after: Option<&str>) -> String {
    let lines = |text: Option<&str>| -> Vec<String> {
        let text = text.unwrap_or_default();
        text.split_inclusive('\n').map(str::to_owned).collect()
    };
    let (old, new) = (lines(before), lines(after));
    let name = |text: Option<&str>| match text {
        Some(_) => sanitize::line(path).into_owned(),
        None => "/dev/null".to_owned(),
    };
    let mut patch = format!("--- {}\n+++ {}\n", name(before), name(after));
    for hunk in group_diff_ops(capture_diff_slices(Algorithm::Myers, &old, &new), CONTEXT) {
        let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else {
            continue;
        };
        let (from, to) = (first.old_range(), last.old_range());
        let (new_from, new_to) = (first.new_range(), last.new_range());
        patch.push_str(&format!(
            "@@ -{},{} +{},{} @@\n",
            from.start + usize::from(to.end > from.start),
            to.end - from.start,
            new_from.start + usize::from(new_to.end > new_from.start),
            new_to.end - new_from.start
        ));
        for change in &hunk {
            let mut add = |sign: char, line: &str| {
                let bare = line.trim_end_matches(['\n', '\r']);
                patch.push_str(&format!("{sign}{}\n", sanitize::text(bare)));
                if !line.ends_with('\n') {
                    patch.push_str("\\ No newline at end of file\n");
                }
            };
            if let DiffOp::Equal { .. } = change {
                old[change.old_range()]
                    .iter()
                    .for_each(|line| add(' ', line));
                continue;
            }
            old[change.old_range()]
                .iter()
                .for_each(|line| add('-', line));
            new[change.new_range()]
                .iter()
                .for_each(|line| add('+', line));
        }
    }
    patch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_shown_with_what_is_around_it() {
        assert_eq!(
            patch("a.json", Some("1\n2\n3\n4\n5\n6"), Some("1\n2\n3\n4\nx\n6")),
            "--- a.json\n+++ a.json\n@@ -2,5 +2,5 @@\n 2\n 3\n 4\n-5\n+x\n 6\n\\ No newline at end of file\n"
        );
        assert_eq!(
            patch("new", None, Some("\x1b[31mred\n")),
            "--- /dev/null\n+++ new\n@@ -0,0 +1,1 @@\n+^[[31mred\n"
        );
        assert_eq!(
            patch("old", Some("x\n"), None),
            "--- old\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n"
        );
    }
}
