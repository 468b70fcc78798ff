//! Completion in real shells: somebody types the beginning of a line and a tab.

use std::fs;
use std::path::Path;

use crate::support::pty::PtySession;
use crate::support::{AIDO, TestEnv, has_program, skipped};

const TAB: &str = "\t";
/// What the shell is told to do on Ctrl-G: write the line to a file, and say so.
const WRITE_LINE: &str = "\x07";
const WRITTEN: &[u8] = b"WRITTEN";
const CLEAR_LINE: &str = "\x05\x15";

/// A shell at its prompt that has aido's completion, in a place with sessions, files and a program
/// that has a completion of its own.
struct Shell {
    env: TestEnv,
    session: PtySession,
    /// The hex ending of the session that failed.
    failed: String,
}

fn prepared() -> (TestEnv, String) {
    let env = TestEnv::new();
    env.write("work/somefile", "");
    env.write("work/somedirectory/inside", "");
    env.write("work/with space", "");
    env.script("home/bin/zz-program", "#!/bin/sh\n");
    for (agent, script) in [("first", "echo alpha"), ("second", "exit 3")] {
        let said = ["--agent", agent, "--task", "parser", "--tag", "slow"];
        env.aido([&said[..], &["sh", "-c", script]].concat())
            .output();
    }
    let failed = env.recorded().pop().unwrap().id;
    (env, failed.rsplit('-').next().unwrap().to_owned())
}

/// The script that aido prints for a shell.
fn script(env: &TestEnv, shell: &str) -> String {
    let run = env.aido(["completions", shell]).output();
    assert!(run.code() == 0 && run.stderr.is_empty(), "{run:?}");
    run.stdout_text()
}

impl Shell {
    /// Starts a shell with these words. `setup`, where SCRIPT stands for what aido prints, is the
    /// file that it reads first.
    fn start(name: &str, words: &[&str], file: &str, setup: &str) -> Self {
        let (env, failed) = prepared();
        env.write(file, &setup.replace("SCRIPT", &script(&env, name)));
        let path = format!(
            "{}:/usr/local/bin:/usr/bin:/bin",
            env.path("home/bin").display()
        );
        let directory = Path::new(AIDO).parent().unwrap().display();
        let terminal = env.terminal().env("PATH", &format!("{directory}:{path}"));
        let mut session = terminal.size(200, 50).run(words);
        session.wait_for("READY> ");
        Self {
            env,
            session,
            failed,
        }
    }

    /// What the line is after somebody has typed this and a tab.
    #[track_caller]
    fn completed(&mut self, typed: &str) -> String {
        self.session.send([typed, TAB, WRITE_LINE].concat());
        self.session.wait_for(WRITTEN);
        let line = fs::read_to_string(self.env.path("home/line")).unwrap();
        self.session.send(CLEAR_LINE);
        line
    }

    #[track_caller]
    fn assert_completes(&mut self, cases: &[(&str, &str)]) {
        for (typed, expected) in cases {
            assert_eq!(self.completed(typed), *expected, "after {typed:?}");
        }
    }

    /// What is the same in every shell.
    #[track_caller]
    fn assert_completes_what_aido_knows(&mut self) {
        self.assert_completes(&[
            ("aido sche", "aido schema "),
            ("aido __comp", "aido __comp"),
            ("aido --st", "aido --strict "),
            ("aido --tty ne", "aido --tty never "),
            ("aido --tty=ne", "aido --tty=never "),
            (
                "aido --strict --durability fu",
                "aido --strict --durability full ",
            ),
            (
                "aido --session-dir somed",
                "aido --session-dir somedirectory/",
            ),
            ("aido --debug-log=somef", "aido --debug-log=somefile "),
            ("aido completions z", "aido completions zsh "),
            ("aido show --ra", "aido show --raw "),
            ("aido show last:", "aido show last:failed "),
            ("aido show @sec", "aido show @second "),
            ("aido list --agent sec", "aido list --agent second "),
            ("aido list --task=par", "aido list --task=parser "),
            ("aido list --tag slo", "aido list --tag slow "),
            ("aido tasks show par", "aido tasks show parser "),
            ("aido -c true somef", "aido -c true somefile "),
            // A program, and what belongs to it.
            ("aido zz-pr", "aido zz-program "),
            ("aido --strict zz-pr", "aido --strict zz-program "),
            ("aido --tty=auto -- zz-pr", "aido --tty=auto -- zz-program "),
            ("aido cat somef", "aido cat somefile "),
        ]);
        let begun = &self.failed[..7];
        let (typed, expected) = (
            format!("aido show {begun}"),
            format!("aido show {} ", self.failed),
        );
        self.assert_completes(&[(&typed, &expected)]);
    }
}

