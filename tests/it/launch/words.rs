//! How aido tells its options, its own words, a line of shell and a command from each other.

use crate::support::{MODES, TestEnv, skipped};

use super::PRINT_ARGUMENTS;

// A21
#[test]
fn options_after_the_command_belong_to_the_command() {
    let env = TestEnv::new();
    env.script("work/tool", &format!("#!/bin/sh\n{PRINT_ARGUMENTS}\n"));
    let options = [
        "--help",
        "--version",
        "-h",
        "-V",
        "--",
        "-c",
        "--tty",
        "never",
        "--strict",
    ];
    for mode in MODES {
        for separator in [&[][..], &["--"]] {
            let command = [separator, &["./tool"], &options].concat();
            let run = env.aido_in(mode, command).output();
            assert_eq!(
                run.stdout_text(),
                format!("{}\0", options.join("\0")),
                "{mode}: {run:?}"
            );
        }
    }
}

// A22
#[test]
fn a_line_of_shell_runs_through_the_shell() {
    let env = TestEnv::new();
    env.script("work/my prog", "#!/bin/sh\necho \"itself $#\"\n");
    for mode in MODES {
        for (words, code, printed) in [
            (&["echo a | wc -l"][..], 0, "1\n"),
            (&["exit 3"], 3, ""),
            (&["echo one && exit 4"], 4, "one\n"),
            (&["-c", "echo a b; exit 5"], 5, "a b\n"),
            (&["-c", "true"], 0, ""),
            (&["./my prog"], 0, "itself 0\n"),
            (&["sh", "-c", "exit 6"], 6, ""),
            (&["--", "sh", "-c", "exit 7"], 7, ""),
        ] {
            let run = env.aido_in(mode, words).output();
            let seen = (run.code(), run.stdout_text().replace(' ', ""));
            assert_eq!(
                seen,
                (code, printed.replace(' ', "")),
                "{mode} {words:?}: {run:?}"
            );
        }
    }
}

// A22
#[test]
fn a_shell_builtin_is_127_with_a_hint() {
    if ["cd", "export"]
        .iter()
        .any(|name| std::path::Path::new("/usr/bin").join(name).exists())
    {
        return skipped("a_shell_builtin…", "cd or export is a program here");
    }
    let env = TestEnv::new();
    for words in [&["cd", "/"][..], &["export", "NAME=value"]] {
        let run = env.aido(words).output();
        assert_eq!(run.code(), 127, "{run:?}");
        let message = run.stderr_text();
        assert!(message.starts_with("aido: "), "{message}");
        assert!(
            message.contains(words[0]) && message.contains("shell"),
            "{message}"
        );
    }
}

#[test]
fn the_shell_of_a_line_is_the_option_then_a_posix_shell_variable_then_sh() {
    let env = TestEnv::new();
    for name in ["bash", "fish", "other"] {
        env.script(
            &format!("shells/{name}"),
            &format!("#!/bin/sh\necho \"{name}: $*\"\n"),
        );
    }
    let path = |name: &str| env.path(&format!("shells/{name}")).into_os_string();
    let line = ["-c", "echo plain"];
    let run = env.aido(line).env("SHELL", path("bash")).output();
    assert_eq!(run.stdout_text(), "bash: -c echo plain\n");
    let run = env.aido(line).env("SHELL", path("fish")).output();
    assert_eq!(run.stdout_text(), "plain\n");
    let run = env.aido(line).env_remove("SHELL").output();
    assert_eq!(run.stdout_text(), "plain\n");
    let option = [
        "--shell".into(),
        path("other"),
        "-c".into(),
        "echo plain".into(),
    ];
    let run = env.aido(option).env("SHELL", path("bash")).output();
    assert_eq!(run.stdout_text(), "other: -c echo plain\n");
}

#[test]
fn a_program_with_the_name_of_an_own_word_runs_after_two_dashes() {
    let env = TestEnv::new();
    for name in ["list", "show", "schema"] {
        env.script(
            &format!("work/bin/{name}"),
            "#!/bin/sh\necho \"my ${0##*/} $*\"\nexit 9\n",
        );
        let path = format!("{}:/usr/bin:/bin", env.path("work/bin").display());
        let run = env.aido(["--", name, "--json"]).env("PATH", path).output();
        let expected = (9, format!("my {name} --json\n"));
        assert_eq!((run.code(), run.stdout_text()), expected, "{run:?}");
    }
}

#[test]
fn aido_alone_explains_itself_and_records_nothing() {
    let env = TestEnv::new();
    let run = env.aido([""; 0]).output();
    assert!(
        (run.stdout_text() + &run.stderr_text()).contains("Usage"),
        "{run:?}"
    );
    for option in ["--help", "-h", "--version", "-V"] {
        let run = env.aido([option]).output();
        assert_eq!(run.code(), 0, "{option}: {run:?}");
        assert!(
            !run.stdout.is_empty() && run.stderr.is_empty(),
            "{option}: {run:?}"
        );
    }
    assert_eq!(env.transcripts().len(), 0);
}
