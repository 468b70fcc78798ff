use super::*;

fn of(line: &str) -> Result<String, Reason> {
    rewrite(line, &|name| name != "nvm")
}

/// The line with `@` where aido is put.
#[track_caller]
fn marked(line: &str) {
    let plain = line.replace('@', "");
    let wanted = line.replace('@', PREFIX);
    assert_eq!(of(&plain), Ok(wanted), "{plain:?}");
}

#[test]
fn aido_goes_before_each_program_and_nothing_else_changes() {
    for line in [
        "@git status",
        "  @git  status ",
        "RUST_LOG=debug @cargo test",
        "cd web && @npm test",
        "cd web; @npm ci; @npm test -- --watch=false",
        "@cargo build 2>&1 | tail -20",
        "@make && echo done",
        "@git commit -m \"a && b\"",
        "@find . -name '*.rs' -exec wc -l {} \\;",
        "FOO='a b' @make 2>/dev/null",
        "@cargo test >/dev/null 2>&1 || echo failed",
        "@python3 - < script.py",
        "export RUST_BACKTRACE=1 && @cargo test",
        "@cargo test \\\n  --lib -- 'a b'",
        "@make all\n@make test\n",
        "@make |\n tail -1",
        "@./run.sh $HOME \"${USER}\" ~/x *.c [ab]?",
        "umask 022; @make",
        "test -f x && @make",
        "2>/dev/null @make",
        "A=1 B=$x @make",
        "cat list | @xargs make",
        "@make 'it'\\''s' \"cost $5 \\\"x\\\"\"",
        "@sed -n 1,5p x",
        "cd x && @make && @make test",
        "@npm install && @npm test",
        "@cargo build && @cargo test",
        "@git add . && @git commit -m 'install x' && @git push",
        "@mkdir -p build && cd build && @cmake .. && @make -j4",
        "CI=1 @npm ci && ./x-y.z:1 2>/dev/null || true",
        "@python3 x.py && cat out",
        "@python3 x.py; ls | wc -l",
        "printf '%s\\n' a; printf \"%-5s|%b%%\" a b; @make",
        "export A=\"$B\" C='$x'; @make",
        "@find . -name x",
        "A=1 @tell $_",
    ] {
        marked(line);
    }
}

#[test]
fn what_is_not_certain_is_left_alone() {
    let construct = |line: &str| assert!(matches!(of(line), Err(Reason::Construct(_))), "{line:?}");
    for line in [
        "x=$(git rev-parse HEAD)",
        "make $(nproc)",
        "make `nproc`",
        "make \"$(nproc)\"",
        "npm run dev &",
        "make & make test",
        "make &> log",
        "cat > f <<EOF\nx\nEOF",
        "make <<< x",
        "./run.sh > out.log",
        "make >> log",
        "make >| log",
        "make 3>/dev/null",
        "make >&3",
        "make 2>&-",
        "make {fd}>/dev/null",
        "{ make; }",
        "(make)",
        "make # comment",
        "make !$",
        "make \"!x\"",
        "^a^b",
        "x=1",
        "x=1; make",
        "$CC x.c",
        "\"make\" x",
        "\\make x",
        "ma'ke' x",
        "{make,test} x",
        "make 'x",
        "make \"x",
        "make \\",
        "make $'a'",
        "make $\"a\"",
        "make ${x:-y}",
        "make ${#x}",
        "make $x[1]",
        "make $x\\\n[1]",
        "< \\\n file make",
        "make > \\\n /dev/null",
        "make $((1+1))",
        "f() { make; }",
        "make;; make",
        "make |& tail",
        "make &&",
        "| make",
        "make || | make",
        "; make",
        "make ; ; make",
        "make <",
        "make > $x",
        "make\rx",
        "make \x1b[31m",
        "-x make",
        "a[1]=2 make",
        "tell $BASH_COMMAND",
        "tell ${BASH_EXECUTION_STRING}",
        "tell \"$ZSH_EXECUTION_STRING\" $jobtexts",
        "<1-5>/dev/null tell",
        "tell < a>/dev/null",
        "tell a<1-5>/dev/null",
        "sh -c 'echo x >/dev/stderr'",
        "tell /proc/self/fd/1",
        "export A=$B; make",
        "export A=\"$B\"$C\"\"x; make",
        "export \"A\"=1; make",
        "export -f x; make",
    ] {
        construct(line);
    }
    for line in ["", "  ", "\n"] {
        assert_eq!(of(line), Err(Reason::Empty), "{line:?}");
    }
    for line in [
        "alias ls=foo; make",
        "set -e; make",
        "source venv/bin/activate && pytest",
        ". ./env && make",
        "exec make",
        "trap 'x' EXIT; make",
        "time make",
        "eval make",
        "if make; then make; fi",
        "for x in a; do make; done",
        "unset X; make",
        "which make",
        "wait; make",
        "exit 3",
        "printf -v PATH x; make",
        "printf '-v' PATH x; make",
        "printf -- x; make",
        "printf 'abc%n' PATH; make",
        "printf '%d' PATH=1; make",
        "printf '%*s' PATH=1 x; make",
        "printf '\\45n' PATH; make",
        "printf '%5.2' x; make",
        "printf $x PATH; make",
        "printf {-v,PATH,x}; make",
        "printf %s\\n x; make",
        "printf \"%s\"'n' x; make",
        "test -v 'a[PATH=1]'; make",
        "[ -v 'a[PATH=1]' ]; make",
    ] {
        assert!(matches!(of(line), Err(Reason::ChangesShell(_))), "{line:?}");
    }
    for line in [
        "PATH=/x make",
        "export PATH=/x; make",
        "LD_PRELOAD=x make",
        "AIDO=0 make",
        "AIDO_TTY=never make",
        "HOME=/x make",
        "ARGV0=x make",
        "UID=5 make",
        "EUID=5 make",
        "export GID=5; make",
        "path=x make",
        "commands=x make",
        "BASH_XTRACEFD=2 make",
        "PS4=x make",
        "STTY=raw make",
    ] {
        assert!(matches!(of(line), Err(Reason::Variable(_))), "{line:?}");
    }
    for line in ["aido git status", "/usr/bin/aido x && make", "make; aido x"] {
        assert_eq!(of(line), Err(Reason::Recorded), "{line:?}");
    }
    assert_eq!(
        of("nvm use 20; make"),
        Err(Reason::NotAProgram("nvm".into()))
    );
    for line in [
        "echo hi",
        "rm -rf x",
        "sudo make",
        "cat x | tail -1",
        "vim x",
        "ps aux",
        "env",
        "ls -la",
        "cd x",
        "grep -r x . >/dev/null",
        "zip -q - a.txt",
    ] {
        assert_eq!(of(line), Err(Reason::NothingToRecord), "{line:?}");
    }
    assert_eq!(of(&"x".repeat(LINE_BYTES + 1)), Err(Reason::TooLong));
}

