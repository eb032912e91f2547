//! `cargo xtask screenshots`: a picture of every page, in every form.
//!
//! It knows no page: the test that opens every one of them takes the pictures on its way.

use crate::project::{Project, run};
use crate::setup;
use std::path::PathBuf;

/// The test, by the name that cargo filters by.
const TEST: &str = "looked::";

/// What it needs, by the variables that name it.
const TOOLS: [&str; 4] = ["TRIBUNE_NODE", "TRIBUNE_AXE", "TRIBUNE_CHROMIUM", "TRIBUNE_CHROMEDRIVER"];

/// Sets up what is missing, and runs that test with a folder for its pictures.
pub(crate) fn take(project: &Project, folder: Option<PathBuf>) -> Result<(), String> {
    let folder = match folder {
        Some(folder) => std::path::absolute(folder).map_err(|error| error.to_string())?,
        None => project.target.join("screenshots"),
    };
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    setup::set_up_for(project, &TOOLS)?;
    let variables = setup::variables(project);
    for needed in TOOLS {
        if !variables.iter().any(|(name, _)| *name == needed) {
            return Err(format!("nothing is here that {needed} could name: see what was not installed above"));
        }
    }
    let mut cargo = project.command("cargo");
    cargo.args(["test", "--package", "web", "--locked", "--test", "it", TEST, "--", "--nocapture"]);
    run(cargo.envs(variables).env("TRIBUNE_SCREENSHOTS", &folder))?;
    println!("{}", folder.join("index.html").display());
    Ok(())
}
