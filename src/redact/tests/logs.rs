//! Ordinary text, made up: what builds print.

use super::made::Lot;

/// So much text as builds print it: digests, ids, lock files, diffs, encoded images, minified code.
pub(crate) fn ordinary(lot: &mut Lot, length_bytes: usize) -> String {
    let words = [
        "build",
        "crate",
        "token",
        "secret",
        "password",
        "module",
        "test",
        "author",
        "key",
        "auth",
        "session",
        "cookie",
        "credential",
        "passed",
        "parse",
        "lexer",
        "client",
        "server",
        "access",
    ];
    let mut text = String::new();
    let mut number = 0;
    while text.len() < length_bytes {
        number += 1;
        let (one, other) = (words[lot.below(words.len())], words[lot.below(words.len())]);
        let version = format!("{}.{}.{}", lot.below(9), lot.below(90), lot.below(9));
        let hex = lot.letters("0123456789abcdef", 64);
        let base64 = lot.cook("{B86}==");
        let line = match lot.below(14) {
            0 => format!("commit {}\nAuthor: A <a@example.com>\n", &hex[..40]),
            1 => format!("    Compiling {one}-{other} v{version} (/build/{one})"),
            2 => format!("test {one}::{other}::handles_{one}_{number} ... ok"),
            3 => format!(
                "[[package]]\nname = \"{one}-{other}\"\nversion = \"{version}\"\nchecksum = \"{hex}\""
            ),
            4 => format!(
                "    \"node_modules/{one}-{other}\": {{\n      \"version\": \"{version}\",\n      \"resolved\": \"https://registry.npmjs.org/{one}/-/{one}-{version}.tgz\",\n      \"integrity\": \"sha512-{base64}\"\n    }},"
            ),
            5 => format!(
                "@@ -{number},7 +{number},9 @@ fn {one}_{other}() {{\n-    let {one} = self.{other}.next();\n+    let {one} = {other}.get(\"{one}\")?;"
            ),
            6 => format!(
                "2026-03-05T13:25:22.{number:03}Z INFO {one}: {other} done request={} in {}ms",
                lot.cook("{g}"),
                lot.below(900)
            ),
            7 => format!(
                "Step {number}/99 : RUN --mount=type={one} {other} install\n ---> {}",
                &hex[..12]
            ),
            8 => format!(
                "<img src=\"data:image/png;base64,iVBORw0KGgo{}\">",
                lot.cook("{B900}")
            ),
            9 => format!(
                "!function({one}){{var a={one}.{other},b=\"{one}-{other}\";return a?b:{{{other}:a,{one}:!0}}}}({number});"
            ),
            10 => format!("{hex}  target/{one}/{other}-{version}.tar.gz"),
            11 => lot.cook("{b76}\n{b76}\n{b40}"),
            12 => format!(
                "warning: unused variable: `{one}`\n  --> src/{other}.rs:{number}:9\n   |\n{number} | let {one}: {other} = {version};"
            ),
            _ => format!(
                "{one}={} {other}: {number} {one}_{other}_count={number} {one}-{other}-{}",
                lot.below(99),
                &hex[..7]
            ),
        };
        text.push_str(&line);
        text.push('\n');
    }
    text
}
