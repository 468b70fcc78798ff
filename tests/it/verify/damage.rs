//! What may have happened to a session's files.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::Place;

fn replace_by_link(path: &Path) {
    let kept = path.with_extension("kept");
    fs::rename(path, &kept).unwrap();
    symlink(&kept, path).unwrap();
}

fn replace_by_directory(path: &Path) {
    fs::remove_file(path).unwrap();
    fs::create_dir(path).unwrap();
}

pub(super) fn replace_by_fifo(path: &Path) {
    fs::remove_file(path).unwrap();
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

pub(super) fn cut(path: &Path, by: u64) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length.saturating_sub(by)).unwrap();
}

fn append(path: &Path, bytes: &[u8]) {
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

pub(super) fn overwrite(path: &Path, offset: u64, bytes: &[u8]) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(bytes, offset).unwrap();
}

/// What was done to a session, how, and what verify has to say: the status and the defects' kinds.
pub(super) type Damage = (
    &'static str,
    fn(&Place),
    &'static str,
    &'static [&'static str],
);

pub(super) const DAMAGES: &[Damage] = &[
    ("nothing", |_| (), "OK", &[]),
    // Transcripts. The output is 7 bytes, the marker 24.
    (
        "no transcript",
        |it| fs::remove_file(it.transcript()).unwrap(),
        "MISSING",
        &["transcript"],
    ),
    (
        "an empty transcript",
        |it| cut(&it.transcript(), 999),
        "TRUNCATED",
        &["length"],
    ),
    (
        "a transcript cut in its output",
        |it| cut(&it.transcript(), 26),
        "TRUNCATED",
        &["length"],
    ),
    (
        "a transcript cut in its marker",
        |it| cut(&it.transcript(), 1),
        "TRUNCATED",
        &["length"],
    ),
    (
        "a longer transcript",
        |it| append(&it.transcript(), b"x"),
        "ALTERED",
        &["length"],
    ),
    (
        "a far longer transcript",
        |it| append(&it.transcript(), &[b'x'; 9999]),
        "ALTERED",
        &["length"],
    ),
    (
        "an endless transcript",
        |it| {
            File::create(it.transcript())
                .unwrap()
                .set_len(1 << 40)
                .unwrap()
        },
        "ALTERED",
        &["length"],
    ),
    (
        "changed output",
        |it| overwrite(&it.transcript(), 0, b"O"),
        "ALTERED",
        &["digest"],
    ),
    (
        "another marker",
        |it| overwrite(&it.transcript(), 26, b"0"),
        "ALTERED",
        &["marker", "digest"],
    ),
    (
        "a transcript of zeros",
        |it| overwrite(&it.transcript(), 0, &[0; 32]),
        "TORN",
        &["length"],
    ),
    (
        "a link for a transcript",
        |it| replace_by_link(&it.transcript()),
        "ALTERED",
        &["transcript"],
    ),
    (
        "a transcript with two names",
        |it| fs::hard_link(it.transcript(), it.file("twin")).unwrap(),
        "ALTERED",
        &["transcript"],
    ),
    (
        "a directory for a transcript",
        |it| replace_by_directory(&it.transcript()),
        "ALTERED",
        &["transcript"],
    ),
    (
        "a FIFO for a transcript",
        |it| replace_by_fifo(&it.transcript()),
        "ALTERED",
        &["transcript"],
    ),
    // Sidecars.
    (
        "no sidecar",
        |it| fs::remove_file(it.sidecar()).unwrap(),
        "INTERRUPTED",
        &[],
    ),
    (
        "an empty sidecar",
        |it| cut(&it.sidecar(), 99_999),
        "TORN",
        &["sidecar"],
    ),
    (
        "half a sidecar",
        |it| cut(&it.sidecar(), 500),
        "TORN",
        &["sidecar"],
    ),
    (
        "a sidecar of zeros",
        |it| fs::write(it.sidecar(), [0; 4096]).unwrap(),
        "TORN",
        &["sidecar"],
    ),
    (
        "a sidecar of 100 MB",
        |it| {
            File::create(it.sidecar())
                .unwrap()
                .set_len(100_000_000)
                .unwrap()
        },
        "ALTERED",
        &["sidecar"],
    ),
    (
        "garbage for a sidecar",
        |it| fs::write(it.sidecar(), "garbage\n").unwrap(),
        "ALTERED",
        &["sidecar"],
    ),
    (
        "a sidecar that is no UTF-8",
        |it| fs::write(it.sidecar(), b"{\"a\": \"\xff\xfe\"}").unwrap(),
        "ALTERED",
        &["sidecar"],
    ),
    (
        "a list for a sidecar",
        |it| fs::write(it.sidecar(), "[]").unwrap(),
        "ALTERED",
        &["sidecar"],
    ),
    (
        "a bottomless sidecar",
        |it| fs::write(it.sidecar(), "[".repeat(1_000_000)).unwrap(),
        "ALTERED",
        &["sidecar"],
    ),
    (
        "a sidecar that would clear the screen",
        |it| it.forge("\"exited\"", "\"\\u001b[2J\\u009b2J\""),
        "ALTERED",
        &["signature", "sidecar"],
    ),
    (
        "a forged exit code",
        |it| it.forge("\"exit_code\": 3", "\"exit_code\": 0"),
        "ALTERED",
        &["signature", "marker", "exit_event"],
    ),
    (
        "a forged note",
        |it| it.forge("\"notes\": null", "\"notes\": \"ok\""),
        "ALTERED",
        &["signature"],
    ),
    (
        "a sidecar with another session's id",
        |it| {
            let (id, other) = (it.id.clone(), it.intact.clone());
            it.forge(&id, &other);
        },
        "ALTERED",
        &["signature", "sidecar"],
    ),
    (
        "a sidecar of the next major version",
        |it| it.forge("\"schema_version\": \"1.", "\"schema_version\": \"2."),
        "ALTERED",
        &["signature"],
    ),
    (
        "an unsigned one of the next major version",
        |it| fs::write(it.sidecar(), "{\"schema_version\": \"2.0\"}").unwrap(),
        "NEWER",
        &[],
    ),
    (
        "a link for a sidecar",
        |it| replace_by_link(&it.sidecar()),
        "ALTERED",
        &["sidecar"],
    ),
    (
        "a link to nothing for a sidecar",
        |it| {
            fs::remove_file(it.sidecar()).unwrap();
            symlink("/no/such/file", it.sidecar()).unwrap();
        },
        "ALTERED",
        &["sidecar"],
    ),
    (
        "a directory for a sidecar",
        |it| replace_by_directory(&it.sidecar()),
        "ALTERED",
        &["sidecar"],
    ),
    (
        "a FIFO for a sidecar",
        |it| replace_by_fifo(&it.sidecar()),
        "ALTERED",
        &["sidecar"],
    ),
    // Events.
    (
        "no events",
        |it| fs::remove_file(it.events()).unwrap(),
        "MISSING",
        &["events"],
    ),
    (
        "empty events",
        |it| cut(&it.events(), 99_999),
        "TORN",
        &["start_record"],
    ),
    (
        "torn events",
        |it| cut(&it.events(), 5),
        "TORN",
        &["events"],
    ),
    (
        "garbage for events",
        |it| fs::write(it.events(), "garbage\n").unwrap(),
        "ALTERED",
        &["start_record"],
    ),
    (
        "more events",
        |it| append(&it.events(), b"{\"type\":\"continued\",\"time\":9}\n"),
        "ALTERED",
        &["exit_event"],
    ),
    (
        "a FIFO for events",
        |it| replace_by_fifo(&it.events()),
        "ALTERED",
        &["events"],
    ),
    // Without a sidecar.
    (
        "a transcript alone",
        |it| {
            fs::remove_file(it.sidecar()).unwrap();
            fs::remove_file(it.events()).unwrap();
        },
        "MISSING",
        &["events"],
    ),
    (
        "a FIFO for events, and no sidecar",
        |it| {
            fs::remove_file(it.sidecar()).unwrap();
            replace_by_fifo(&it.events());
        },
        "ALTERED",
        &["events"],
    ),
    (
        "a link for a transcript, and nothing else",
        |it| {
            fs::remove_file(it.sidecar()).unwrap();
            fs::remove_file(it.events()).unwrap();
            replace_by_link(&it.transcript());
        },
        "ALTERED",
        &["transcript"],
    ),
    (
        "a torn start record, and no sidecar",
        |it| {
            fs::remove_file(it.sidecar()).unwrap();
            fs::write(it.events(), "{\"type\":\"sta").unwrap();
        },
        "TORN",
        &["start_record"],
    ),
    (
        "a transcript behind its events, and no sidecar",
        |it| {
            fs::remove_file(it.sidecar()).unwrap();
            cut(&it.transcript(), 30);
        },
        "TORN",
        &["length"],
    ),
];
