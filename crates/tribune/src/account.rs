//! `tribune record account`: local accounts to sign in to the pages with, for people on the roster and for customers.
//!
//! What an account is, is `web`'s; here a password is asked for and what was made is printed once.

use crate::common::Failure;
use crate::office::{self, Office, refused};
use clap::Subcommand;
use clerk::Error;
use review::words::{CustomerId, PersonId};
use serde::Serialize;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use web::session::Who;
use web::sign_in::accounts::{self, Enrolled};
use zeroize::Zeroizing;

/// What is done with accounts.
#[derive(Subcommand, Debug)]
pub(crate) enum Verb {
    /// Make one, and print what an authenticator for its codes is set up with
    #[command(
        after_help = "Example:\n  tribune record account add ann --person ann\n  tribune record account add harbour-works --customer harbour-works --password-file secret.txt"
    )]
    Add {
        /// What they call themselves when they sign in
        name: String,
        /// For somebody on the roster
        #[arg(long, value_name = "PERSON", required_unless_present = "customer")]
        person: Option<PersonId>,
        /// For a customer
        #[arg(long, value_name = "CUSTOMER", conflicts_with = "person")]
        customer: Option<CustomerId>,
        /// The file that holds the password; else it is asked for
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Give one another password and other codes; whoever is signed in with it is signed out
    #[command(after_help = "Example:\n  tribune record account reset ann")]
    Reset {
        /// Which account
        name: String,
        /// The file that holds the password; else it is asked for
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Take one away; whoever is signed in with it is signed out
    #[command(after_help = "Example:\n  tribune record account remove ann")]
    Remove {
        /// Which account
        name: String,
    },
}

#[derive(Serialize)]
struct Printed<'a> {
    account: &'a str,
    otpauth: &'a str,
}

/// Runs it.
pub(crate) async fn run(office: &Office, verb: Verb) -> Result<ExitCode, Failure> {
    let record = office.clerk.record();
    let (name, who, file) = match verb {
        Verb::Remove { name } => {
            let who = accounts::remove(record, &name).await?;
            accounts::end_sessions(record, &who).await?;
            return office.print(&name, &format!("there is no account {name} any more"));
        }
        Verb::Reset { name, password_file } => (name, None, password_file),
        Verb::Add { name, person, customer, password_file } => {
            let who = match (person, customer) {
                (Some(person), _) => {
                    let roster = office.clerk.roster().await?;
                    let present = roster.present(&person, office.now).is_some();
                    if !present {
                        return Err(Error::Nobody(person.to_string()).into());
                    }
                    Who::Person(person)
                }
                (None, Some(customer)) => Who::Customer(customer),
                (None, None) => return Err(Failure::Defect("an account of nobody was asked for".to_owned())),
            };
            (name, Some(who), password_file)
        }
    };
    let password = password(file.as_deref())?;
    let issuer = office.config.pages.provider.as_str();
    let key = office.server_key()?;
    let (who, Enrolled { otpauth }) =
        accounts::enrol(record, &key, (&name, who, issuer), &password, &mut office::chance).await?;
    accounts::end_sessions(record, &who).await?;
    let text = format!(
        "{otpauth}\nan authenticator takes this line (or a QR code of it) and shows the codes of {name}; it is shown once"
    );
    office.print(&Printed { account: &name, otpauth: &otpauth }, &text)
}

fn password(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map(Zeroizing::new);
        let text = text.map_err(|error| Failure::Refused(format!("{}: {error}", path.display())))?;
        return Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()));
    }
    if !std::io::stdin().is_terminal() {
        let mend = "name the file that holds it: --password-file FILE";
        return Err(Failure::Refused(format!("no terminal is here to ask for the password: {mend}")));
    }
    let ask = |prompt| rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(|error| refused(&error));
    let (once, again) = (ask("password: ")?, ask("and again: ")?);
    if once == again { Ok(once) } else { Err(Failure::Refused("the two are not the same; begin again".to_owned())) }
}
