//! Rules that the compiler does not know: who may depend on whom, that documents name what is there, and names.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{Failed, cargo_output, root};

/// A package, and what must not be found among its dependencies, direct or not.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "stentor-core",
        &[
            "axum",
            "hyper",
            "serde",
            "serde_json",
            "rusqlite",
            "stentor-api-rtm",
            "stentor-api-chat",
            "stentor-gateway-ws",
            "stentor-http-kit",
        ],
    ),
    ("stentor-token", &["tokio", "axum", "stentor-core"]),
    (
        "stentor-chat-content",
        &[
            "tokio",
            "axum",
            "hyper",
            "stentor-core",
            "stentor-api-rtm",
            "stentor-api-chat",
            "stentor-gateway-ws",
            "stentor-http-kit",
        ],
    ),
    ("stentor-http-kit", &["stentor-core", "stentor-api-rtm", "stentor-gateway-ws", "rusqlite"]),
    (
        "stentor-files",
        // Ring: rustls comes with one library of cryptography, and that is another.
        &["stentor-core", "stentor-api-rtm", "stentor-gateway-ws", "stentor-http-kit", "axum", "rusqlite", "ring"],
    ),
    (
        "stentor-callbacks",
        &[
            "stentor-api-rtm",
            "stentor-api-chat",
            "stentor-gateway-ws",
            "stentor-http-kit",
            "stentor-store-embedded",
            "axum",
            "rusqlite",
            "ring",
        ],
    ),
    (
        "stentor-api-rtm",
        &["stentor-api-chat", "stentor-gateway-ws", "stentor-store-embedded", "stentor-server", "rusqlite"],
    ),
    (
        "stentor-api-chat",
        &["stentor-api-rtm", "stentor-gateway-ws", "stentor-store-embedded", "stentor-server", "rusqlite"],
    ),
    (
        "stentor-gateway-ws",
        &[
            "stentor-api-rtm",
            "stentor-api-chat",
            "stentor-http-kit",
            "stentor-store-embedded",
            "stentor-server",
            "rusqlite",
        ],
    ),
];

/// Drawers that everything ends up in.
const NO_SUCH_FILE: [&str; 6] = ["utils", "util", "helpers", "helper", "manager", "common"];

/// Documents whose paths must exist.
const DOCUMENTS: [&str; 3] = ["ARCHITECTURE.md", "CONTRIBUTING.md", "docs/operations.md"];

pub(crate) fn run() -> Result<(), Failed> {
    let mut problems = Vec::new();
    forbidden_edges(&mut problems)?;
    let files = sources();
    file_names(&files, &mut problems);
    openings(&files, &mut problems);
    document_paths(&mut problems);
    if problems.is_empty() {
        eprintln!("xtask: tidy");
        Ok(())
    } else {
        Err(Failed(format!("not tidy:\n  {}", problems.join("\n  "))))
    }
}

fn forbidden_edges(problems: &mut Vec<String>) -> Result<(), Failed> {
    let lock = fs::read_to_string(root().join("Cargo.lock")).map_err(|error| Failed(format!("Cargo.lock: {error}")))?;
    for (package, forbidden) in FORBIDDEN {
        let tree =
            cargo_output(&["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--format", "{p}"])?;
        let found: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        for name in *forbidden {
            // A name that is misspelt here would never be found.
            if !lock.contains(&format!("name = \"{name}\"\n")) {
                problems.push(format!("tidy.rs forbids {name}, which does not exist"));
            }
            if found.contains(name) {
                problems.push(format!("{package} depends on {name} (see `cargo tree -p {package} -i {name}`)"));
            }
        }
    }
    Ok(())
}

/// Every Rust file of ours.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut directories = vec![root().join("crates"), root().join("tools")];
    while let Some(directory) = directories.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn file_names(files: &[PathBuf], problems: &mut Vec<String>) {
    // Of shipped code; a test crate may have a `common.rs`, as cargo's own book does.
    for file in files.iter().filter(|file| file.components().any(|part| part.as_os_str() == "src")) {
        let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if stem.split('_').any(|word| NO_SUCH_FILE.contains(&word)) {
            problems.push(format!("{}: what is it about? {stem} says nothing", shown(file)));
        }
    }
}

fn openings(files: &[PathBuf], problems: &mut Vec<String>) {
    for file in files {
        let Ok(text) = fs::read_to_string(file) else { continue };
        // Fuzz targets start with an attribute of their compiler.
        if !text.starts_with("//!") && !text.starts_with("#!") {
            problems.push(format!("{} does not say what it is: it starts without //!", shown(file)));
        }
    }
}

fn document_paths(problems: &mut Vec<String>) {
    for document in DOCUMENTS {
        let Ok(text) = fs::read_to_string(root().join(document)) else { continue };
        for path in paths_in(&text) {
            // Within the text on a crate, paths start at `crates/`.
            if !root().join(path).exists() && !root().join("crates").join(path).exists() {
                problems.push(format!("{document} names {path}, which is not there"));
            }
        }
    }
}

/// What stands in backticks and looks like a path of the repository.
fn paths_in(text: &str) -> impl Iterator<Item = &str> {
    const TOPS: [&str; 4] = ["crates/", "tools/", "docs/", ".ci/"];
    text.split('`').skip(1).step_by(2).filter(|word| {
        let ours = TOPS.iter().any(|top| word.starts_with(top)) || word.ends_with(".rs");
        ours && word.contains('/') && !word.contains(['*', '{', '<', ' ', '…', '\n', ','])
    })
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_in_backticks() {
        let text = "see `crates/core/src/node.rs` and `Node::start`, or `crates/*/src`; `docs/adr/NNNN-<name>.md`, `core/src/id.rs`";
        assert_eq!(paths_in(text).collect::<Vec<_>>(), ["crates/core/src/node.rs", "core/src/id.rs"]);
    }

    #[test]
    fn our_own_sources_are_found() {
        assert!(sources().iter().any(|file| file.ends_with("tools/xtask/src/tidy.rs")));
    }
}
