//! The index is derived: whatever happens to it, every session is listed, once, and nothing is followed,
//! opened or waited for that isn't a plain file of this store.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::geteuid;
use serde_json::{Value, json};

use crate::support::{TestEnv, moment, planted_id, skipped};

/// How large a session directory is. One of some thousand sessions isn't compared with its index each
/// time that it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    Small,
    /// By other files, which are quickly made.
    Large,
}

/// Makes a directory one that counts as large, as far as file systems tell a directory's size.
fn enlarge(env: &TestEnv) {
    for number in 0..850 {
        let name = format!("{number:0>250}");
        fs::write(env.make_sessions().join(name), "").unwrap();
    }
    let bytes = fs::metadata(env.sessions()).unwrap().len();
    if bytes < 192 * 1024 {
        skipped(
            "a large store",
            &format!("a directory of {bytes} bytes here"),
        );
    }
}

/// A store of this many sessions, with an index of them; their ids, newest first.
fn store(count: u32, scale: Scale) -> (TestEnv, Vec<String>) {
    let env = TestEnv::new();
    if scale == Scale::Large {
        enlarge(&env);
    }
    for number in 1..=count {
        env.plant_sidecar(&planted_id("ai-agent", number), &json!({}));
    }
    let ids = (1..=count)
        .rev()
        .map(|number| planted_id("ai-agent", number));
    let ids: Vec<String> = ids.collect();
    assert_eq!(env.listed(&[]), ids);
    (env, ids)
}

/// What may stand in the index besides its lines.
fn foreign_lines() -> Vec<String> {
    let entry = |id: &str, command: &str| {
        json!({"session_id": id, "timestamp": moment(9_999_999), "ended_at": null, "status": "exited",
               "exit_code": 0, "duration_ms": 1, "branch": null, "task": null, "command": command})
        .to_string()
    };
    vec![
        "garbage".to_owned(),
        "\0\0\0\0\0\0\0\0".to_owned(),
        "{}".to_owned(),
        "null".to_owned(),
        "[".repeat(10_000),
        "{\"session_id\":\"ai-agent-20260305_130000-3216-00".to_owned(),
        entry("../../../../etc/passwd", "cat"),
        entry("\u{1b}]0;title\u{7}", "\u{1b}[2J"),
        entry(&planted_id("ai-agent", 0xdead_beef), "rm -rf /"),
        "x".repeat(2 * 1024 * 1024),
    ]
}

type Damage = (&'static str, fn(&mut Vec<u8>));

/// What a crash, a full disk or a person may have done to the bytes.
const DAMAGES: &[Damage] = &[
    ("emptied", Vec::clear),
    ("all garbage", |bytes| bytes.fill(b'x')),
    ("all zeros", |bytes| bytes.fill(0)),
    ("the last line torn", |bytes| {
        bytes.truncate(bytes.len() - 30)
    }),
    ("the last byte missing", |bytes| {
        bytes.truncate(bytes.len() - 1)
    }),
    ("the first half of a line missing", |bytes| {
        drop(bytes.drain(..40))
    }),
    ("zeros in the middle", |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle - 400..middle + 400].fill(0);
    }),
    ("a piece in the middle missing", |bytes| {
        let middle = bytes.len() / 2;
        drop(bytes.drain(middle - 500..middle));
    }),
    ("foreign lines at the end", |bytes| {
        for line in foreign_lines() {
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(b'\n');
        }
    }),
    ("foreign lines at the beginning", |bytes| {
        let lines = foreign_lines().join("\n") + "\n";
        drop(bytes.splice(..0, lines.into_bytes()));
    }),
    ("every line twice", |bytes| bytes.extend_from_within(..)),
    ("no newline anywhere", |bytes| {
        bytes.retain(|byte| *byte != b'\n')
    }),
];

fn heals_from_each(scale: Scale) {
    let (env, ids) = store(30, scale);
    let intact = fs::read(env.index()).unwrap();
    for (what, damage) in DAMAGES {
        let mut bytes = intact.clone();
        damage(&mut bytes);
        fs::write(env.index(), bytes).unwrap();
        assert_eq!(env.listed(&["-n", "3"]), ids[..3], "{what}");
        assert_eq!(env.listed(&[]), ids, "{what}");
        // Which mended it, so that the next one finds it whole.
        let lines = fs::read_to_string(env.index()).unwrap_or_default();
        let known = |id: &&String| lines.contains(&format!("\"session_id\":\"{id}\""));
        assert_eq!(ids.iter().filter(known).count(), ids.len(), "{what}");
    }
    fs::remove_file(env.index()).unwrap();
    assert_eq!(env.listed(&[]), ids, "deleted");
}

