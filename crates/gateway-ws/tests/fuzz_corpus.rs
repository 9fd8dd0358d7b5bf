//! Runs every file of the fuzz corpora through its fuzzed function, on stable.

#![expect(clippy::expect_used, reason = "a suite of tests")]

#[path = "../fuzz/fuzzed.rs"]
mod fuzzed;

/// How many inputs there were.
fn run(corpus: &str, fuzzed: fn(&[u8])) -> usize {
    let directory = format!("{}/fuzz/corpus/{corpus}", env!("CARGO_MANIFEST_DIR"));
    let inputs = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut count = 0;
    for path in inputs.map(|input| input.path()) {
        // Shown only if the function panics: it names the file that did it.
        println!("{}", path.display());
        fuzzed(&std::fs::read(path).expect("readable"));
        count += 1;
    }
    count
}

#[test]
fn frames() {
    assert!(run("frames", fuzzed::frames) >= 18);
}

#[test]
fn sockjs_texts() {
    assert!(run("sockjs_texts", fuzzed::sockjs_texts) >= 12);
}

#[test]
fn requests() {
    assert!(run("requests", fuzzed::requests) >= 25);
}

#[test]
fn chat_requests() {
    assert!(run("chat_requests", fuzzed::chat_requests) >= 20);
}
