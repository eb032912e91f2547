//! `tribune restriction rotate` and `certify`: a new epoch of snapshots, with another key of the server's, on the word of
//! the offline root. Whoever holds the server begins none: gates believe a later epoch on that word alone.

use crate::common::{Failure, output, put};
use crate::office::{self, Office, refused};
use crate::record::{public_key, write_secret};
use gate::Certificate;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use toml_edit::{DocumentMut, Item, Table, value};

/// Begin a new epoch, after restoring a backup or to change the key that signs snapshots; gates need no new pins
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  \
    tribune restriction rotate                                        draws gate-2.key, and says what the root is to sign\n  \
    tribune restriction certify --root gate-root.key --epoch 2 --key HEX --out epoch-2.certificate    where the root is\n  \
    tribune restriction rotate --certificate epoch-2.certificate      and start `tribune serve` anew")]
pub(crate) struct Rotate {
    /// The epoch to begin, greater than any that gates have seen [default: the one after the configuration's]
    #[arg(long, conflicts_with = "certificate")]
    epoch: Option<u64>,
    /// The root's word for the key that was drawn: begins the epoch
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
}

/// Sign the key of an epoch, where the offline root is; needs no record
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  \
    tribune restriction certify --root gate-root.key --epoch 2 --key HEX --out epoch-2.certificate")]
pub(crate) struct Certify {
    /// The file of the root's secret key
    #[arg(long, value_name = "FILE")]
    root: PathBuf,
    /// The epoch
    #[arg(long)]
    epoch: u64,
    /// The public key that signs its snapshots, as `rotate` says it
    #[arg(long, value_name = "HEX")]
    key: String,
    /// The file to carry back
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Signs the key of an epoch.
pub(crate) fn certify(args: &Certify) -> Result<ExitCode, Failure> {
    let key =
        office::unhex(&args.key).ok_or_else(|| Failure::Refused("--key is not 64 hexadecimal digits".to_owned()))?;
    let root = zeroize::Zeroizing::new(secret(&args.root)?);
    let text = Certificate::sign(args.epoch, key, &root).text(args.epoch);
    output(Some(&args.out), |out| put(&mut &mut *out, text.trim_end()))?;
    told(&format!(
        "{}: the root's word for the key of epoch {}; carry it to the server",
        args.out.display(),
        args.epoch
    ))
}

/// Draws a key, or begins its epoch.
pub(crate) fn rotate(office: &Office, args: &Rotate) -> Result<ExitCode, Failure> {
    let now = office.config.gate.epoch;
    if let Some(path) = &args.certificate {
        return begin(office, path);
    }
    let epoch = args.epoch.or_else(|| now.checked_add(1)).filter(|epoch| *epoch > now);
    let epoch = epoch.ok_or_else(|| Failure::Refused(format!("epochs only rise: name one greater than {now}")))?;
    let (secret, path) = (zeroize::Zeroizing::new(office::drawn(32)), key_path(office, epoch));
    write_secret(&path, format!("{}\n", *secret).as_bytes())?;
    let key: String = public_key(&secret)?.iter().map(|byte| format!("{byte:02x}")).collect();
    let sign = format!(
        "tribune restriction certify --root gate-root.key --epoch {epoch} --key {key} --out epoch-{epoch}.certificate"
    );
    told(&format!(
        "{}: the key of epoch {epoch}; nothing has changed yet. Where the root is:\n  {sign}\nand back here:\n  \
         tribune restriction rotate --certificate epoch-{epoch}.certificate",
        path.display()
    ))
}

/// Writes the epoch, its key and its certificate into the configuration, whose other lines stay as they are.
fn begin(office: &Office, path: &Path) -> Result<ExitCode, Failure> {
    let (epoch, certificate) = read(path)?;
    let now = office.config.gate.epoch;
    if epoch <= now {
        return Err(Failure::Refused(format!("{}: of epoch {epoch}, and {now} has begun", path.display())));
    }
    let key = key_path(office, epoch);
    held_against(office, path, epoch, &certificate, &secret(&key)?)?;
    let kept = office.folder.join(format!("epoch-{epoch}.certificate"));
    output(Some(&kept), |out| put(&mut &mut *out, certificate.text(epoch).trim_end()))?;
    let config = office.config_path();
    let wrong = |error: &dyn std::fmt::Display| Failure::Refused(format!("{}: {error}", config.display()));
    let text = std::fs::read_to_string(config).map_err(|error| wrong(&error))?;
    let mut document: DocumentMut = text.parse().map_err(|error| wrong(&error))?;
    let number = i64::try_from(epoch).map_err(|error| wrong(&error))?;
    let table = document.get_mut("gate").and_then(Item::as_table_mut);
    let table: &mut Table = table.ok_or_else(|| wrong(&"it has no [gate]"))?;
    for (name, said) in
        [("key", value(file_name(&key))), ("epoch", value(number)), ("certificate", value(file_name(&kept)))]
    {
        table.insert(name, said);
    }
    let text = document.to_string();
    output(Some(config), |out| put(&mut &mut *out, text.trim_end()))?;
    told(&format!(
        "epoch {epoch} begins with the next snapshot: start `tribune serve` anew; gates follow by themselves"
    ))
}

/// The certificate of the epoch that is served; what does not go together serves nobody.
pub(crate) fn certificate(office: &Office, path: &Path, key: &[u8; 32]) -> Result<Certificate, Failure> {
    let (epoch, certificate) = read(path)?;
    if epoch != office.config.gate.epoch {
        let now = office.config.gate.epoch;
        return Err(Failure::Refused(format!("{}: of epoch {epoch}, and gate.epoch is {now}", path.display())));
    }
    held_against(office, path, epoch, &certificate, key)?;
    Ok(certificate)
}

fn held_against(office: &Office, path: &Path, epoch: u64, of: &Certificate, key: &[u8; 32]) -> Result<(), Failure> {
    let wrong = |what: &str| Err(Failure::Refused(format!("{}: {what}", path.display())));
    let secret: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    if of.key != public_key(&secret)? {
        return wrong("it is for another key than this epoch's: have the root sign that one");
    }
    if !of.holds(epoch, &office.root()?) {
        return wrong("it is not signed by the root that gates pin (gate.root): sign it with that root's key");
    }
    Ok(())
}

fn read(path: &Path) -> Result<(u64, Certificate), Failure> {
    let wrong = |what: &dyn std::fmt::Display| Failure::Refused(format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    Certificate::parse(&text).ok_or_else(|| wrong(&"it is no certificate of `tribune restriction certify`"))
}

/// The secret key in a file.
fn secret(path: &Path) -> Result<[u8; 32], Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| refused(&format!("{}: {error}", path.display())))?;
    let text = zeroize::Zeroizing::new(text);
    office::unhex(text.trim())
        .ok_or_else(|| refused(&format!("{}: it holds no key: 64 hexadecimal digits", path.display())))
}

fn key_path(office: &Office, epoch: u64) -> PathBuf {
    office.folder.join(format!("gate-{epoch}.key"))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn told(text: &str) -> Result<ExitCode, Failure> {
    output(None, |out| text.lines().try_for_each(|line| put(&mut &mut *out, line)))?;
    Ok(ExitCode::SUCCESS)
}
