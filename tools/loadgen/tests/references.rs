//! The benchmark end to end against the reference servers: everything arrives, and the results are written.

use std::process::Command;

use serde_json::Value;

#[test]
fn the_references_are_measured() {
    let out = tempfile::tempdir().unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_loadgen"))
        .args(["bench", "--references-only", "--rounds", "1", "--warm-up-s", "0.1", "--measure-s", "0.2"])
        .args(["fan_out_100_closed_128b", "fan_out_100_rate_1kib", "peer_wait_for_ack"])
        .arg("--out")
        .arg(out.path())
        .status()
        .unwrap();
    assert!(status.success());
    let results: Value = serde_json::from_slice(&std::fs::read(out.path().join("bench.json")).unwrap()).unwrap();
    assert_eq!(results["valid"], true);
    let scenarios = results["scenarios"].as_array().unwrap();
    assert_eq!(scenarios.len(), 4);
    for scenario in scenarios {
        assert_eq!(scenario["rounds"].as_array().unwrap().len(), 1, "{scenario}");
        for kind in ["plain", "coalescing"] {
            assert!(scenario["median"][kind]["p50_ms"].as_f64().unwrap() > 0.0, "{scenario}");
            assert!(scenario["median_ratio_to_first"][kind]["p50_ms"].is_f64(), "{scenario}");
        }
        assert_eq!(scenario["faults"].as_array().unwrap().len(), 0, "{scenario}");
    }
}

#[test]
fn an_unknown_scenario_is_an_error() {
    let status = Command::new(env!("CARGO_BIN_EXE_loadgen")).args(["bench", "nonsense"]).status().unwrap();
    assert!(!status.success());
}
