//! Where the checkout is, what it holds, and running programs in it. It checks nothing.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The checkout that `cargo xtask` was called in.
pub(crate) struct Project {
    /// The workspace's root.
    pub(crate) root: PathBuf,
    /// Cargo's target directory, which also holds the tools the tests use.
    pub(crate) target: PathBuf,
    /// What `cargo metadata --no-deps` says.
    pub(crate) metadata: Value,
}

impl Project {
    /// Asks cargo for the workspace around the current directory.
    pub(crate) fn locate() -> Result<Self, String> {
        let mut cargo = Command::new("cargo");
        cargo.args(["metadata", "--no-deps", "--format-version", "1"]);
        let metadata: Value = serde_json::from_slice(&output(&mut cargo)?)
            .map_err(|error| format!("`cargo metadata` printed no JSON: {error}"))?;
        let path = |key: &str| {
            let text = metadata.get(key).and_then(Value::as_str);
            text.map(PathBuf::from).ok_or_else(|| format!("`cargo metadata` does not tell its `{key}`"))
        };
        Ok(Self { root: path("workspace_root")?, target: path("target_directory")?, metadata })
    }

    /// A command that runs in the root, without standard input.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).stdin(Stdio::null());
        command
    }

    /// Where a tool of the tests' own is kept.
    pub(crate) fn tool(&self, path: &str) -> PathBuf {
        self.target.join("tools").join(path)
    }

    /// The text of a file of the project.
    pub(crate) fn read(&self, path: &str) -> Result<String, String> {
        std::fs::read_to_string(self.root.join(path)).map_err(|error| format!("{path}: {error}"))
    }

    /// Every file of the project that git keeps or would keep, as a path from the root.
    pub(crate) fn files(&self) -> Result<Vec<String>, String> {
        let mut git = self.command("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]);
        let list = String::from_utf8(output(&mut git)?).map_err(|_| "a file's name is not UTF-8".to_owned())?;
        let paths = list.split('\0').filter(|path| !path.is_empty() && self.root.join(path).is_file());
        Ok(paths.map(str::to_owned).collect())
    }

    /// The Rust source files, each with its text.
    pub(crate) fn sources(&self) -> Result<Vec<(String, String)>, String> {
        let paths = self.files()?.into_iter().filter(|path| path.ends_with(".rs"));
        paths.map(|path| self.read(&path).map(|text| (path, text))).collect()
    }
}

/// Runs a command whose output goes where ours goes; an error unless it succeeds.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| not_started(command, &error))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed ({status})", line(command))) }
}

/// What a command prints; an error unless it succeeds.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>, String> {
    let output = command.output().map_err(|error| not_started(command, &error))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{}` failed ({}): {}", line(command), output.status, text.trim()))
}

/// Whether a program is there and runs.
pub(crate) fn works(program: impl AsRef<Path>, arguments: &[&str]) -> bool {
    output(Command::new(program.as_ref()).args(arguments).stdin(Stdio::null())).is_ok()
}

fn not_started(command: &Command, error: &std::io::Error) -> String {
    format!("`{}` could not be started: {error}", command.get_program().display())
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
