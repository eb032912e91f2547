//! The project's own chores, run as `cargo xtask`: set-up of a fresh machine, and every check a change must pass.
//!
//! It is no part of the product: nothing under `crates/` depends on it, and it knows no rule of the domain.

mod docs;
mod nightly;
mod project;
mod screenshots;
mod setup;
mod steps;
mod walls;

use project::Project;
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
The project's own chores.

usage: cargo xtask test [--only STEP]...    set up what is missing, then run every step, or only those named
       cargo xtask screenshots [DIR]           a picture of every page in light, dark, phone and print, with an index.html
                                               (in `screenshots` under cargo's target directory, if DIR is not said)
       cargo xtask nightly                     100,000 sequences of commands, 500 kills of each database; ten minutes once it is built
       cargo xtask --help

example: cargo xtask test --only fmt --only docs

steps of `test`, in this order:";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match parse(&arguments) {
        Ok(Request::Help) => {
            println!("{USAGE}");
            steps::STEPS.iter().for_each(|step| println!("  {:<9} {}", step.name, step.about));
            ExitCode::SUCCESS
        }
        Ok(Request::Test(only)) => ended(Project::locate().and_then(|project| steps::test(&project, &only))),
        Ok(Request::Nightly) => ended(Project::locate().and_then(|project| nightly::run_all(&project))),
        Ok(Request::Screenshots(folder)) => {
            ended(Project::locate().and_then(|project| screenshots::take(&project, folder)))
        }
        Err(text) => {
            eprintln!("xtask: {text}; `cargo xtask --help` shows how");
            ExitCode::from(2)
        }
    }
}

fn ended(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("xtask: {text}");
            ExitCode::from(1)
        }
    }
}

#[derive(Debug, PartialEq)]
enum Request {
    Help,
    /// What takes too long for every change.
    Nightly,
    /// Take pictures of every page, into this folder.
    Screenshots(Option<PathBuf>),
    /// Run these steps; all when none is named.
    Test(Vec<String>),
}

fn parse(arguments: &[String]) -> Result<Request, String> {
    if arguments.is_empty() || arguments.iter().any(|argument| matches!(argument.as_str(), "--help" | "-h" | "help")) {
        return Ok(Request::Help);
    }
    let mut words = arguments.iter().map(String::as_str);
    match words.next() {
        Some("test") => {}
        Some("nightly") => {
            return match words.next() {
                None => Ok(Request::Nightly),
                Some(more) => Err(format!("`nightly` takes nothing, and not `{more}`")),
            };
        }
        Some("screenshots") => {
            let folder = words.next().map(PathBuf::from);
            return match words.next() {
                None => Ok(Request::Screenshots(folder)),
                Some(more) => Err(format!("`screenshots` takes one folder, and not `{more}` besides")),
            };
        }
        other => return Err(format!("there is no chore `{}`", other.unwrap_or_default())),
    }
    let mut only = Vec::new();
    while let Some(word) = words.next() {
        if word != "--only" {
            return Err(format!("`test` does not take `{word}`"));
        }
        let name = words.next().unwrap_or_default();
        if !steps::STEPS.iter().any(|step| step.name == name) {
            return Err(format!("there is no step `{name}`"));
        }
        only.push(name.to_owned());
    }
    Ok(Request::Test(only))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Request, String> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn arguments_are_understood_or_refused_by_name() {
        assert_eq!(parsed(""), Ok(Request::Help));
        assert_eq!(parsed("test --help"), Ok(Request::Help));
        assert_eq!(parsed("test"), Ok(Request::Test(vec![])));
        assert_eq!(parsed("test --only fmt --only docs"), Ok(Request::Test(vec!["fmt".into(), "docs".into()])));
        assert_eq!(parsed("nightly"), Ok(Request::Nightly));
        assert!(parsed("nightly now").unwrap_err().contains("`now`"));
        assert_eq!(parsed("screenshots"), Ok(Request::Screenshots(None)));
        assert_eq!(parsed("screenshots here"), Ok(Request::Screenshots(Some("here".into()))));
        assert!(parsed("screenshots here there").unwrap_err().contains("`there`"));
        assert!(parsed("tset").unwrap_err().contains("`tset`"));
        assert!(parsed("test --only fnt").unwrap_err().contains("`fnt`"));
        assert!(parsed("test --fast").unwrap_err().contains("`--fast`"));
    }
}