#[test]
fn a_small_store_heals_from_each_damage_to_its_index() {
    heals_from_each(Scale::Small);
}

#[test]
fn a_large_store_heals_from_each_damage_to_its_index() {
    heals_from_each(Scale::Large);
}

type Impostor = (&'static str, fn(&TestEnv, &Path));

/// Something else in the place of a file that readers open.
const IMPOSTORS: &[Impostor] = &[
    ("a link", |env, path| {
        env.write("outside", "precious\n");
        symlink(env.path("outside"), path).unwrap();
    }),
    ("a link to nothing", |env, path| {
        symlink(env.path("not-there"), path).unwrap();
    }),
    ("a link to itself", |_, path| symlink(path, path).unwrap()),
    ("a second name", |env, path| {
        env.write("outside", "precious\n");
        fs::hard_link(env.path("outside"), path).unwrap();
    }),
    ("a FIFO", |_, path| {
        mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    }),
    ("a directory", |_, path| {
        fs::create_dir(path).unwrap();
        fs::write(path.join("file"), "").unwrap();
    }),
    ("what may not be read", |_, path| {
        fs::write(path, "").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
    }),
];

#[test]
fn what_is_no_plain_file_is_neither_followed_nor_waited_for() {
    for (what, put) in IMPOSTORS {
        for name in [
            "index.jsonl",
            "index.endings",
            ".lock",
            "pruned.jsonl",
            ".housekeeping",
        ] {
            let env = TestEnv::new();
            let mut ids: Vec<String> = (1..=3)
                .map(|number| env.plant("ai-agent", number, &json!({})))
                .collect();
            ids.reverse();
            put(&env, &env.sessions().join(name));
            let what = format!("{what} as {name}");
            assert_eq!(env.listed(&[]), ids, "{what}");
            let found = env.json(&["show", "00000002", "--json"]);
            assert_eq!(found["session_id"], ids[1].as_str(), "{what}");
            // A recorder isn't disturbed either.
            let run = env.aido(["--agent", "new", "true"]).output();
            assert!(run.code() == 0 && run.stderr.is_empty(), "{what}: {run:?}");
            let listed = env.listed(&[]);
            assert!(
                listed.len() == 4 && listed[0].starts_with("new-"),
                "{what}: {listed:?}"
            );
            let outside = fs::read_to_string(env.path("outside")).unwrap_or("precious\n".into());
            assert_eq!(outside, "precious\n", "{what}");
            assert!(!env.path("not-there").exists(), "{what}");
        }
    }
}

#[test]
fn endings_that_are_garbage_find_every_session_all_the_same() {
    let (env, ids) = store(300, Scale::Large);
    // Long enough for a table of endings to be made.
    let lines = fs::read_to_string(env.index()).unwrap();
    fs::write(env.index(), lines.repeat(20)).unwrap();
    let table = env.sessions().join("index.endings");
    let find = |number: usize, what: &str| {
        let ending = &ids[number][ids[number].len() - 8..];
        let found = env.json(&["show", ending, "--json"]);
        assert_eq!(found["session_id"], ids[number].as_str(), "{what}");
    };
    find(7, "none");
    assert!(table.exists(), "no table was made");
    find(7, "a fresh one");
    let intact = fs::read(&table).unwrap();
    let shifted = |bytes: &mut Vec<u8>| {
        for place in bytes[32..]
            .chunks_mut(12)
            .filter(|record| record.len() == 12)
        {
            place[4] = place[4].wrapping_add(3);
        }
    };
    let damages: [Damage; 6] = [
        ("emptied", Vec::clear),
        ("torn", |bytes| bytes.truncate(100)),
        ("all zeros", |bytes| bytes.fill(0)),
        ("the places wrong", shifted),
        ("no records", |bytes| bytes.truncate(32 + 8)),
        ("other numbers in the header", |bytes| {
            bytes[8..32].fill(0xff)
        }),
    ];
    for (what, damage) in damages {
        let mut bytes = intact.clone();
        damage(&mut bytes);
        fs::write(&table, bytes).unwrap();
        find(2, what);
        find(290, what);
    }
    // The table of another index.
    fs::write(&table, &intact).unwrap();
    let mut lines: Vec<&str> = lines.lines().collect();
    lines.reverse();
    fs::write(env.index(), lines.join("\n") + "\n").unwrap();
    find(2, "another index");
    find(290, "another index");
}

/// Sidecars that other hands put there or took away.
fn notices_what_comes_and_goes(scale: Scale) {
    let (env, mut ids) = store(30, scale);
    // What a reader of a large store goes by is that the directory changed well after the index did.
    let time_passes = || env.set_age("index.jsonl", 60);
    time_passes();
    let copied = planted_id("copied", 31);
    env.plant_sidecar(&copied, &json!({}));
    ids.insert(0, copied);
    assert_eq!(env.listed(&[]), ids, "{scale:?}: one was copied in");
    time_passes();
    let old = planted_id("old", 0);
    env.plant_sidecar(
        &old,
        &json!({"timestamp": moment(-86_400), "ended_at": moment(-86_399)}),
    );
    ids.push(old);
    assert_eq!(env.listed(&[]), ids, "{scale:?}: an old one was copied in");
    for place in [0, 5, 9] {
        fs::remove_file(env.file_of(&ids.remove(place), "meta.json")).unwrap();
    }
    assert_eq!(env.listed(&[]), ids, "{scale:?}: three were removed");
    assert_eq!(env.listed(&["-n", "2"])[..], ids[..2], "{scale:?}");
    let found = env.json(&["show", &ids[0], "--json"]);
    assert_eq!(found["session_id"], ids[0].as_str(), "{scale:?}");
}

#[test]
fn what_other_hands_did_is_noticed_in_a_small_store() {
    notices_what_comes_and_goes(Scale::Small);
}

#[test]
fn what_other_hands_did_is_noticed_in_a_large_store() {
    notices_what_comes_and_goes(Scale::Large);
}

/// Recorders, readers, and somebody who deletes the index again and again.
fn loses_nothing_in_parallel(scale: Scale) {
    let (env, planted) = store(20, scale);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let recorders: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..6 {
                        let run = env.aido(["--agent", "new", "true"]).output();
                        assert!(run.code() == 0 && run.stderr.is_empty(), "{run:?}");
                    }
                })
            })
            .collect();
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let run = env.aido(["list", "-n", "0", "--ndjson"]).output();
                    assert!(run.code() == 0 && run.stderr.is_empty(), "{run:?}");
                    for line in run.stdout_text().lines() {
                        serde_json::from_str::<Value>(line).unwrap();
                    }
                }
            });
        }
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let _ = fs::remove_file(env.index());
                thread::sleep(Duration::from_millis(7));
            }
        });
        let failed = recorders.into_iter().filter_map(|it| it.join().err());
        let failed: Vec<_> = failed.collect();
        done.store(true, Ordering::Relaxed);
        assert!(failed.is_empty(), "a recorder failed");
    });
    // As the directory has them: no reader's help.
    let names = fs::read_dir(env.sessions()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut ids: Vec<String> = names
        .filter_map(|name| Some(name.strip_suffix(".meta.json")?.to_owned()))
        .collect();
    assert_eq!(ids.len(), planted.len() + 48);
    ids.sort_unstable();
    let mut listed = env.listed(&[]);
    listed.sort_unstable();
    assert_eq!(listed, ids);
    let rest: Vec<String> = fs::read_dir(env.sessions())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".tmp") || name.ends_with(".new"))
        .collect();
    assert_eq!(rest, [""; 0], "left behind");
}

