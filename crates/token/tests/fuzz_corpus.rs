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
fn login() {
    assert!(run("login", fuzzed::login).unwrap() >= 10);
}

#[test]
fn zlib() {
    assert!(run("zlib", fuzzed::zlib).unwrap() >= 5);
}

#[test]
fn services() {
    assert!(run("services", fuzzed::services).unwrap() >= 5);
}

#[test]
fn access() {
    assert!(run("access", fuzzed::access).unwrap() >= 10);
}

#[test]
fn dynamic() {
    assert!(run("dynamic", fuzzed::dynamic).unwrap() >= 10);
}
