//! `kill -9` at random moments under acknowledged load, over both APIs: nothing that was acknowledged is lost, neither
//! messages nor broadcasts nor callbacks nor pushes.

use loadgen::crash::{Options, run};

use crate::STENTOR;

/// `cargo xtask crash` does 500 of these.
const ROUNDS: u64 = 5;

#[test]
fn nothing_acknowledged_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options {
        rounds: ROUNDS,
        seed: None,
        grace_ms: 300,
        stentor: Some(STENTOR.into()),
        out: directory.path().join("crash"),
    };
    let report = run(&options).unwrap();
    assert!(report.violations.is_empty(), "{report:#?}");
    assert_eq!(report.rounds, ROUNDS);
    let counts = report.counts;
    // Of every kind there was something to lose.
    for (what, count) in [
        ("RTM messages", counts.rtm.delivered),
        ("Chat messages", counts.chat.delivered),
        ("broadcasts", counts.broadcasts.seen),
        ("callbacks", counts.callbacks.came),
        ("pushes", counts.pushes.owed),
        ("pushes of what is not acked", counts.pushes.unacked),
    ] {
        assert!(count > 0, "no {what} in {counts:#?}");
    }
}
