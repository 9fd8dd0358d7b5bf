//! Runs every file of the fuzz corpus through its fuzzed function, on stable.

#[path = "../fuzz/fuzzed.rs"]
mod fuzzed;

#[test]
fn frames() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/frames");
    let mut count = 0;
    for path in std::fs::read_dir(directory).expect("a corpus").flatten().map(|input| input.path()) {
        // Shown only if the function panics: it names the file that did it.
        println!("{}", path.display());
        fuzzed::frames(&std::fs::read(path).expect("readable"));
        count += 1;
    }
    assert!(count >= 20, "{count} inputs");
}
