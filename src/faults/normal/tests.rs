//! The normal form by examples, and that it is stable for any text.

use proptest::prelude::*;

use super::*;

fn taken_out(text: &str) -> String {
    normal(text, Numbers::TakenOut)
}

#[test]
fn what_changes_from_run_to_run_is_taken_out() {
    for (text, wanted) in [
        ("at /home/a/x/main.rs:12:5", "at main.rs"),
        ("at ../x/main.rs:7", "at main.rs"),
        ("C:\\Users\\me\\a.txt: gone", "a.txt: gone"),
        ("in 12.3s, 4 of 5 (80%)", "in <dur>, <n> of <n> (<n>)"),
        ("after 5 ms and 1m30s", "after <dur> and <dur>"),
        (
            "dial 10.0.0.1:8080 ::1 localhost:80",
            "dial <ip> <ip> localhost",
        ),
        ("port 18231", "port <n>"),
        ("id 6f1e6ba4-8c1c-4b0e-9d2a-5b9b0c1d2e3f", "id <id>"),
        (
            "commit 1a2b3c4 at 0xdeadbeef+0x1f",
            "commit <id> at <hex>+<hex>",
        ),
        ("2026-11-21T09:38:20Z ERROR gone", "error gone"),
        ("E1121 09:38:26.910213 22503 a.go:265] x", "<n> a.go] x"),
        ("on Sat Nov 21 09:38:20 2026", "on <time> <n>"),
        (
            "https://me:pw@host.org:8443/a/b.git?x=1",
            "<url> host.org b.git",
        ),
        ("unix:///var/run/docker.sock gone", "<url> docker.sock gone"),
        ("from a.b@example.org", "from <mail>"),
        (
            "user \"mara\" and user 'ole'",
            "user '<user>' and user '<user>'",
        ),
        (
            "/tmp/cck7chBt.o tmpab12_xyz tmp.XyZabc",
            "<tmp> <tmp> <tmp>",
        ),
        ("/tmp/a/b/lib.rs /home/mara", "lib.rs <home>"),
        (
            "libx-52f128a68c7e967a.rlib web-6d4cf56db6-x7k2p",
            "libx-<id>.rlib web-<id>-<id>",
        ),
        (
            "utf-8 x86_64 ts2304 E0308 python3.11 1.2.3",
            "utf-8 x86_64 ts2304 e0308 python3.11 1.2.3",
        ),
        ("‘a’ `b` \"c\"  \t d", "'a' 'b' 'c' d"),
        ("@scope/pkg@1.2.3", "pkg@1.2.3"),
        ("/ //", "/ /"),
        ("", ""),
    ] {
        assert_eq!(taken_out(text), wanted, "{text}");
    }
    assert_eq!(normal("http 404 /a/b", Numbers::Kept), "http 404 b");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_normal_form_of_a_normal_form_is_itself(
        text in "\\PC{0,60}|[ -~]{0,300}|([a-f0-9]{1,9}|[-:./@_<>' ]|[0-9]{1,5}|<n>|tmp|user|nov|0x|://){0,40}",
    ) {
        for numbers in [Numbers::TakenOut, Numbers::Kept] {
            let once = normal(&text, numbers);
            prop_assert!(once.len() <= LENGTH_MAX);
            prop_assert_eq!(&normal(&once, numbers), &once);
        }
    }
}
