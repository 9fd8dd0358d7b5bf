//! The generated files of the repository are up to date.

use stentor_testkit::in_workspace;

#[test]
fn generated_files_are_up_to_date() {
    for file in stentor_server::generated::files().unwrap() {
        let found = std::fs::read_to_string(in_workspace(file.path)).unwrap_or_default();
        assert!(found == file.text, "{} is stale: run `cargo xtask generate`", file.path);
    }
}
