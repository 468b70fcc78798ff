//! Directories: where the command is run, what the repository is made of, where sessions are kept.

use std::ffi::{CString, OsStr};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown, symlink};
use std::path::Path;

use super::{Case, Ground, nasty};

const STORE: &str = "work/nexus/.aisessions";
const REPOSITORY_FILE: &str = "work/nexus/aido.toml";
const USER_FILE: &str = "home/.config/aido/config.toml";
const SOMEBODY: u32 = 65534;

/// What stands in the way, and where.
const IN_THE_WAY: &[&str] = &[
    "work/nexus",
    STORE,
    "home/.local/state/aido",
    "home/.local/state/aido/live",
    "home/.local/state/aido/key",
    "work/.git/HEAD",
    "work/.git/refs/heads/main",
    "work/.git/packed-refs",
    "work/.git/commondir",
];

/// Settings that only the user may make, and a stranger makes.
const STRANGERS: &[&[u8]] = &[
    b"session_dir = \"../outside/directory\"\n",
    b"debug_log = \"../../outside/log\"\ndebug = true\n",
    b"shell = \"/outside/shell\"\nagent = \"../x\"\n",
];

/// Settings that can't be taken, or not as they are.
const SETTINGS: &[&[u8]] = &[
    b"\"\x1b[31m\" = 1\n",
    b"note = \"\\u001b[31m\\u202e\"\ntags = [\"\\u001b]0;x\\u0007\"]\n",
    b"tags = [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n",
    b"max_bytes = 99999999999999999999999\n",
    b"\xff\xfe\xff",
    b"timeout = -1\n",
    b"strict = \"\x1b[2J\"\n",
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for text in nasty::TEXTS {
        if !text.contains(&b'/') && !text.is_empty() && ![&b"."[..], b".."].contains(text) {
            cases.push(working_in(text));
            cases.push(kept_in(text));
        }
    }
    for path in IN_THE_WAY {
        cases.extend(in_the_way(path));
    }
    for (file, texts) in [
        (REPOSITORY_FILE, STRANGERS),
        (REPOSITORY_FILE, SETTINGS),
        (USER_FILE, SETTINGS),
    ] {
        for text in texts {
            let name = format!("{file}: {}", text.escape_ascii());
            let case = Case::new(name).staged(move |ground| write(ground, file, text));
            cases.push(case.may_refuse());
        }
    }
    for file in [REPOSITORY_FILE, USER_FILE] {
        cases.push(
            Case::new(format!("{file} of 2 MiB"))
                .may_refuse()
                .staged(move |ground| write(ground, file, &vec![b'#'; 2 << 20])),
        );
        cases.push(
            Case::new(format!("{file} is a FIFO"))
                .may_refuse()
                .staged(move |ground| {
                    prepare(ground, file)?;
                    fifo(&ground.place.path(file))
                }),
        );
    }
    cases.extend(heads());
    cases.extend(odd_places());
    cases
}

/// The command's directory is called so.
fn working_in(text: &'static [u8]) -> Case {
    let directory = move |ground: &Ground| ground.place.work().join(OsStr::from_bytes(text));
    Case::new(format!("in {}", text.escape_ascii()))
        .staged(move |ground| Ok(fs::create_dir(directory(ground))?))
        .changed(move |ground, run| run.current_dir(directory(ground)))
}

/// The session directory is called so.
fn kept_in(text: &'static [u8]) -> Case {
    Case::new(format!("sessions in {}", text.escape_ascii())).changed(move |ground, run| {
        let directory = ground
            .place
            .path("home/state/aido")
            .join(OsStr::from_bytes(text));
        run.env("AIDO_SESSION_DIR", directory)
    })
}

