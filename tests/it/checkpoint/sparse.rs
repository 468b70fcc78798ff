//! Sparse checkouts: what is not checked out is no file that a command could remove, or restoring make.

use super::{git, ok, print_of, repository, text};

#[test]
fn what_is_not_checked_out_is_neither_removed_nor_made() {
    for index in ["--no-sparse-index", "--sparse-index"] {
        let Some(env) = repository("what_is_not_checked_out") else {
            return;
        };
        for path in ["src/a", "big/1", "big/x/2", "top"] {
            env.write(&format!("work/{path}"), "committed\n");
        }
        git(&env, &["add", "-A"]);
        git(&env, &["commit", "-qm", "first"]);
        git(&env, &["sparse-checkout", "set", "--cone", index, "src"]);
        assert!(!env.path("work/big").exists());
        let before = print_of(&env.work());
        for (line, change, counts) in [
            (
                "echo x >>src/a",
                "changed  src/a\n",
                "0 added, 1 changed, 0 removed",
            ),
            // Nothing was there, whatever the index says.
            (
                "mkdir -p big/x; echo y >big/1",
                "added    big/1\n",
                "1 added, 0 changed, 0 removed",
            ),
            (
                "rm src/a",
                "removed  src/a\n",
                "0 added, 0 changed, 1 removed",
            ),
        ] {
            ok(&env, &["--checkpoint", "both", "sh", "-c", line]);
            let changes = text(&ok(&env, &["show", "last", "--changes"]));
            assert!(
                changes.contains(change) && changes.contains(counts),
                "{index} {line}: {changes}"
            );
            let after = print_of(&env.work());
            ok(&env, &["checkpoint", "restore", "last", "-y"]);
            assert_eq!(print_of(&env.work()), before, "{index} {line}");
            let words = ["checkpoint", "restore", "last", "--to", "after", "-y"];
            ok(&env, &words);
            assert_eq!(print_of(&env.work()), after, "{index} {line}");
            ok(&env, &["checkpoint", "restore", "last", "-y"]);
            assert_eq!(print_of(&env.work()), before, "{index} {line}");
        }
    }
}