#[test]
fn bash_completes() {
    if !has_program("bash", "bash_completes") {
        return;
    }
    let setup = "\
        SCRIPT\n\
        PS1='READY> '\n\
        bind 'set bell-style none'\n\
        write_line() { printf %s \"$READLINE_LINE\" >\"$HOME/line\"; echo WRITTEN; }\n\
        bind -x '\"\\C-g\": write_line'\n\
        _zz() { COMPREPLY=(\"al-$1-$2-$3-$COMP_CWORD-${COMP_LINE:0:COMP_POINT}\"); }\n\
        complete -F _zz zz-program\n\
        complete -W 'beta gamma' zz-words";
    let mut shell = Shell::start(
        "bash",
        &["bash", "--rcfile", "../home/rc", "-i"],
        "home/rc",
        setup,
    );
    shell.assert_completes_what_aido_knows();
    let handed_over = "al-zz-program-a-zz-program-1-zz-program a ";
    for before in [
        "aido",
        "aido --tty auto",
        "aido --tty=auto --",
        "aido  --strict ",
    ] {
        let completed = shell.completed(&format!("{before} zz-program a"));
        assert_eq!(completed, format!("{before} zz-program {handed_over}"));
    }
    shell.assert_completes(&[
        ("aido zz-words b", "aido zz-words beta "),
        ("aido cat with", "aido cat with\\ space "),
        ("aido ./somed", "aido ./somedirectory/"),
        // A builtin that is no program can't be run.
        ("aido unali", "aido unali"),
        // In the middle of a line.
        ("aido sche x\x1b[D\x1b[D", "aido schema x"),
    ]);
    // A second tab shows what there is, with descriptions.
    shell.session.send("aido show \t\t");
    shell.session.wait_for("last:failed");
    shell
        .session
        .wait_for(format!("{}     exit 3: sh -c 'exit 3'", shell.failed));
}

/// Where the package bash-completion is there, it loads the completions of commands.
#[test]
fn bash_hands_over_to_its_package_of_completions() {
    const PACKAGE: &str = "/usr/share/bash-completion/bash_completion";
    let test = "bash_hands_over_to_its_package_of_completions";
    if !Path::new(PACKAGE).exists() {
        return skipped(test, "no bash-completion here");
    }
    let setup = format!(
        "\
        SCRIPT\n\
        . {PACKAGE}\n\
        BASH_COMPLETION_USER_DIR=$HOME/completions\n\
        mkdir -p $HOME/completions/completions\n\
        echo '_zz() {{ COMPREPLY=(\"al-$1-$COMP_CWORD\"); }}; complete -F _zz zz-program' \\\n\
            >$HOME/completions/completions/zz-program\n\
        PS1='READY> '\n\
        write_line() {{ printf %s \"$READLINE_LINE\" >\"$HOME/line\"; echo WRITTEN; }}\n\
        bind -x '\"\\C-g\": write_line'"
    );
    let words = ["bash", "--rcfile", "../home/rc", "-i"];
    let mut shell = Shell::start("bash", &words, "home/rc", &setup);
    for before in ["aido", "aido --tty=auto --"] {
        let completed = shell.completed(&format!("{before} zz-program a"));
        assert_eq!(completed, format!("{before} zz-program al-zz-program-1 "));
    }
}

/// What the scripts ask aido, without a shell.
fn asked(env: &TestEnv, words: &[&str]) -> String {
    let run = env.aido([&["__complete", "--"], words].concat()).output();
    assert!(
        run.code() == 0 && run.stderr.is_empty(),
        "{words:?}: {run:?}"
    );
    run.stdout_text()
}

