//! Runs every file of the fuzz corpora through its fuzzed function, on stable; and random texts of the same letters.

#[path = "../fuzz/fuzzed.rs"]
mod fuzzed;

use std::{fs, path::Path};

use proptest::prelude::*;

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
fn interval() {
    assert!(run("interval", fuzzed::interval).unwrap() >= 10);
}

#[test]
fn pattern() {
    assert!(run("pattern", fuzzed::pattern).unwrap() >= 10);
}

proptest! {
    #[test]
    fn texts_that_look_like_intervals(text in "[0-9:+ -]{0,12}|[0-9]{1,2}:[0-9]{1,2}-[0-9]{1,2}:[0-9]{1,2}") {
        fuzzed::interval(text.as_bytes());
    }

    #[test]
    fn texts_that_look_like_patterns(
        parts in proptest::collection::vec(
            prop_oneof!["[{}$0-3a\n中]{0,6}", Just("{$msg}".to_owned()), Just("{$dynamicFrom}".to_owned()),
                Just("{$fromNickname}".to_owned()), Just("{0}".to_owned()), Just("{1}".to_owned())],
            0..8,
        ),
    ) {
        fuzzed::pattern(parts.concat().as_bytes());
    }
}
