//! Runs every file of the fuzz corpora through its fuzzed function, on stable.

#[path = "../fuzz/fuzzed.rs"]
mod fuzzed;

use std::{fs, path::Path};

fn run(target: &str, function: fn(&[u8])) -> std::io::Result<usize> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut files = 0;
    for entry in fs::read_dir(corpus.join(target))? {
        let path = entry?.path();
        // Shown only if the function panics: it names the file that did it.
        println!("{}", path.display());
        function(&fs::read(path)?);
        files += 1;
    }
    Ok(files)
}

#[test]
fn messages() {
    assert!(run("messages", fuzzed::messages).unwrap() >= 20);
}

#[test]
fn payloads() {
    assert!(run("payloads", fuzzed::payloads).unwrap() >= 10);
}