/// Makes directories as aido would, so that their modes tell nothing of it.
fn make_private(path: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

fn prepare(ground: &Ground, path: &str) -> anyhow::Result<()> {
    let path = ground.place.path(path);
    if let Some(parent) = path.parent() {
        make_private(parent)?;
    }
    if path.is_dir() {
        fs::remove_dir_all(path)?;
    } else if path.symlink_metadata().is_ok() {
        fs::remove_file(path)?;
    }
    Ok(())
}

fn write(ground: &Ground, path: &str, text: &[u8]) -> anyhow::Result<()> {
    prepare(ground, path)?;
    Ok(fs::write(ground.place.path(path), text)?)
}

fn fifo(path: &Path) -> anyhow::Result<()> {
    crate::mounts::run("mkfifo", &[path]).map_err(anyhow::Error::msg)
}

fn in_the_way(path: &'static str) -> Vec<Case> {
    type Put = fn(&Ground, &Path) -> anyhow::Result<()>;
    let kinds: [(&str, Put); 4] = [
        ("a link to a directory", |ground, path| {
            Ok(symlink(ground.place.path("outside/directory"), path)?)
        }),
        ("a link to itself", |_, path| Ok(symlink(path, path)?)),
        ("a FIFO", |_, path| fifo(path)),
        ("a canary", |_, path| {
            Ok(fs::write(path, super::ground::CANARY)?)
        }),
    ];
    let case = |(kind, put): (&str, Put)| {
        Case::new(format!("{path} is {kind}")).staged(move |ground| {
            prepare(ground, path)?;
            put(ground, &ground.place.path(path))
        })
    };
    kinds.into_iter().map(case).collect()
}

/// What the repository's HEAD may say.
fn heads() -> Vec<Case> {
    let huge = [b"ref: ".to_vec(), vec![b'x'; 10 << 20]].concat();
    let texts: [Vec<u8>; 7] = [
        b"ref: ../../../outside/file\n".to_vec(),
        b"ref: /etc/passwd\n".to_vec(),
        b"ref: refs/heads/\x1b[31m\xe2\x80\xae\n".to_vec(),
        b"\x1b]0;title\x07\n".to_vec(),
        b"\xff\xfe\n".to_vec(),
        Vec::new(),
        huge,
    ];
    let case = |text: Vec<u8>| {
        let shown = text[..text.len().min(40)].escape_ascii().to_string();
        Case::new(format!("HEAD is {shown}"))
            .staged(move |ground| write(ground, "work/.git/HEAD", &text))
    };
    let mut cases: Vec<Case> = texts.into_iter().map(case).collect();
    for text in [
        &b"gitdir: ../outside\n"[..],
        b"gitdir: \x1b[31m\n",
        b"gitdir: work/.git\n",
        b"",
    ] {
        let name = format!(".git is a file, {}", text.escape_ascii());
        cases.push(Case::new(name).staged(move |ground| write(ground, "work/.git", text)));
    }
    cases
}

/// A name of many directories inside of each other, and how many.
const DEEP: &str = concat!(
    "dddddddddddddddddddddddddddddddddddddddd",
    "dddddddddddddddddddddddddddddddddddddddd"
);
const LEVELS: usize = 60;

fn make_deep(ground: &Ground) -> anyhow::Result<()> {
    use rustix::fs::{Mode, OFlags, mkdirat, openat};
    let mut here = rustix::fs::open(ground.place.work(), OFlags::DIRECTORY, Mode::empty())?;
    for _ in 0..LEVELS {
        mkdirat(&here, DEEP, Mode::RWXU)?;
        here = openat(&here, DEEP, OFlags::DIRECTORY, Mode::empty())?;
    }
    Ok(())
}

fn odd_places() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.push(
        Case::new("in a directory that is gone").changed(|ground, run| {
            let gone = ground.place.path("temporary/gone");
            let _ = fs::create_dir(&gone);
            let path = CString::new(gone.as_os_str().as_bytes()).unwrap_or_default();
            run.current_dir(gone).before_exec(move || {
                // SAFETY: a path that ends with a zero byte.
                unsafe { libc::rmdir(path.as_ptr()) };
                Ok(())
            })
        }),
    );
    cases.push(
        Case::new("deeper than a path may be long")
            .staged(make_deep)
            .changed(|_, run| {
                let name = CString::new(DEEP).unwrap_or_default();
                run.before_exec(move || {
                    for _ in 0..LEVELS {
                        // SAFETY: a name that ends with a zero byte.
                        if unsafe { libc::chdir(name.as_ptr()) } != 0 {
                            return Err(std::io::Error::last_os_error());
                        }
                    }
                    Ok(())
                })
            }),
    );
    cases.push(
        Case::new("by way of a link")
            .staged(|ground| {
                Ok(symlink(
                    ground.place.work(),
                    ground.place.path("temporary/link"),
                )?)
            })
            .changed(|ground, run| run.current_dir(ground.place.path("temporary/link"))),
    );
    for (name, mode) in [
        ("the group", 0o770),
        ("all", 0o777),
        ("all, sticky", 0o1777),
        ("nobody", 0),
    ] {
        cases.push(
            Case::new(format!("a store that {name} may write to")).staged(move |ground| {
                let store = ground.place.sessions();
                fs::create_dir_all(&store)?;
                Ok(fs::set_permissions(
                    store,
                    fs::Permissions::from_mode(mode),
                )?)
            }),
        );
    }
    if rustix::process::geteuid().is_root() {
        for path in ["work/nexus", STORE, "home/.local/state/aido"] {
            cases.push(
                Case::new(format!("{path} is somebody else's")).staged(move |ground| {
                    fs::create_dir_all(ground.place.path(path))?;
                    Ok(chown(ground.place.path(path), Some(SOMEBODY), None)?)
                }),
            );
        }
    }
    cases
}