#[test]
fn a_small_store_loses_nothing_while_its_index_is_deleted() {
    loses_nothing_in_parallel(Scale::Small);
}

#[test]
fn a_large_store_loses_nothing_while_its_index_is_deleted() {
    loses_nothing_in_parallel(Scale::Large);
}

/// A directory that is large by its sessions alone.
#[test]
fn some_thousand_sessions_are_listed_like_a_few() {
    let env = TestEnv::new();
    // Names as long as they get, so that fewer make a directory large.
    let agent = "a".repeat(64);
    let mut ids: Vec<String> = (1..=2000)
        .rev()
        .map(|number| planted_id(&agent, number))
        .collect();
    for id in &ids {
        env.plant_sidecar(id, &json!({}));
    }
    assert_eq!(env.listed(&["-n", "3"]), ids[..3]);
    fs::remove_file(env.index()).unwrap();
    let run = env.aido(["--agent", "new", "true"]).output();
    assert_eq!(run.code(), 0, "{run:?}");
    fs::remove_file(env.file_of(&ids.remove(3), "meta.json")).unwrap();
    let listed = env.listed(&[]);
    assert!(listed[0].starts_with("new-"), "{}", listed[0]);
    assert!(listed[1..] == ids, "{} are listed", listed.len());
}

/// The index that a recorder finds missing isn't begun with that one session, as if it were all.
#[test]
fn a_recorder_that_finds_no_index_hides_no_older_session() {
    for is_deleted in [true, false] {
        let (env, ids) = store(30, Scale::Large);
        if is_deleted {
            fs::remove_file(env.index()).unwrap();
        } else {
            fs::write(env.index(), "").unwrap();
        }
        for _ in 0..2 {
            let run = env.aido(["--agent", "new", "true"]).output();
            assert_eq!(run.code(), 0, "{run:?}");
        }
        let listed = env.listed(&[]);
        assert_eq!(listed.len(), ids.len() + 2);
        assert_eq!(listed[2..], ids);
    }
}

