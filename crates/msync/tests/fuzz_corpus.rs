//! Runs every file of the fuzz corpora through its fuzzed function, on stable.

#![expect(clippy::expect_used, reason = "a suite of tests")]

#[path = "../fuzz/fuzzed.rs"]
mod fuzzed;

/// How many inputs there were.
fn run(corpus: &str, fuzzed: fn(&[u8])) -> usize {
    let directory = format!("{}/fuzz/corpus/{corpus}", env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for path in std::fs::read_dir(directory).expect("a corpus").flatten().map(|input| input.path()) {
        // Shown only if the function panics: it names the file that did it.
        println!("{}", path.display());
        fuzzed(&std::fs::read(path).expect("readable"));
        count += 1;
    }
    count
}

#[test]
fn frames() {
    assert!(run("frames", fuzzed::frames) >= 20);
}

#[test]
fn compressed() {
    assert!(run("compressed", fuzzed::compressed) >= 8);
}
