//! What the steps use and a fresh machine may lack: found, or installed after saying so. It runs no check.
//!
//! Everything that need not be system-wide lies in `tools/` under cargo's target directory, and is used offline once
//! it is there. What cannot be had is said, and what needs it is reported as skipped, by name.

use crate::project::{Project, run, works};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::Stdio;

/// A tool: how it is recognised, how it comes, and by which variables tests find it.
pub(crate) struct Tool {
    /// What it is and where it comes from.
    pub(crate) name: &'static str,
    /// The step that uses it.
    pub(crate) step: &'static str,
    present: fn(&Project) -> bool,
    install: fn(&Project) -> Result<(), String>,
    /// Environment variables that tests find it by. A tool that no test asks for is not installed.
    variables: &'static [(&'static str, Place)],
}

/// Where a program is.
enum Place {
    /// In the tests' Python environment.
    Environment(&'static str),
    /// The folder of npm's packages.
    Packages,
    /// On the path.
    System(&'static str),
    /// The folder of PostgreSQL's newest server programs, which Debian keeps off the path.
    Postgresql,
    /// Nginx, which Debian puts where only root's path leads.
    Nginx,
}

impl Place {
    fn path(&self, project: &Project) -> PathBuf {
        match self {
            Self::Environment(program) => project.tool("venv/bin").join(program),
            Self::Packages => project.tool("node/node_modules"),
            Self::System(program) => PathBuf::from(program),
            Self::Postgresql => postgresql().unwrap_or_default(),
            Self::Nginx => nginx().unwrap_or_default(),
        }
    }
}

/// Every tool, in the order in which they are installed.
pub(crate) const TOOLS: &[Tool] = &[
    Tool {
        name: "python3 and python3-venv (Debian)",
        step: "tests",
        present: |_| works("python3", &["-c", "import ensurepip, venv"]),
        install: |project| debian(project, &["python3", "python3-venv"]),
        variables: &[],
    },
    Tool {
        name: "a Python environment with the packages of xtask/requirements.txt (PyPI)",
        step: "tests",
        present: |project| environment_matches(project).unwrap_or(false),
        install: install_environment,
        variables: &[
            ("TRIBUNE_PYTHON", Place::Environment("python")),
            ("TRIBUNE_FOCUS_TOOLKIT", Place::Environment("focus-toolkit")),
            ("TRIBUNE_MOTO", Place::Environment("moto_server")),
            ("TRIBUNE_CADDY", Place::Environment("caddy")),
            ("TRIBUNE_ENVOY", Place::Environment("envoy")),
            ("TRIBUNE_TRAEFIK", Place::Environment("traefik")),
        ],
    },
    Tool {
        name: "nodejs and npm (Debian)",
        step: "tests",
        present: |_| works("node", &["--version"]) && works("npm", &["--version"]),
        install: |project| debian(project, &["nodejs", "npm"]),
        variables: &[("TRIBUNE_NODE", Place::System("node"))],
    },
    Tool {
        name: "the packages of xtask/node/package.json (npm): an OpenID provider, an evaluator of AWS policies, axe-core",
        step: "tests",
        present: |project| packages_match(project).unwrap_or(false),
        install: install_packages,
        variables: &[
            ("TRIBUNE_OIDC_PROVIDER", Place::Packages),
            ("TRIBUNE_IAM_SIMULATE", Place::Packages),
            ("TRIBUNE_AXE", Place::Packages),
        ],
    },
    Tool {
        name: "chromium (Debian)",
        step: "tests",
        present: |_| works("chromium", &["--version"]),
        install: |project| debian(project, &["chromium"]),
        variables: &[("TRIBUNE_CHROMIUM", Place::System("chromium"))],
    },
    Tool {
        name: "chromium-driver (Debian)",
        step: "tests",
        present: |_| works("chromedriver", &["--version"]),
        install: |project| debian(project, &["chromium-driver"]),
        variables: &[("TRIBUNE_CHROMEDRIVER", Place::System("chromedriver"))],
    },
    Tool {
        name: "postgresql (Debian)",
        step: "tests",
        present: |_| postgresql().is_some(),
        install: |project| debian(project, &["postgresql"]),
        variables: &[("TRIBUNE_POSTGRES_BIN", Place::Postgresql)],
    },
    Tool {
        name: "age (Debian)",
        step: "tests",
        present: |_| works("age", &["--version"]),
        install: |project| debian(project, &["age"]),
        variables: &[("TRIBUNE_AGE", Place::System("age"))],
    },
    Tool {
        name: "nginx (Debian)",
        step: "tests",
        present: |_| nginx().is_some(),
        install: |project| debian(project, &["nginx"]),
        variables: &[("TRIBUNE_NGINX", Place::Nginx)],
    },
    Tool {
        name: "strace (Debian)",
        step: "tests",
        present: |_| works("strace", &["--version"]),
        install: |project| debian(project, &["strace"]),
        variables: &[("TRIBUNE_STRACE", Place::System("strace"))],
    },
    Tool {
        name: "cargo-deny (crates.io; built once, takes some minutes)",
        step: "deny",
        present: |project| works(cargo_deny(project), &["--version"]),
        install: install_cargo_deny,
        variables: &[],
    },
];

/// Installs what the named steps lack. Says what it does; asks first on a terminal.
pub(crate) fn set_up(project: &Project, steps: &[&str]) -> Result<(), String> {
    let sources = project.sources()?;
    let asked_for = |tool: &Tool| {
        let own = |path: &str| path.starts_with("xtask/");
        let named = |variable: &str| sources.iter().any(|(path, text)| !own(path) && text.contains(variable));
        tool.variables.is_empty() || tool.variables.iter().any(|(variable, _)| named(variable))
    };
    install(project, TOOLS.iter().filter(|tool| steps.contains(&tool.step) && asked_for(tool)))
}

/// Installs what these variables name, where it lacks, as [`set_up`] does.
pub(crate) fn set_up_for(project: &Project, variables: &[&str]) -> Result<(), String> {
    let named = |tool: &&Tool| tool.variables.iter().any(|(variable, _)| variables.contains(variable));
    install(project, TOOLS.iter().filter(named))
}

fn install<'a>(project: &Project, used: impl Iterator<Item = &'a Tool>) -> Result<(), String> {
    let missing: Vec<&Tool> = used.filter(|tool| !(tool.present)(project)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("Missing here, and to be installed (in {}, except Debian's):", project.tool("").display());
    missing.iter().for_each(|tool| println!("  {}", tool.name));
    let agreed = !interactive() || confirmed();
    for tool in missing {
        let done = if agreed { (tool.install)(project) } else { Err("not wanted".into()) };
        if let Err(why) = done {
            eprintln!("NOT INSTALLED: {}: {why}", tool.name);
            eprintln!("  what needs it in the step `{}` will be skipped, and named at the end", tool.step);
        }
    }
    Ok(())
}

/// The variables by which tests find the tools that are there.
pub(crate) fn variables(project: &Project) -> Vec<(&'static str, PathBuf)> {
    let present = TOOLS.iter().filter(|tool| !tool.variables.is_empty() && (tool.present)(project));
    present.flat_map(|tool| tool.variables).map(|(name, place)| (*name, place.path(project))).collect()
}

/// Where `cargo-deny` is: on the path, or in the tools.
pub(crate) fn cargo_deny(project: &Project) -> PathBuf {
    let own = project.tool("bin/cargo-deny");
    if own.is_file() { own } else { PathBuf::from("cargo-deny") }
}

fn install_cargo_deny(project: &Project) -> Result<(), String> {
    let build = project.tool("cargo-deny-build");
    let mut cargo = project.command("cargo");
    // A check that runs for a second needs no optimisation: without, it is built in less than half the time.
    cargo.args(["install", "cargo-deny@0.20.2", "--locked", "--debug", "--root"]).arg(project.tool(""));
    run(cargo.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_TARGET_DIR", &build))?;
    std::fs::remove_dir_all(&build).map_err(|error| format!("{}: {error}", build.display()))
}

fn environment_matches(project: &Project) -> Result<bool, String> {
    let installed = std::fs::read_to_string(project.tool("venv/requirements.txt")).unwrap_or_default();
    Ok(installed == project.read(REQUIREMENTS)? && works(project.tool("venv/bin/python"), &["-c", ""]))
}

const REQUIREMENTS: &str = "xtask/requirements.txt";

fn install_environment(project: &Project) -> Result<(), String> {
    let venv = project.tool("venv");
    run(project.command("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let mut pip = project.command(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]);
    run(pip.args(["--requirement", REQUIREMENTS]))?;
    // Written last: it says that all of the above is there.
    let stamp = venv.join("requirements.txt");
    std::fs::copy(project.root.join(REQUIREMENTS), stamp).map(drop).map_err(|error| error.to_string())
}

fn packages_match(project: &Project) -> Result<bool, String> {
    let installed = std::fs::read_to_string(project.tool("node/installed")).unwrap_or_default();
    Ok(installed == project.read(LOCK)?)
}

const PACKAGES: &str = "xtask/node/package.json";
const LOCK: &str = "xtask/node/package-lock.json";

fn install_packages(project: &Project) -> Result<(), String> {
    let folder = project.tool("node");
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(&folder).map_err(failed)?;
    for (from, to) in [(PACKAGES, "package.json"), (LOCK, "package-lock.json")] {
        std::fs::copy(project.root.join(from), folder.join(to)).map_err(failed)?;
    }
    let mut npm = project.command("npm");
    // Scripts of packages are not run: none is needed.
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--prefix"]).arg(&folder);
    run(&mut npm)?;
    // Written last: it says that all of the above is there.
    std::fs::copy(project.root.join(LOCK), folder.join("installed")).map(drop).map_err(failed)
}

fn postgresql() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    folders.filter(|folder| folder.join("initdb").is_file()).max()
}

fn nginx() -> Option<PathBuf> {
    let places = ["/usr/sbin/nginx", "nginx"].map(PathBuf::from);
    places.into_iter().find(|place| works(place, &["-v"]))
}

fn debian(project: &Project, packages: &[&str]) -> Result<(), String> {
    if !works("apt-get", &["--version"]) {
        return Err(format!("this is no Debian; install {} by hand", packages.join(", ")));
    }
    let root = crate::project::output(project.command("id").arg("-u")).is_ok_and(|id| id.trim_ascii() == b"0");
    let apt = |arguments: &[&str]| {
        let mut command = project.command(if root { "apt-get" } else { "sudo" });
        if !root {
            command.args(if interactive() { &["apt-get"][..] } else { &["--non-interactive", "apt-get"] });
        }
        run(command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null()))
    };
    // Old lists may do, so only the second command decides.
    let lists = apt(&["update", "--quiet=2"]);
    let install = ["install", "--yes", "--quiet=2", "--no-install-recommends"];
    apt(&[&install, packages].concat()).map_err(|why| match lists {
        Ok(()) => why,
        Err(before) => format!("{before}; {why}"),
    })
}

/// Whether somebody is there to be asked.
fn interactive() -> bool {
    std::env::var_os("CI").is_none() && std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

fn confirmed() -> bool {
    print!("Install? [Y/n] ");
    let mut answer = String::new();
    let read = std::io::stdout().flush().and_then(|()| std::io::stdin().read_line(&mut answer));
    read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes")
}
