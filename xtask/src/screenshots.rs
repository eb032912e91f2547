//! `cargo xtask screenshots`: a picture of every page, in every form.
//!
//! It knows no page: the test that opens every one of them takes the pictures on its way.

use crate::project::{Project, run};
use crate::setup;
use std::path::PathBuf;

/// The test, by the name that cargo filters by.
const TEST: &str = "looked::";

/// Sets up what is missing, and runs that test with a folder for its pictures.
pub(crate) fn take(project: &Project, folder: Option<PathBuf>) -> Result<(), String> {
    let folder = match folder {
        Some(folder) => std::path::absolute(folder).map_err(|error| error.to_string())?,
        None => project.target.join("screenshots"),
    };
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    setup::set_up(project, &["tests"])?;
    let variables = setup::variables(project);
    for needed in ["TRIBUNE_CHROMEDRIVER", "TRIBUNE_AXE"] {
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