#[test]
fn an_index_without_sizes_is_read() {
    let env = TestEnv::new();
    let ids = [1, 2].map(|number| env.plant("ai-agent", number, &json!({})));
    env.listed(&[]);
    let lines = fs::read_to_string(env.index()).unwrap();
    let lines = lines.lines().map(|line| {
        let mut entry: Value = serde_json::from_str(line).unwrap();
        entry.as_object_mut().unwrap().remove("size_bytes").unwrap();
        format!("{entry}\n")
    });
    fs::write(env.index(), lines.collect::<String>()).unwrap();
    assert_eq!(env.listed(&[]), [ids[1].as_str(), &ids[0]]);
    // What a session takes is asked of its files then.
    let words = ["prune", "--dry-run", "--json", "--keep-bytes", "1"];
    let total = &env.json(&words)["total"]["size_bytes"];
    let files = fs::read_dir(env.sessions()).unwrap().flatten();
    let of_sessions = files.filter(|entry| entry.file_name().to_string_lossy().starts_with("ai-"));
    let bytes: u64 = of_sessions
        .map(|entry| entry.metadata().unwrap().len())
        .sum();
    assert_eq!(total.as_u64(), Some(bytes));
}

#[test]
fn a_store_that_can_only_be_read_is_listed() {
    if geteuid().is_root() {
        skipped(
            "a_store_that_can_only_be_read_is_listed",
            "root may write to everything",
        );
        return;
    }
    for index in [None, Some(""), Some("garbage\n")] {
        let env = TestEnv::new();
        let ids = [1, 2].map(|number| env.plant("ai-agent", number, &json!({})));
        if let Some(text) = index {
            fs::write(env.index(), text).unwrap();
        }
        let lock =
            |mode| fs::set_permissions(env.sessions(), fs::Permissions::from_mode(mode)).unwrap();
        lock(0o500);
        let listed = env.listed(&[]);
        lock(0o700);
        assert_eq!(listed, [ids[1].as_str(), &ids[0]], "{index:?}");
    }
}

/// Whoever may write everywhere leaves nothing in a store that belongs to somebody else, where its
/// owner could not use it.
#[test]
fn reading_somebody_elses_store_leaves_nothing_there() {
    let test = "reading_somebody_elses_store_leaves_nothing_there";
    if !geteuid().is_root() {
        skipped(test, "only root can give a store to another user");
        return;
    }
    for index in [None, Some(""), Some("garbage\n")] {
        let env = TestEnv::new();
        let ids = [1, 2].map(|number| env.plant("ai-agent", number, &json!({})));
        if let Some(text) = index {
            fs::write(env.index(), text).unwrap();
        }
        chown(env.sessions(), Some(12_345), Some(12_345)).unwrap();
        let files = || {
            let names = fs::read_dir(env.sessions()).unwrap().flatten();
            let mut names: Vec<_> = names
                .map(|entry| {
                    (
                        entry.file_name(),
                        fs::read(entry.path()).unwrap_or_default(),
                    )
                })
                .collect();
            names.sort_unstable();
            names
        };
        let before = files();
        assert_eq!(env.listed(&[]), [ids[1].as_str(), &ids[0]], "{index:?}");
        env.read(&["show", "00000001"]);
        assert!(files() == before, "{index:?}: {:?}", files());
    }
}
