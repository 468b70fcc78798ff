//! A patch with secrets replaced. A secret may go over several lines, of which the patch shows each with a
//! sign in front, and it may stand partly in what stays and partly in what is new.

use crate::redact::Redactor;

/// What stands for the lines of a hunk in which secrets can't be told from the rest.
const LEFT_OUT: &str = "[aido: these lines hold secrets]";

/// Replaces the secrets of a patch, as git prints one: headers line by line, each hunk as a whole.
#[must_use]
pub fn clean_patch(patch: &str, redactor: &Redactor) -> String {
    let mut clean = String::with_capacity(patch.len());
    let mut hunk: Option<Vec<&str>> = None;
    for line in patch.split_inclusive('\n') {
        let is_header = line.starts_with("diff ") || line.starts_with("@@ ");
        let is_in_hunk = !is_header && hunk.is_some();
        if is_in_hunk && let Some(lines) = &mut hunk {
            lines.push(line);
            continue;
        }
        if let Some(lines) = hunk.take() {
            clean.push_str(&clean_hunk(&lines, redactor));
        }
        clean.push_str(&redactor.text(line).0);
        if line.starts_with("@@ ") {
            hunk = Some(Vec::new());
        }
    }
    if let Some(lines) = hunk {
        clean.push_str(&clean_hunk(&lines, redactor));
    }
    clean
}

/// The two texts of a hunk are searched, each as it stands in its file; then the runs of lines with the same
/// sign. Where the runs show less than the texts do, a secret was taken apart: all of the hunk goes.
fn clean_hunk(lines: &[&str], redactor: &Redactor) -> String {
    let found = |without: u8| {
        let text = lines
            .iter()
            .filter(|line| !line.as_bytes().starts_with(&[without]));
        let text: String = text.map(|line| line.get(1..).unwrap_or("\n")).collect();
        redactor.text(&text).1.total()
    };
    let (old, new) = (found(b'+'), found(b'-'));
    if old == 0 && new == 0 {
        return lines.concat();
    }
    let mut clean = String::new();
    let mut replaced = 0;
    let sign = |line: &str| line.bytes().next().unwrap_or(b' ');
    for run in lines.chunk_by(|one, other| sign(one) == sign(other)) {
        let text: String = run
            .iter()
            .map(|line| line.get(1..).unwrap_or("\n"))
            .collect();
        let (text, report) = redactor.text(&text);
        // What stays stands in both texts.
        replaced += match sign(run[0]) {
            b'+' | b'-' => report.total(),
            _ => 2 * report.total(),
        };
        for line in text.split_inclusive('\n') {
            clean.push(char::from(sign(run[0])));
            clean.push_str(line);
        }
    }
    match replaced < old + new {
        true => format!(" {LEFT_OUT}\n"),
        false => clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Options;

    const KEY: &str = "MIIEowIBAAKCAQEAx9c2Lw3Zq0s1mVbXk5TtYhUe7RrPzQdNfGgJkLoMvCwXyBzD";

    fn cleaned(patch: &str) -> String {
        clean_patch(patch, &Redactor::new(Options::default()))
    }

    #[test]
    fn a_patch_without_secrets_stays_as_it_is() {
        let patch = "diff --git a/x b/x\nindex 12..34 100644\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n";
        assert_eq!(cleaned(patch), patch);
        assert_eq!(cleaned(""), "");
    }

    #[test]
    fn a_secret_of_several_lines_goes_whatever_signs_stand_before_them() {
        let begin = format!("-----BEGIN RSA {} KEY-----", "PRIVATE");
        let end = format!("-----END RSA {} KEY-----", "PRIVATE");
        for signs in ["+++", "---", "   ", " + ", " +-", "+ +"] {
            let mut signs = signs.chars();
            let mut line = |text: &str| format!("{}{text}\n", signs.next().unwrap());
            let body = [line(&begin), line(KEY), line(&end)].concat();
            let patch = format!("@@ -1,3 +1,3 @@\n{body} after\n");
            let clean = cleaned(&patch);
            assert!(!clean.contains(&KEY[..12]), "{clean}");
            assert!(clean.starts_with("@@ -1,3 +1,3 @@\n"), "{clean}");
        }
    }
}
