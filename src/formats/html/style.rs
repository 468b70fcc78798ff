//! How pages look: colours for light and dark, and nothing that needs a wide window.

use std::fmt::Write as _;

/// The sixteen colours of terminals on a light page, chosen to be read on it.
const LIGHT: [&str; 16] = [
    "#24292f", "#b3261e", "#116329", "#7d4e00", "#0550ae", "#7a3fc4", "#1b6f84", "#6e7781",
    "#57606a", "#cf222e", "#1a7f37", "#8a6100", "#1267cc", "#9450d8", "#257a92", "#878f99",
];

/// The same on a dark page.
const DARK: [&str; 16] = [
    "#6e7681", "#ff7b72", "#57c76a", "#d9a13b", "#79b8ff", "#c89bff", "#56c8d8", "#c9d1d9",
    "#8b949e", "#ffa198", "#7ee08a", "#f0c566", "#a5d6ff", "#dcbfff", "#86e1ec", "#ffffff",
];

/// What does not depend on the colours.
const LAYOUT: &str = "\
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{max-width:72rem;margin:0 auto;padding:1rem}
code,pre{font-family:ui-monospace,'Cascadia Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace}
code{white-space:pre-wrap;overflow-wrap:anywhere}
h1{font-size:1.4rem;margin:.5rem 0 1rem}
h2{font-size:1.05rem;margin:2rem 0 .25rem;overflow-wrap:anywhere}
nav ol{padding-left:1.6rem;overflow-wrap:anywhere}
a{color:var(--c4)}
.facts{margin:0 0 .5rem;color:var(--dim);font-size:.875rem;overflow-wrap:anywhere}
.facts span{margin-right:.9em}
.good,.facts .good{color:var(--c2)}
.bad,.facts .bad{color:var(--c1);font-weight:600}
.open,.facts .open{color:var(--c3)}
pre{margin:0;padding:.75rem;overflow-x:auto;background:var(--panel);border:1px solid var(--line);\
border-radius:6px;font-size:.8125rem;line-height:1.35;tab-size:8}
.fx{color:var(--panel)}.gx{background:var(--text)}
.w{font-weight:700}.d{opacity:.65}.i{font-style:italic}
.u{text-decoration:underline}.s{text-decoration:line-through}.u.s{text-decoration:underline line-through}
";

/// The style of a page.
pub(super) fn sheet() -> String {
    let mut sheet = String::from(":root{color-scheme:light dark;");
    sheet += "--ground:#fff;--text:#1f2328;--dim:#59636e;--line:#d0d7de;--panel:#f6f8fa;";
    variables(&LIGHT, &mut sheet);
    sheet += "}\n@media (prefers-color-scheme:dark){:root{";
    sheet += "--ground:#0d1117;--text:#e6edf3;--dim:#9198a1;--line:#30363d;--panel:#161b22;";
    variables(&DARK, &mut sheet);
    sheet += "}}\n";
    sheet += LAYOUT;
    for index in 0..16 {
        // Writing to a string does not fail.
        let _ = write!(
            sheet,
            ".f{index}{{color:var(--c{index})}}.g{index}{{background:var(--c{index})}}"
        );
    }
    sheet.push('\n');
    sheet
}

fn variables(colours: &[&str], sheet: &mut String) {
    for (index, colour) in colours.iter().enumerate() {
        let _ = write!(sheet, "--c{index}:{colour};");
    }
}
