//! What happens while another aido holds the lock of failure memory.

use std::fs::{self, File};

use rustix::fs::{FlockOperation, flock};

use super::{COMPILE_ERROR, Place};

fn hold(place: &Place) -> File {
    let path = place.env.path("work/nexus/faults/local/.lock");
    let lock = File::options().append(true).open(path).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    lock
}

#[test]
fn failures_under_a_held_lock_are_counted_once_it_is_free() {
    let place = Place::new();
    place.tell(101, COMPILE_ERROR);
    place.run(&["cargo", "build"], 101);
    let lock = hold(&place);
    let told = place.run(&["--report", "failure", "cargo", "build"], 101);
    assert!(told.stderr_text().contains("seen 2 times"), "{told:?}");
    place.run(&["cargo", "build", "-q"], 101);
    let waiting = place.env.path("work/nexus/faults/local/pending");
    let count = || fs::read_dir(&waiting).unwrap().count();
    assert_eq!((count(), &place.fault()["count"]), (2, &1.into()));
    drop(lock);
    assert_eq!((&place.fault()["count"], count()), (&3.into(), 0));
    place.check(&["cargo", "build", "-q"], 1);
    // What is torn goes; what was counted before somebody was killed is not counted again.
    let lock = hold(&place);
    place.run(&["cargo", "build"], 101);
    let name = fs::read_dir(&waiting)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let bytes = fs::read(&name).unwrap();
    drop(lock);
    place.run(&["cargo", "build"], 101);
    assert_eq!((&place.fault()["count"], count()), (&5.into(), 0));
    fs::write(&name, &bytes).unwrap();
    fs::write(waiting.join("torn.json"), &bytes[..20]).unwrap();
    assert_eq!((&place.fault()["count"], count()), (&5.into(), 0));
}

#[test]
fn who_changes_what_is_known_hears_that_the_lock_is_held() {
    let place = Place::new();
    place.tell(101, COMPILE_ERROR);
    place.run(&["cargo", "build"], 101);
    let lock = hold(&place);
    let refused = place.aido(&["faults", "resolve", "last"]).output();
    let said = refused.stderr_text();
    assert!(!refused.status.success(), "{refused:?}");
    assert!(
        said.contains("another aido is changing it") && said.contains("try again"),
        "{said}"
    );
    drop(lock);
    place.run(&["faults", "resolve", "last"], 0);
}
