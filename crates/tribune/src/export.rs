//! `tribune restriction export`: what a snapshot refuses, as policies of those who enforce elsewhere. It needs no record,
//! and believes a snapshot as a gate does; what a form can say is `web::gate::export`'s.

use crate::common::{Failure, output, put};
use crate::office::{self, refused};
use crate::restriction::believed;
use clap::ValueEnum;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use web::gate::export::{Export, Form, export};

/// Write what a snapshot refuses as policies for those who enforce elsewhere; needs no record
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  \
    tribune restriction export cedar --snapshot snapshot --pins pins.txt --out cedar/\n  \
    tribune restriction export aws --snapshot snapshot --pins pins.txt --out aws/ --in-part\n\n\
    cedar  restrictions.cedar, with restrictions.cedarschema: says all that a gate says\n  \
    aws    service control policies, to attach to the account that begins each file's name, beside what permits\n  \
    azure  policy definitions, to assign to the subscription that begins each file's name; requests for data pass\n\n\
    contents.json says which restrictions each file is of, and what is not reached. Export anew with every snapshot.")]
pub(crate) struct Args {
    /// In which form
    form: For,
    /// What `snapshot` wrote, or a gate keeps in its state folder
    #[arg(long, value_name = "FILE")]
    snapshot: PathBuf,
    /// What `pins` wrote
    #[arg(long, value_name = "FILE")]
    pins: PathBuf,
    /// A folder that is not there yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write what the form can say even where it cannot say all; contents.json names the rest
    #[arg(long)]
    in_part: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum For {
    Cedar,
    Aws,
    Azure,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let gate = believed(&args.snapshot, &args.pins)?;
    let form = match args.form {
        For::Cedar => Form::Cedar,
        For::Aws => Form::Aws,
        For::Azure => Form::Azure,
    };
    let at = office::now();
    let export = export(form, gate.set(), at.0).map_err(|error| refused(&error))?;
    if let [first, rest @ ..] = export.unreached.as_slice()
        && !args.in_part
    {
        let (id, what, more) = (&first.restriction, first.operations.join(", "), rest.len());
        let why = if what.is_empty() { first.why.clone() } else { format!("{what}: {}", first.why) };
        let mend = "--in-part writes what can be said and names the rest";
        return Err(Failure::Refused(format!("this form cannot say all: {id}: {why}; {more} more; {mend}")));
    }
    let contents = json!({
        "schema": "tribune.export/1",
        "snapshot": gate.version().to_string(),
        "as_of": at.to_string(),
        "files": export.files,
        "unreached": export.unreached,
    });
    write(&args.out, &export, &format!("{contents:#}\n"))?;
    let shadow = gate.set().restrictions().filter(|restriction| !restriction.scope().enforced).count();
    let (files, folder, version) = (export.files.len(), args.out.display(), gate.version());
    let (rest, shadow) = match (export.unreached.len(), shadow) {
        (0, 0) => (String::new(), String::new()),
        (rest, shadow) => {
            (format!("; {rest} things not reached"), format!("; {shadow} restrictions in shadow are not in it"))
        }
    };
    output(None, |out| {
        put(&mut &mut *out, &format!("{folder}: {files} files of version {version}{rest}{shadow}; see contents.json"))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// All of it or nothing: a folder beside it is filled, and moved into place.
fn write(folder: &Path, export: &Export, contents: &str) -> Result<(), Failure> {
    let fail = |source| Failure::Write { path: folder.display().to_string(), source };
    if folder.exists() {
        return Err(Failure::Refused(format!("{} is there: name a folder that is not, or move it", folder.display())));
    }
    let beside = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let new = tempfile::tempdir_in(beside).map_err(fail)?;
    let contents = ("contents.json", contents);
    for (name, text) in export.texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).chain([contents]) {
        let path = new.path().join(name);
        output(Some(&path), |out| out.write_all(text.as_bytes()).map_err(fail))?;
    }
    #[cfg(unix)]
    std::fs::set_permissions(new.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).map_err(fail)?;
    std::fs::rename(new.keep(), folder).map_err(fail)
}
