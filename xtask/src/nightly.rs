//! `cargo xtask nightly`: what takes too long for every change, in a build with optimisation. It knows no rule of the
//! domain: the tests are those of every change, told to go on for longer.

use crate::project::{Project, run};
use crate::setup;

/// A test that goes on for longer: its package, the filter of its name, and what tells it how long.
const LONGER: [(&str, &str, (&str, &str)); 2] = [
    ("review", "no_sequence_of_commands_breaks_an_invariant", ("TRIBUNE_SEQUENCES", "100000")),
    ("store", "nothing_acknowledged", ("TRIBUNE_STORE_KILLS", "500")),
];

/// Sets up what is missing, and runs them one after the other; one that fails does not keep the next from running.
pub(crate) fn run_all(project: &Project) -> Result<(), String> {
    setup::set_up_for(project, &["TRIBUNE_POSTGRES_BIN"])?;
    let mut failed = Vec::new();
    for (package, filter, variable) in LONGER {
        println!("\n== {package}: {filter}, {} = {}", variable.0, variable.1);
        let mut cargo = project.command("cargo");
        cargo.args(["test", "--release", "--locked", "--package", package, filter]);
        let result = run(cargo.envs(setup::variables(project)).envs([variable]));
        if let Err(why) = result {
            println!("== {package}: FAILED: {why}");
            failed.push(filter);
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}