#[test]
fn whatever_is_wrong_less_is_offered_and_nothing_is_said() {
    let env = TestEnv::in_repository();
    assert_eq!(asked(&env, &["show", ""]), "values\n");
    assert!(!env.sessions().exists(), "asking made a store");
    assert_eq!(
        asked(&env, &["show", "--session-dir", "/dev/null", ""]),
        "values\n"
    );
    assert_eq!(asked(&env, &["--no-such", "--", ""]), "command 2\n");
    env.write("work/nexus/aido.toml", "tty = \"sometimes\"\n");
    assert_eq!(asked(&env, &["show", ""]), "values\n");
    assert!(asked(&env, &["sho"]).starts_with("command 0\nshow\t"));
}

#[test]
fn what_was_recorded_does_not_act_on_the_terminal_of_who_completes() {
    let env = TestEnv::in_repository();
    env.aido(["sh", "-c", "true \u{1b}[2J\u{7}\n\t\u{202e}"])
        .output();
    let text = asked(&env, &["show", ""]);
    assert_eq!(text.lines().count(), 4, "{text:?}");
    for line in text.lines().skip(1) {
        let (_, description) = line.split_once('\t').unwrap();
        assert!(description.contains("^[[2J^G^J^I<U+202E>"), "{line:?}");
    }
}

#[test]
fn sessions_that_run_and_sessions_without_an_index_are_offered() {
    let (env, failed) = prepared();
    let run = env
        .aido(["--agent", "third", "sh", "-c", "echo READY; exec sleep 600"])
        .spawn();
    run.wait_for_stdout(b"READY");
    let text = asked(&env, &["show", "@th"]);
    assert!(text.starts_with("values\n@third\trunning: sh"), "{text:?}");
    fs::remove_file(env.sessions().join("index.jsonl")).unwrap();
    let text = asked(&env, &["show", &failed]);
    assert!(
        text.starts_with(&format!("values\n{failed}\texit 3: ")),
        "{text:?}"
    );
    run.signal(libc::SIGKILL);
    run.wait();
}

#[test]
fn zsh_completes() {
    if !has_program("zsh", "zsh_completes") {
        return;
    }
    let setup = "\
        autoload -U compinit\n\
        compinit -u\n\
        SCRIPT\n\
        PS1='READY> '\n\
        unsetopt beep\n\
        bindkey -e\n\
        write_line() { print -rn -- $BUFFER >$HOME/line; print WRITTEN }\n\
        zle -N write_line\n\
        bindkey '^G' write_line\n\
        _zz() { compadd -- al-$words[1]-$CURRENT }\n\
        compdef _zz zz-program";
    let mut shell = Shell::start("zsh", &["zsh", "-i"], "home/.zshrc", setup);
    shell.assert_completes_what_aido_knows();
    for before in [
        "aido",
        "aido --tty auto",
        "aido --tty=auto --",
        "aido  --strict ",
    ] {
        let completed = shell.completed(&format!("{before} zz-program a"));
        assert_eq!(completed, format!("{before} zz-program al-zz-program-2 "));
    }
    shell.assert_completes(&[
        ("aido cat with", "aido cat with\\ space "),
        ("aido ./somed", "aido ./somedirectory/"),
    ]);
    shell.session.send("aido show \t");
    shell.session.wait_for("last:failed");
    shell.session.wait_for(&shell.failed);
    shell.session.wait_for("exit 3: sh -c 'exit 3'");
}

#[test]
fn fish_completes() {
    if !has_program("fish", "fish_completes") {
        return;
    }
    let setup = "\
        SCRIPT\n\
        function fish_prompt; echo 'READY> '; end\n\
        function fish_greeting; end\n\
        function write_line; printf %s (commandline) >$HOME/line; echo WRITTEN; end\n\
        bind \\cg write_line\n\
        complete -c zz-program -f -a '(echo al-(commandline -opc)[1]-(count (commandline -opc)))'";
    let file = "home/.config/fish/config.fish";
    let mut shell = Shell::start("fish", &["fish", "-i"], file, setup);
    shell.assert_completes_what_aido_knows();
    for before in [
        "aido",
        "aido --tty auto",
        "aido --tty=auto --",
        "aido  --strict ",
    ] {
        let completed = shell.completed(&format!("{before} zz-program a"));
        assert_eq!(completed, format!("{before} zz-program al-zz-program-1 "));
    }
    shell.assert_completes(&[
        ("aido cat with", "aido cat with\\ space "),
        ("aido ./somed", "aido ./somedirectory/"),
    ]);
    shell.session.send("aido show \t");
    shell.session.wait_for("last:failed");
    shell.session.wait_for("exit 3: sh -c 'exit 3'");
}
