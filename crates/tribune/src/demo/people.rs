//! The people of the demonstration, their keys and their ways in: a record begun for them in a folder of its own.
//!
//! All of them are invented. Their secrets are drawn anew for each run and die with it.

use crate::common::{Failure, Format};
use crate::metering::UsageConfig;
use crate::office::{self, Asking, Config, Office, refused};
use age::secrecy::ExposeSecret as _;
use clerk::keys;
use ed25519_dalek::SigningKey;
use review::roster::{AccountTeam, KeyForm, Member, PublicKey, Roster};
use review::words::{CommandId, CustomerId, Moment, PersonId, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use store::Identity;
use web::own_keys::{Kind, lay};
use web::session::Who;
use web::sign_in::accounts::{self, Enrolled};

/// Who they are: number, roles, whom they answer to.
const PEOPLE: [(&str, &[Role], &str); 12] = [
    ("ann", &[Role::Reviewer, Role::Analyst], "head-of-trust"),
    ("ned", &[Role::Reviewer, Role::Analyst], "head-of-trust"),
    ("ines", &[Role::IntakeOfficer], "head-of-trust"),
    ("otto", &[Role::IntakeOfficer], "head-of-trust"),
    ("ben", &[Role::Decider], "general-counsel"),
    ("cleo", &[Role::Decider], "chief-of-operations"),
    ("hal", &[Role::Counsel], "law-firm"),
    ("eve", &[Role::AppealPanel], "board"),
    ("fay", &[Role::AppealPanel], "board"),
    ("gil", &[Role::GateEngineer], "platform"),
    ("ada", &[Role::CustodianA], "board"),
    ("bea", &[Role::CustodianB], "law-firm"),
];

/// Who has a part in each case, as what.
pub(super) fn parts() -> impl Iterator<Item = (&'static str, &'static [Role])> {
    let people = PEOPLE.iter().filter(|(name, ..)| !["otto", "gil", "ada", "bea"].contains(name));
    people.map(|(name, roles, _)| (*name, *roles))
}

/// A way in to the pages.
pub(super) struct SignIn {
    pub(super) account: String,
    /// Who that is, in a few words.
    pub(super) who: &'static str,
    /// For an authenticator.
    pub(super) otpauth: String,
}

/// An office with its people, open.
pub(super) struct Staffed {
    pub(super) office: Office,
    pub(super) asking: Asking,
    /// Those who decide, with what they sign with.
    pub(super) signers: BTreeMap<&'static str, SigningKey>,
    /// What opens ann's and cleo's keys, and all three accounts.
    pub(super) password: String,
    pub(super) sign_ins: Vec<SignIn>,
}

/// Begins a record, puts everybody on the roster, and makes the ways in: for a reviewer, for one who decides, and for a
/// customer.
pub(super) async fn staff(
    folder: &Path,
    records: &Path,
    founded: Moment,
    customer: &CustomerId,
    address: SocketAddr,
) -> Result<Staffed, Failure> {
    let asking = Asking {
        config: folder.join("tribune.toml"),
        who: None,
        id: None,
        at: Some(founded.to_string()),
        format: Format::Table,
    };
    crate::record::begin(folder, "tribune.example/log", &asking).await?;
    configure(&asking.config, records, address)?;
    let office = Office::open(&asking).await?;
    let password = format!("{}-{}", office::drawn(4), office::drawn(4));
    let (mut roster, mut signers, mut kept) = (Roster::default(), BTreeMap::new(), Vec::new());
    for (name, roles, manager) in PEOPLE {
        let identity = Identity::generate();
        let mut member = Member {
            roles: roles.iter().copied().collect(),
            manager: Some(manager.parse().map_err(|error| refused(&error))?),
            outside: name == "hal",
            reads_with: BTreeSet::from([identity.to_public().to_string()]),
            ..Member::default()
        };
        let who = Who::Person(name.parse().map_err(|error| refused(&error))?);
        if roles.contains(&Role::Decider) {
            let mut seed = [0; 32];
            office::chance(&mut seed);
            let key = SigningKey::from_bytes(&seed);
            member.keys.insert(PublicKey(key.verifying_key().to_bytes()), KeyForm::Passphrase);
            signers.insert(name, key);
            if name == "cleo" {
                kept.push((who.clone(), Kind::Signs, keys::new_signing_key(&seed, &password)?.0));
            }
        }
        if ["ann", "cleo"].contains(&name) {
            let text = identity.to_string();
            let sealed = store::seal_with_passphrase(text.expose_secret().as_bytes(), &password);
            kept.push((who, Kind::Reads, sealed.map_err(clerk::Error::from)?));
        }
        roster.members.insert(name.parse().map_err(|error| refused(&error))?, member);
    }
    let sponsor: PersonId = "sal".parse().map_err(|error| refused(&error))?;
    roster.account_teams.insert(customer.clone(), AccountTeam { members: BTreeSet::from([sponsor]), sponsor: None });
    let id: CommandId = office::drawn_id()?;
    office.clerk.set_roster(id, founded, &BTreeSet::new(), &roster).await?;
    for (who, kind, sealed) in kept {
        lay(office.clerk.record(), &who, kind, sealed).await?;
    }
    let sign_ins = ways_in(&office, customer, &password).await?;
    let asking = Asking { at: None, ..asking };
    Ok(Staffed { office, asking, signers, password, sign_ins })
}

async fn ways_in(office: &Office, customer: &CustomerId, password: &str) -> Result<Vec<SignIn>, Failure> {
    let person = |name: &str| name.parse().map(Who::Person).map_err(|error| refused(&error));
    let mut sign_ins = Vec::new();
    for (account, who, says) in [
        ("ann", person("ann")?, "a reviewer"),
        ("cleo", person("cleo")?, "one of those who decide: a decision waits for her approval"),
        ("customer", Who::Customer(customer.clone()), "the customer whose appeal is open"),
    ] {
        let key = office.server_key()?;
        let wanted = (account, Some(who), office.config.pages.provider.as_str());
        let record = office.clerk.record();
        let (_, Enrolled { otpauth }) = accounts::enrol(record, &key, wanted, password, &mut office::chance).await?;
        sign_ins.push(SignIn { account: account.to_owned(), who: says, otpauth });
    }
    Ok(sign_ins)
}

/// Says whose office it is, where its usage records are, and where its statements are read.
fn configure(path: &Path, records: &Path, address: SocketAddr) -> Result<(), Failure> {
    let mut config = Config::read(path)?;
    config.gate.statements = format!("http://{address}/statements/");
    config.pages.provider = "Example Cloud".to_owned();
    config.usage = Some(UsageConfig {
        records: vec![records.display().to_string()],
        state: Some("usage".into()),
        facts: None,
        meters: None,
    });
    let text = toml::to_string(&config).map_err(|error| Failure::Defect(error.to_string()))?;
    std::fs::write(path, text).map_err(|source| Failure::Write { path: path.display().to_string(), source })
}
