//! Whether the documents are true: what they name exists, and nothing tells of the machine it was written on.
//!
//! It judges names only; whether a sentence is true remains for people to read.

use crate::project::Project;
use std::path::Path;

/// Documents whose paths are looked up.
const DOCUMENTS: [&str; 3] = ["README.md", "ARCHITECTURE.md", "docs/threat-model.md"];
/// Documents that rely on tests by name.
const RELYING: [&str; 3] = ["ARCHITECTURE.md", "docs/threat-model.md", "docs/adopt/dpia.md"];
/// What a path of ours begins with.
const PARTS: [&str; 9] =
    ["crates/", "policies/", "meters/", "operations/", "docs/", "xtask/", "bench/", "fuzz/", ".ci/"];
/// Folders every machine has: a text that names one tells nothing of this one.
const SHARED_FOLDERS: [&str; 7] = ["/", "/home", "/opt", "/srv", "/tmp", "/usr", "/var/tmp"];

/// Says, a line each, what is not true.
pub(crate) fn untrue(project: &Project) -> Result<Vec<String>, String> {
    let mut untrue = Vec::new();
    for document in DOCUMENTS {
        match project.read(document) {
            Ok(text) => {
                let missing = paths(&text).filter(|path| !project.root.join(path).exists());
                untrue.extend(missing.map(|path| format!("{document} names `{path}`, which does not exist")));
            }
            Err(why) => untrue.push(why),
        }
    }
    let sources = project.sources()?;
    for document in RELYING {
        let text = project.read(document).unwrap_or_default();
        let tests = named_tests(&text);
        if tests.is_empty() {
            untrue.push(format!("{document} names no test (a table row with `test: its_name`)"));
        }
        for name in tests.into_iter().filter(|name| !sources.iter().any(|(_, source)| has_test(source, name))) {
            untrue.push(format!("{document} relies on the test `{name}`, which does not exist"));
        }
    }
    let folders = machine_folders(&project.root, std::env::var("HOME").ok().as_deref());
    for path in project.files()? {
        let bytes = std::fs::read(project.root.join(&path)).map_err(|error| format!("{path}: {error}"))?;
        if let Some(line) = machine_path(&bytes, &folders) {
            untrue.push(format!("{path}, line {line}: a path of this machine; name it from the project's root"));
        }
    }
    Ok(untrue)
}

/// The paths of ours that a document names in backticks, outside of code blocks.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let plain = |path: &&str| path.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
    let ours = |path: &&str| PARTS.iter().any(|part| path.starts_with(part));
    let mut in_block = false;
    let prose = text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        in_block ^= fence;
        !in_block && !fence
    });
    prose.flat_map(|line| line.split('`').skip(1).step_by(2)).filter(ours).filter(plain)
}

/// The tests that table rows name: `test: its_name`.
fn named_tests(text: &str) -> Vec<&str> {
    let rows = text.lines().filter(|line| line.trim_start().starts_with('|'));
    let names = rows.flat_map(|row| row.split("test: ").skip(1)).map(|rest| {
        let rest = rest.trim_start_matches('`');
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':').unwrap_or(rest.len());
        let path = rest.get(..end).unwrap_or_default();
        path.rsplit("::").next().unwrap_or_default()
    });
    names.collect()
}

/// Whether a source file has a test function of this name.
fn has_test(source: &str, name: &str) -> bool {
    let head = format!("fn {name}(");
    let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
    lines.iter().enumerate().filter(|(_, line)| line.contains(&head)).any(|(place, _)| {
        let above = lines.iter().take(place).rev().take_while(|line| line.starts_with(['#', '/']));
        above.into_iter().any(|line| line.starts_with("#[") && line.contains("test"))
    })
}

/// The checkout, the folder it lies in and the user's home, unless every machine has them.
fn machine_folders(root: &Path, home: Option<&str>) -> Vec<String> {
    let folders = [Some(root), root.parent(), home.map(Path::new)].into_iter().flatten();
    let names = folders.map(|folder| folder.to_string_lossy().trim_end_matches('/').to_owned());
    names.filter(|name| !name.is_empty() && !SHARED_FOLDERS.contains(&name.as_str())).collect()
}

/// The line on which a path into one of the folders begins.
fn machine_path(bytes: &[u8], folders: &[String]) -> Option<usize> {
    let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-}~".contains(byte);
    bytes
        .split(|byte| *byte == b'\n')
        .position(|line| {
            (0..line.len()).any(|place| {
                let (before, rest) = line.split_at(place);
                let inside = folders.iter().any(|folder| {
                    rest.strip_prefix(folder.as_bytes())
                        .is_some_and(|rest| rest.first().is_none_or(|next| !goes_on(next)))
                });
                // `a/attic/` and `https://attic/` only look like the folder `attic` in the root; `file:///…` is it.
                let starts = match before {
                    [.., b'/', b'/'] | [] => true,
                    [.., last] => *last != b'/' && !goes_on(last),
                };
                inside && starts
            })
        })
        .map(|line| line + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_from_prose_only() {
        let text = "See `crates/usage/src/lib.rs`, `policies/`, `cargo test` and `meters/*.toml`.\n```\n`docs/no.md`\n```\n\
                    Also `docs/adr`.";
        assert_eq!(paths(text).collect::<Vec<_>>(), ["crates/usage/src/lib.rs", "policies/", "docs/adr"]);
    }

    #[test]
    fn tests_are_read_from_table_rows_and_looked_up_as_tests() {
        let text =
            "| 1 | No content | test: `focus::tests::drops_names` |\n| 2 | test: a_b, test: c |\nno row: test: x";
        assert_eq!(named_tests(text), ["drops_names", "a_b", "c"]);
        let source = "#[test]\n// why\nfn drops_names() {}\n\nfn a_b() {}\n    #[tokio::test]\n    async fn c() {}";
        assert!(has_test(source, "drops_names") && has_test(source, "c"));
        assert!(!has_test(source, "a_b") && !has_test(source, "drops"));
    }

    #[test]
    fn paths_of_the_machine_are_found_and_others_are_not() {
        let folders = machine_folders(Path::new("/attic/box"), Some("/den/me/"));
        assert_eq!(folders, ["/attic/box", "/attic", "/den/me"]);
        let line = |text: &str| machine_path(text.as_bytes(), &folders);
        assert_eq!(line("fine\nopen /attic/box/a.csv"), Some(2));
        assert_eq!(line("file:///attic/x"), Some(1));
        assert_eq!(line("\"/den/me\""), Some(1));
        assert_eq!(line("docs/attic/x, ../attic/x, https://attic/x, /attics/x, /den/men"), None);
        assert_eq!(machine_folders(Path::new("/tmp/box"), Some("/")), ["/tmp/box"]);
    }
}
