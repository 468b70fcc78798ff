//! For which commands a checkpoint is taken although it was not asked for: words that a command begins
//! with, such as `rm` or `git reset`.

/// Whether a command, given as the simple commands that it consists of, begins with the words of any of
/// these patterns. A program's directory doesn't matter, nor do options between the words of a pattern.
#[must_use]
pub fn matches(patterns: &[String], commands: &[Vec<String>]) -> bool {
    patterns.iter().any(|pattern| {
        let wanted: Vec<&str> = pattern.split_whitespace().collect();
        !wanted.is_empty() && commands.iter().any(|words| begins_with(words, &wanted))
    })
}

fn begins_with(words: &[String], wanted: &[&str]) -> bool {
    let Some((program, rest)) = words.split_first() else {
        return false;
    };
    let base = program.rsplit('/').next().unwrap_or(program);
    if base != wanted[0] {
        return false;
    }
    let mut rest = rest.iter();
    wanted[1..].iter().all(|wanted| {
        // `git -C there reset` is a `git reset`: what an option takes can't be told, so any word may be it.
        rest.find(|word| word.as_str() == *wanted).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_the_beginning_of_a_command() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let patterns = ["rm", "git reset", "terraform apply", " "].map(str::to_owned);
        for (line, expected) in [
            ("rm -rf src", true),
            ("/bin/rm x", true),
            ("rmdir x", false),
            ("git reset --hard", true),
            ("git -C there reset", true),
            ("git status", false),
            ("git", false),
            ("terraform plan", false),
            ("terraform -chdir=a apply -auto-approve", true),
            ("echo rm", false),
            ("", false),
        ] {
            assert_eq!(matches(&patterns, &[words(line)]), expected, "{line:?}");
        }
        assert!(!matches(&patterns, &[]));
        assert!(matches(&patterns, &[words("cd src"), words("rm a")]));
        assert!(!matches(&[], &[words("rm a")]));
    }
}
