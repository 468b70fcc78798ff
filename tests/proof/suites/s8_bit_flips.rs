//! S8: every bit of a transcript and its sidecar is flipped in turn, and `aido verify` must object.
//! (After systemd's test-journal-verify, which does so with a journal.)

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::Bench;
use crate::crowd::{crowd, processors};
use crate::place::{Kept, Place};
use crate::sessions;
use crate::verdict::Verdict;
use crate::words;

pub(crate) fn run(bench: &Bench) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::new();
    let place = Place::new(bench, "S8", Kept::ByName)?;
    let run = place
        .aido(["sh", "-c", "echo a line; echo another; exit 3"])
        .output()?;
    anyhow::ensure!(run.code() == 3, "the command: {}", run.describe());
    let directory = place.sessions();
    let ids = sessions::finished_in(&directory);
    let [id] = ids.as_slice() else {
        anyhow::bail!("{} sessions instead of one", ids.len());
    };
    if status(&place, &directory, id)?.as_deref() != Some("OK") {
        verdict.fault(format!("untouched: {:?}", status(&place, &directory, id)?));
    }
    for (what, ending, step) in [
        ("transcript", ".typescript", 7),
        ("sidecar", ".meta.json", 61),
    ] {
        let bytes = fs::read(directory.join(format!("{id}{ending}")))?;
        // Another part of a byte each time, so that the quick size meets every kind of place.
        let bits: Vec<usize> = (0..bytes.len() * 8).step_by(bench.pick(step, 1)).collect();
        let hands = processors();
        let results = crowd(hands, hands, |hand| {
            let copy = place.path(&format!("copy-{what}-{hand}"));
            copy_store(&directory, &copy)?;
            let file = copy.join(format!("{id}{ending}"));
            let mut unnoticed = Vec::new();
            for bit in bits.iter().copied().skip(hand).step_by(hands) {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                fs::write(&file, flipped)?;
                if status(&place, &copy, id)?.as_deref() == Some("OK") {
                    unnoticed.push(bit);
                }
            }
            anyhow::Ok(unnoticed)
        });
        for unnoticed in results {
            for bit in unnoticed? {
                verdict.fault(format!("{what}: bit {} of byte {}", bit % 8, bit / 8));
            }
        }
        verdict.figure(format!(
            "{} of {} bits of the {what} flipped",
            bits.len(),
            bytes.len() * 8
        ));
    }
    for forgery in FORGERIES {
        let copy = place.path("copy-forged");
        copy_store(&directory, &copy)?;
        (forgery.make)(&copy, id)?;
        let found = status(&place, &copy, id)?.unwrap_or_default();
        verdict.check(forgery.statuses.contains(&found.as_str()), || {
            format!(
                "{}: {found} instead of {:?}",
                forgery.name, forgery.statuses
            )
        });
        fs::remove_dir_all(copy)?;
    }
    verdict.figure(format!("{} forgeries named as they are", FORGERIES.len()));
    Ok(verdict)
}

/// What verify says of the session in a copy of the store.
fn status(place: &Place, store: &Path, id: &str) -> anyhow::Result<Option<String>> {
    let verified = words::verify_in(place, store)?;
    Ok(verified.statuses.get(id).cloned())
}

fn copy_store(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir(to)?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Something that somebody does to a session, and what it is then.
struct Forgery {
    name: &'static str,
    make: fn(&Path, &str) -> anyhow::Result<()>,
    statuses: &'static [&'static str],
}

const FORGERIES: &[Forgery] = &[
    Forgery {
        name: "another exit code, with marker and digest to match",
        make: |store, id| {
            let transcript = edit(
                store,
                id,
                ".typescript",
                "AI_EXIT_CODE: 3",
                "AI_EXIT_CODE: 0",
            )?;
            let old = read_meta(store, id)?;
            let digest = hex::encode(Sha256::digest(fs::read(transcript)?));
            edit(
                store,
                id,
                ".meta.json",
                old["sha256"].as_str().unwrap_or_default(),
                &digest,
            )?;
            edit(
                store,
                id,
                ".meta.json",
                "\"exit_code\": 3",
                "\"exit_code\": 0",
            )?;
            Ok(())
        },
        statuses: &["ALTERED"],
    },
    Forgery {
        name: "another exit code without a mac",
        make: |store, id| {
            let old = read_meta(store, id)?;
            let mac = format!("\"{}\"", old["mac"].as_str().unwrap_or_default());
            edit(store, id, ".meta.json", &mac, "null")?;
            edit(
                store,
                id,
                ".meta.json",
                "\"exit_code\": 3",
                "\"exit_code\": 0",
            )?;
            Ok(())
        },
        statuses: &["ALTERED", "UNSIGNED"],
    },
    Forgery {
        name: "a transcript that lost its end",
        make: |store, id| {
            let path = store.join(format!("{id}.typescript"));
            let length = fs::metadata(&path)?.len();
            Ok(fs::OpenOptions::new()
                .write(true)
                .open(path)?
                .set_len(length - 10)?)
        },
        statuses: &["TRUNCATED"],
    },
    Forgery {
        name: "a transcript with more behind the marker",
        make: |store, id| {
            let path = store.join(format!("{id}.typescript"));
            let mut bytes = fs::read(&path)?;
            bytes.extend(b"more\n");
            Ok(fs::write(path, bytes)?)
        },
        statuses: &["ALTERED"],
    },
    Forgery {
        name: "no transcript",
        make: |store, id| Ok(fs::remove_file(store.join(format!("{id}.typescript")))?),
        statuses: &["MISSING"],
    },
    Forgery {
        name: "an empty sidecar",
        make: |store, id| Ok(fs::write(store.join(format!("{id}.meta.json")), "")?),
        statuses: &["TORN"],
    },
    Forgery {
        name: "half a sidecar",
        make: |store, id| {
            let path = store.join(format!("{id}.meta.json"));
            let bytes = fs::read(&path)?;
            Ok(fs::write(path, &bytes[..bytes.len() / 2])?)
        },
        statuses: &["TORN"],
    },
];

fn read_meta(store: &Path, id: &str) -> anyhow::Result<serde_json::Value> {
    let bytes = fs::read(store.join(format!("{id}.meta.json")))?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// Replaces a text that must be there.
fn edit(store: &Path, id: &str, ending: &str, old: &str, new: &str) -> anyhow::Result<PathBuf> {
    let path = store.join(format!("{id}{ending}"));
    let text = fs::read_to_string(&path)?;
    anyhow::ensure!(
        !old.is_empty() && text.contains(old),
        "{old} is not in {ending}"
    );
    fs::write(&path, text.replace(old, new))?;
    Ok(path)
}
