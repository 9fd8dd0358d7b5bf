//! Writes the generated files of the repository, or with `--check` says which of them are stale.
//! Called by `cargo xtask generate`, from the repository's root.

use std::process::ExitCode;

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    match generate(check) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(stale) => {
            eprintln!("{stale} generated files are stale: run `cargo xtask generate`");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns how many files are stale and were left so.
fn generate(check: bool) -> Result<usize, Box<dyn std::error::Error>> {
    let mut stale = 0;
    for file in stentor_server::generated::files()? {
        if std::fs::read_to_string(file.path).is_ok_and(|text| text == file.text) {
            continue;
        }
        if check {
            eprintln!("stale: {}", file.path);
            stale += 1;
            continue;
        }
        if let Some(directory) = std::path::Path::new(file.path).parent() {
            std::fs::create_dir_all(directory)?;
        }
        std::fs::write(file.path, file.text)?;
        println!("written: {}", file.path);
    }
    Ok(stale)
}
