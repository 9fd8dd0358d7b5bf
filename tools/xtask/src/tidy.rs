//! Rules that the compiler does not know: who may depend on whom, that documents name and link to what is there, and
//! names.

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
    (
        "stentor-msync",
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
        "stentor-push",
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
        "stentor-push-queue",
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
    document_links(&mut problems);
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
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target" && name != "node_modules") {
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

/// Every document of ours: those at the root, those beside sources, and those in `docs`.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut directories = vec![root()];
    while let Some(directory) = directories.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() && name != "target" && name != "node_modules" && !name.starts_with('.') {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Relative links must lead to files that are there, and to headings that are in them.
fn document_links(problems: &mut Vec<String>) {
    for document in documents() {
        let Ok(text) = fs::read_to_string(&document) else { continue };
        for link in links_in(&text) {
            if let Err(problem) = follow(&document, &text, link) {
                problems.push(format!("{} links to {link}: {problem}", shown(&document)));
            }
        }
    }
}

fn follow(document: &Path, text: &str, link: &str) -> Result<(), &'static str> {
    let (file, heading) = link.split_once('#').map_or((link, None), |(file, heading)| (file, Some(heading)));
    let target = if file.is_empty() { document.to_owned() } else { document.with_file_name("").join(file) };
    if !target.exists() {
        return Err("it is not there");
    }
    let Some(heading) = heading else { return Ok(()) };
    let target = if file.is_empty() { text.to_owned() } else { fs::read_to_string(target).unwrap_or_default() };
    if anchors_in(&target).any(|anchor| anchor == heading) { Ok(()) } else { Err("it has no such heading") }
}

/// The targets of links that are no URLs. What stands in backticks or between fences is no link.
fn links_in(text: &str) -> impl Iterator<Item = &str> {
    outside_code(text).flat_map(|prose| prose.split("](").skip(1)).filter_map(|rest| {
        let target = rest.split([')', ' ']).next()?;
        (!target.is_empty() && !target.contains("://") && !target.starts_with("mailto:")).then_some(target)
    })
}

/// The text of lines that are not between fences, without what stands in backticks.
fn outside_code(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    let prose = text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    });
    prose.flat_map(|line| line.split('`').step_by(2))
}

/// What headings are called in links: in lower case, without punctuation, with a `-` for every space.
fn anchors_in(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| line.starts_with('#')).map(|line| {
        let words = line.trim_start_matches('#').trim().to_lowercase();
        let kept = words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
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
    fn links_are_found_outside_of_code() {
        let text =
            "[a](b.md), [c](../d.md#e-f) and `[no](code.md)`\n```\n[no](fenced.md)\n```\n[u](https://x/y.md) [h](#g)";
        assert_eq!(links_in(text).collect::<Vec<_>>(), ["b.md", "../d.md#e-f", "#g"]);
        let headings = "# One, two!\ntext\n### `GET /x` \u{2013} y_z";
        assert_eq!(anchors_in(headings).collect::<Vec<_>>(), ["one-two", "get-x--y_z"]);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_a_problem() {
        let readme = root().join("README.md");
        let problem = |link| follow(&readme, "# Here", link).err();
        assert_eq!(problem("docs/limits.md"), None);
        assert_eq!(problem("docs"), None);
        assert_eq!(problem("#here"), None);
        assert_eq!(problem("docs/no.md"), Some("it is not there"));
        assert_eq!(problem("docs/limits.md#no"), Some("it has no such heading"));
    }

    #[test]
    fn documents_link_to_what_is_there() {
        let mut problems = Vec::new();
        document_links(&mut problems);
        assert_eq!(problems, [""; 0]);
        assert!(documents().iter().any(|document| document.ends_with("docs/limits.md")));
    }

    #[test]
    fn our_own_sources_are_found() {
        assert!(sources().iter().any(|file| file.ends_with("tools/xtask/src/tidy.rs")));
    }
}