#[test]
fn a_name_counts_only_while_nothing_can_have_changed_what_it_leads_to() {
    for (line, head) in [
        ("tool; cp new ../bin/tool; tool", "tool"),
        ("make; cp new ../bin/tool; make", "cp"),
        ("chmod -x ../bin/tool; tool", "chmod"),
        ("cp new ../bin/aido; tell", "cp"),
        ("rm -f ../bin/tool; tool", "rm"),
        ("python3 x.py && pytest", "python3"),
        ("make install && tool", "make"),
        ("make 'in'stall && tool", "make"),
        ("make $T && tool", "make"),
        ("DESTDIR=/ make && tool", "make"),
        ("npm install -g n && node -v", "npm"),
        ("npm_config_global=true npm i n && node -v", "npm"),
        ("npm exec x && node -v", "npm"),
        ("cargo install x && x", "cargo"),
        ("go build -o /usr/bin/x && x", "go"),
        ("./configure && make", "./configure"),
        ("bin/cat x && make", "bin/cat"),
        ("sudo x; make", "sudo"),
    ] {
        assert_eq!(
            of(line),
            Err(Reason::MayChangePrograms(head.to_owned())),
            "{line:?}"
        );
    }
}

#[test]
fn what_looks_at_all_files_sees_no_recording_of_the_same_line() {
    for line in [
        "make; find .",
        "make && grep -rn error .",
        "make; git status --ignored",
        "make; git clean -fdxn",
        "make; ls -laR",
        "make && tar czf ../x.tgz .",
        "make; cp -a . ../x",
        "make; echo **",
        "make; cat */*.json",
    ] {
        assert!(matches!(of(line), Err(Reason::LooksAtFiles(_))), "{line:?}");
    }
    for line in [
        "@find . | wc -l",
        "@make; ls -la",
        "@make && grep -n x y",
        "@git clean -n",
    ] {
        marked(line);
    }
}

#[test]
fn a_path_counts_only_as_the_first_command() {
    marked("@./configure && ./build");
    assert_eq!(of("cd x && ./build"), Err(Reason::NothingToRecord));
}

#[test]
fn a_rewritten_line_is_left_alone() {
    for line in ["make | tail -1", "cd x && make", "A=1 make"] {
        let once = of(line).unwrap();
        assert_eq!(of(&once), Err(Reason::Recorded), "{once:?}");
        assert_eq!(undo(&once), line);
    }
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_line_is_decided_and_only_the_prefix_is_added(line in "[ -~\n\t$\"'é]{0,80}") {
            if let Ok(rewritten) = of(&line) {
                prop_assert_eq!(rewritten.replace(PREFIX, ""), line.replace(PREFIX, ""));
            }
        }

        #[test]
        fn lines_of_the_shells_own_signs_are_decided(line in "[a-b ;&|<>(){}$!#~*?'\"`=\\\\\n]{0,40}") {
            if let Ok(rewritten) = of(&line) {
                prop_assert_eq!(rewritten.replace(PREFIX, ""), line);
            }
        }
    }
}
