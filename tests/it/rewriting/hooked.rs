//! `aido --hooked`: whatever is set, missing or broken where a command runs, nobody notices aido.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::{place, search_path};
use crate::support::{AIDO, Output, Run, TestEnv};

/// Compares a line in which `@` stands for aido with the line without; gives what it did with aido.
#[track_caller]
fn compare(env: &TestEnv, line: &str, prepare: &dyn Fn(Run) -> Run) -> Output {
    let run = |line: &str| {
        let run = env.bare(["sh", "-c", line]);
        prepare(run.env("PATH", search_path(env))).output()
    };
    let plain = run(&line.replace('@', ""));
    let under = run(&line.replace('@', "aido --hooked -- "));
    let parts = |run: &Output| (run.code(), run.stdout_text(), run.stderr_text());
    assert_eq!(parts(&under), parts(&plain), "{line}");
    under
}

#[test]
fn no_variable_makes_a_hooks_aido_speak_refuse_or_end_anything() {
    let env = place();
    for (name, value) in [
        ("AIDO_REPORT", "always"),
        ("AIDO_DEBUG", "1"),
        ("AIDO_DEBUG_LOG", "/no/such/directory/log"),
        ("AIDO_STRICT", "1"),
        ("AIDO_TTY", "never"),
        ("AIDO_TTY", "bogus"),
        ("AIDO_TASK", "../x"),
        ("AIDO_SESSION_DIR", "/proc/nowhere"),
        ("AIDO_MAX_BYTES", "1"),
        ("AIDO_RECORD", "perhaps"),
        ("HOME", "/no/such/home"),
    ] {
        compare(&env, "@tell -err -code 3", &|run| run.env(name, value));
    }
    compare(&env, "sleep 0; @sh -c 'sleep 1.3; echo slow'", &|run| {
        run.env("AIDO_TIMEOUT", "1s")
    });
    let before = env.recorded().len();
    compare(&env, "@tell -code 3", &|run| run);
    assert_eq!(env.recorded().len(), before + 1, "and it records");
    // What can't be taken may have said that nothing is to be recorded.
    compare(&env, "@tell", &|run| run.env("AIDO_TTY", "bogus"));
    assert_eq!(env.recorded().len(), before + 1);
}

#[test]
fn no_file_where_the_line_goes_makes_it_speak_refuse_or_leave_anything() {
    let env = TestEnv::in_repository();
    fs::create_dir_all(env.path("bin1")).unwrap();
    fs::create_dir_all(env.path("bin")).unwrap();
    std::os::unix::fs::symlink(AIDO, env.path("bin/aido")).unwrap();
    env.script("bin/tell", "#!/bin/sh\necho told; echo loud >&2; exit 3\n");
    fs::create_dir_all(env.path("work/other/.git")).unwrap();
    for settings in [
        "no toml",
        "report = \"always\"\n",
        "timeout = \"1s\"\nstrict = true\n",
        "debug = true\n",
        "tty = \"sometimes\"\n",
        "shell = \"/bin/sh\"\n",
    ] {
        env.write("work/other/nexus/aido.toml", settings);
        compare(&env, "cd other && @tell", &|run| run);
        let made = env.path("work/other/nexus/.aisessions");
        assert!(!made.exists(), "a directory of sessions, by {settings:?}");
    }
    fs::remove_file(env.path("work/other/nexus/aido.toml")).unwrap();
    let store = env.path("work/other/nexus/.aisessions");
    // One that can't be written to, for anybody but root; one that is no directory; one of another kind.
    fs::create_dir(&store).unwrap();
    fs::set_permissions(&store, Permissions::from_mode(0o500)).unwrap();
    compare(&env, "cd other && @tell", &|run| run);
    fs::set_permissions(&store, Permissions::from_mode(0o777)).unwrap();
    compare(&env, "cd other && @tell", &|run| run);
    fs::remove_dir_all(&store).unwrap();
    env.write("work/other/nexus/.aisessions", "a file");
    compare(&env, "cd other && @tell", &|run| run);
}

#[test]
fn what_is_not_said_is_in_the_debug_log() {
    let env = place();
    let log = env.path("log");
    let missing = env.path("nowhere");
    compare(&env, "@tell -code 3", &|run| {
        run.env("AIDO_DEBUG_LOG", &log)
            .env("AIDO_SESSION_DIR", &missing)
    });
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("not said: warning: not recorded"), "{log}");
    assert!(!missing.exists());
}

#[test]
fn a_command_of_a_hooks_aido_has_the_environment_that_it_would_have_had() {
    let env = place();
    let line = "@sh -c 'export | sort; tell'";
    let run = compare(&env, line, &|run| run.env("AIDO_SESSION", "outer"));
    let said = run.stdout_text();
    assert!(said.contains("AIDO_SESSION='outer'"), "{said}");
}
