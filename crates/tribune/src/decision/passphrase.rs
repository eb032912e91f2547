//! A key to approve with that a passphrase opens, in a file: asking for the passphrase. What is in it is the clerk's.
//!
//! The record says of each approval which form of key it was.

use crate::common::{Failure, output, put};
use crate::office::{self, refused};
use clerk::keys;
use review::act::Approval;
use review::words::Digest;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use zeroize::Zeroizing;

/// The variable that names a file with the passphrase, where no terminal is.
const PASSPHRASE_FILE: &str = "TRIBUNE_PASSPHRASE_FILE";

/// Makes a key, and prints how it stands on the roster.
pub(super) fn make(out: &Path, passphrase_file: Option<&Path>) -> Result<ExitCode, Failure> {
    if out.exists() {
        return Err(Failure::Refused(format!("{} is there already; a key is not written over", out.display())));
    }
    let mut seed = Zeroizing::new([0; 32]);
    office::chance(&mut *seed);
    let passphrase = passphrase(passphrase_file)?;
    let (sealed, public) = keys::new_signing_key(&seed, &passphrase)?;
    output(Some(out), |file| {
        file.write_all(&sealed).map_err(|source| Failure::Write { path: out.display().to_string(), source })
    })?;
    output(None, |out| {
        put(&mut &mut *out, &format!("\"{public}\" = \"passphrase\"    # under [members.YOU.keys] of the roster"))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Signs with it.
pub(super) fn sign(path: &Path, message: &str, shown: Digest) -> Result<Approval, Failure> {
    let wrong = |what: String| Failure::Refused(format!("{}: {what}", path.display()));
    let sealed = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    keys::approve(&sealed, &passphrase(None)?, message, shown).map_err(|error| wrong(error.to_string()))
}

fn passphrase(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    let named = std::env::var_os(PASSPHRASE_FILE).map(std::path::PathBuf::from);
    if let Some(path) = file.map(Path::to_owned).or(named) {
        let text = std::fs::read_to_string(&path).map(Zeroizing::new);
        let text = text.map_err(|error| Failure::Refused(format!("{}: {error}", path.display())))?;
        return Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()));
    }
    if !std::io::stdin().is_terminal() {
        let mend = format!("name the file that holds it in {PASSPHRASE_FILE}");
        return Err(Failure::Refused(format!("no terminal is here to ask for the passphrase: {mend}")));
    }
    rpassword::prompt_password("passphrase: ").map(Zeroizing::new).map_err(|error| refused(&error))
}
