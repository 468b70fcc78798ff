//! Code spans in Markdown (CommonMark 0.31, 6.1). Not responsible for making a text harmless: that is the
//! caller's, since readers differ.

/// A harmless text on one line as a code span, which ends where the text does: its marks are longer than any run
/// of back quotes in it.
#[must_use]
pub fn span(harmless: &str) -> String {
    let marks = "`".repeat(longest_run(harmless) + 1);
    let space = match harmless.starts_with('`') || harmless.ends_with('`') {
        true => " ",
        false => "",
    };
    format!("{marks}{space}{harmless}{space}{marks}")
}

/// How many back quotes stand together, at most.
#[must_use]
pub fn longest_run(line: &str) -> usize {
    let runs = line.split(|character| character != '`').map(str::len);
    runs.max().unwrap_or(0)
}
