//! `tribune record`: beginning a record, who is on its roster, verifying, backing up, counting, erasing, and the day's
//! chores. What is in it is for other commands.

use crate::account;
use crate::common::{Failure, note, output, put, thousands};
use crate::metering::UsageConfig;
use crate::office::{self, Asking, Config, GateConfig, LogConfig, Office, PagesConfig, SignInConfig, Words, refused};
use clap::Subcommand;
use clerk::intake::KeptOut;
use clerk::{Clerk, Erase, Error, Founding};
use review::harmonised::Given;
use review::roster::{Change, Roster};
use review::words::{CaseId, ReportId, Text};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use store::Record;
use tlog::{Signer, Tree};

/// Begin, verify, back up, count and erase.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
How a record begins:
  tribune record init office/ --origin tribune.example/log
  cd office && tribune record roster --file roster.toml      (its form: tribune record roster --help)
  tribune case open --help
Every night, by a timer:  tribune record day --as tribune")]
pub(crate) struct Args {
    #[command(flatten)]
    asking: Asking,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Begin a record: a folder with the configuration, the log's key and, unless another is named, the database
    Init(Init),
    /// Make the roster what a file says; from the second time on by two people who decide
    #[command(after_help = "Example of the file:\n  \
        [members.ann]\n  roles = [\"reviewer\", \"analyst\"]   # or expert, counsel, decider, appeal-panel, auditor,\n  \
        \x20                                # intake-officer, custodian-a, custodian-b, gate-engineer\n  \
        manager = \"head\"\n  identities = [\"https://id.example|ann\"]\n  reads_with = [\"age1…\"]             # age-keygen\n  \
        [members.ann.keys]\n  \"ssh-ed25519 AAAA…\" = \"ssh\"       # ssh-keygen -t ed25519\n  \
        [account_teams.acme]\n  members = [\"sal\"]\n  sponsor = \"vera\"\n\n\
        Who is not in it any more has left. `outside = true` is somebody not employed by the provider.")]
    Roster {
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// Who changes it; two
        #[arg(long, value_name = "PERSON")]
        by: Vec<String>,
    },
    /// Who is on the roster, and as what
    People,
    /// Read every event and hold it against its commitment; hold the public log's files against the record
    Verify {
        /// What was seen before; the record must continue it, and what is seen now takes its place
        #[arg(long, value_name = "FILE")]
        remember: Option<PathBuf>,
    },
    /// Copy the record into a new file while others write (SQLite)
    Backup {
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Every look at a case, a report or a text, with its purpose (auditors)
    Looks,
    /// Everybody who had signed in and was denied something (auditors)
    Denials,
    /// Uses that customers declared on their page (analysts and intake officers)
    #[command(
        after_help = "Example:\n  tribune record declarations --as ann\n\nWhat is declared is verified in a case of its own: tribune case open --help"
    )]
    Declarations,
    /// The numbers of a year, recomputed from every event
    #[command(after_help = "Example, for the EU's templates (docs/harmonised.md says what comes from where):\n  \
        tribune record counts 2026 --harmonised report-2026/ --given given.toml\n\nThe file, as short as it can be:\n  \
        provider = \"Example Cloud\"\n  service = \"Example Cloud\"\n  published = \"2027-02-20\"\n  \
        article_16 = true          # whether reports are notices under Article 16 of the DSA\n  \
        [policies.mass-surveillance]\n  category = \"STATEMENT_CATEGORY_OTHER_VIOLATION_TC\"\n  \
        keyword = \"KEYWORD_OTHER\"\n  other = \"surveillance of civilians\"")]
    Counts {
        year: i32,
        /// Publish them: the year must be over
        #[arg(long)]
        publish: bool,
        /// Write the transparency report in the EU's harmonised templates, a CSV file a part, into this folder
        #[arg(long, value_name = "DIR", requires = "given", conflicts_with = "publish")]
        harmonised: Option<PathBuf>,
        /// What the record does not know
        #[arg(long, value_name = "FILE", requires = "harmonised")]
        given: Option<PathBuf>,
    },
    /// Erase a case that is over, a report, or a text: two people who decide, and an event that says so
    #[command(
        after_help = "Example:\n  tribune record erase --text sha256:… --reason 'a name that is nobody\\'s business' --by ben --by cleo\n\nWith a report go its files and the sealed name. Of one that came in before the record named them, name them too,\nas `report read` shows them."
    )]
    Erase {
        #[arg(long, value_name = "CASE")]
        case: Vec<CaseId>,
        #[arg(long, value_name = "REPORT")]
        report: Vec<ReportId>,
        #[arg(long, value_name = "DIGEST")]
        text: Vec<Text>,
        #[arg(long, value_name = "TEXT|@FILE")]
        reason: Words,
        #[arg(long, value_name = "PERSON", required = true)]
        by: Vec<String>,
    },
    /// Take out of the intake what can never become an event: two people who decide, and an event that says so
    #[command(
        after_help = "Example, after `tribune record day` told of such messages:\n  tribune record discard --reason 'cut on the way, nobody has a receipt for them' --by ben --by cleo"
    )]
    Discard {
        #[arg(long, value_name = "TEXT|@FILE")]
        reason: Words,
        #[arg(long, value_name = "PERSON", required = true)]
        by: Vec<String>,
    },
    /// Local accounts to sign in to the pages with
    Account {
        #[command(subcommand)]
        verb: account::Verb,
    },
    /// The day's chores: what anonymous people sent becomes events, the day's commitments are published
    Day,
}

#[derive(clap::Args, Debug)]
struct Init {
    /// A new or empty folder
    folder: PathBuf,
    /// The public log's name for itself, as it will be for ever
    #[arg(long)]
    origin: String,
    /// Where the record lies: sqlite:PATH or postgres://USER@HOST/DATABASE
    #[arg(long, default_value = "sqlite:record.db")]
    record: String,
    /// An age recipient that can open every private text, kept apart from the server
    #[arg(long, value_name = "AGE")]
    recovery: Vec<String>,
    /// The provider's usage records: FOCUS files, folders of them, or addresses in an object store
    #[arg(long, value_name = "RECORDS")]
    usage: Vec<String>,
    /// Times are what --at says: for demonstrations and rehearsals alone
    #[arg(long)]
    simulated_clock: bool,
}

/// What the configuration says of itself.
const HEAD: &str = "\
# Tribune's configuration. Paths are relative to this folder.
#
# record              sqlite:PATH or postgres://USER@HOST/DATABASE
# policies            folders of policy packs, besides those that are built in
# recovery            age recipients that open every private text; keep their identities apart from this machine
# log.public          the folder that the world reads: log/, statements/, transparency/
# log.mirror          an object store that shows the log as well, with the day's batch at the latest: s3://BUCKET/PREFIX
# [[log.witness]]     url and key of a witness that is asked to cosign, as `tribune log witness` prints them
# pages.provider      the provider's name, as pages show it; pages.base: where browsers find
#                     them, https://HOST; without it, where `tribune serve` listens; pages.onion: the same
#                     pages as an onion service, http://NAME.onion, which Tor Browser then offers by itself
# sign_in.key         the server's own secret: the same file at every replica. Accounts are worth nothing without it
# [sign_in.oidc]      issuer, client_id, client_secret_file, name: an OpenID provider to sign in at, which sends people
#                     back to BASE/sign-in/provider/back; the roster's identities are `ISSUER|SUBJECT`
# gate.epoch          raised, with the word of the offline root, when a backup is restored or gate.key changes:
#                     tribune restriction rotate
# gate.certificate    the file of that word
# gate.statements     what the address of a public statement begins with
# gate.accounts_max   no snapshot restricts more accounts than these
# [usage]             records: FOCUS files or folders; state: where rollups are kept; facts, meters: files and folders

";

/// Runs it.
pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    office::run(async {
        let asking = &args.asking;
        if let Verb::Init(init) = &args.verb {
            return init.run(asking).await;
        }
        let office = Office::open(asking).await?;
        match args.verb {
            Verb::Init(_) => Err(Failure::Defect("a record that is open does not begin".to_owned())),
            Verb::Roster { file, by } => roster(&office, &file, &by).await,
            Verb::People => people(&office).await,
            Verb::Verify { remember } => verify(&office, remember.as_deref()).await,
            Verb::Backup { to } => {
                office.clerk.record().back_up(&to).await.map_err(Error::from)?;
                office.print(
                    &to,
                    &format!("{}: a copy of the record; `record verify` on it tells whether it is whole", to.display()),
                )
            }
            Verb::Looks => {
                let looks = office.clerk.looks(office.who()?, office.now).await?;
                let line = |look: &clerk::Look| format!("{}  {}  {}: {}\n", look.at, look.by, look.what, look.purpose);
                office.print(&looks, &looks.iter().map(line).collect::<String>())
            }
            Verb::Counts { year, publish, harmonised, given } => match harmonised.zip(given) {
                Some((folder, given)) => harmonise(&office, year, &folder, &given).await,
                None => counts(&office, year, publish).await,
            },
            Verb::Discard { reason, by } => discard(&office, &reason, by).await,
            Verb::Denials => {
                let denials = office.clerk.denials(office.who()?, office.now).await?;
                let line = |one: &clerk::Denial| format!("{}  {}  {}: {}\n", one.at, one.who, one.what, one.why);
                office.print(&denials, &denials.iter().map(line).collect::<String>())
            }
            Verb::Declarations => {
                let declared = office.clerk.declarations(office.who()?, office.now).await?;
                office.print(&declared, &declared.iter().map(declaration).collect::<String>())
            }
            Verb::Erase { case, report, text, reason, by } => {
                let what = case.into_iter().map(Erase::Case).chain(report.into_iter().map(Erase::Report));
                let what: Vec<Erase> = what.chain(text.into_iter().map(Erase::Text)).collect();
                let reason = reason.0.as_bytes();
                let reason =
                    office.clerk.keep(&office.papers, None, None, &BTreeSet::new(), reason, office.now).await?;
                let erased = office.clerk.erase(&by.into_iter().collect(), &what, reason, office.now).await?;
                office.publish(false).await?;
                let rest = if erased.scrubbed {
                    ""
                } else {
                    "; somebody was reading, so the next erasure or draining cleans the files"
                };
                office.print(
                    &erased.position,
                    &format!("erased; the event at position {} says so{rest}", erased.position),
                )
            }
            Verb::Account { verb } => account::run(&office, verb).await,
            Verb::Day => day(&office).await,
        }
    })
}

impl Init {
    async fn run(&self, asking: &Asking) -> Result<ExitCode, Failure> {
        let key = self.begin(asking).await?;
        let folder = self.folder.display();
        output(None, |out| {
            let out = &mut &mut *out;
            put(
                out,
                &format!("begun in {folder}: tribune.toml, log.key (keep it secret, and a copy of it elsewhere)"),
            )?;
            put(out, "and gate.key, which signs what gates are given, and gate-root.key: move that one offline now")?;
            put(out, &format!("the log's key, for whoever verifies it: {key}"))?;
            put(out, "next: put people on the roster: tribune record roster --help")
        })?;
        Ok(ExitCode::SUCCESS)
    }

    /// Begins; gives the log's key, for whoever verifies it.
    async fn begin(&self, asking: &Asking) -> Result<String, Failure> {
        let fail = |source| Failure::Write { path: self.folder.display().to_string(), source };
        std::fs::create_dir_all(&self.folder).map_err(fail)?;
        if std::fs::read_dir(&self.folder).map_err(fail)?.next().is_some() {
            let mend = "name a new or empty folder; what is there is not touched";
            return Err(Failure::Refused(format!("{} is not empty: {mend}", self.folder.display())));
        }
        // Keys lie in it, and who is in which case: its owner alone enters.
        #[cfg(unix)]
        std::fs::set_permissions(&self.folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).map_err(fail)?;
        self.recovery.iter().try_for_each(|key| office::recipient(key).map(drop))?;
        let mut seed = zeroize::Zeroizing::new([0; 32]);
        office::chance(&mut *seed);
        let signer = Signer::new(&self.origin, &seed).map_err(|error| refused(&error))?;
        let at = match &asking.at {
            Some(at) if self.simulated_clock => office::time(at).map_err(Failure::Refused)?,
            Some(_) => return Err(Failure::Refused("--at is for a record with --simulated-clock".to_owned())),
            None => office::now(),
        };
        let record = Record::open(&office::address(&self.record, &self.folder)).await.map_err(Error::from)?;
        let clerk = Clerk::new(record, office::chance)?;
        clerk.found(Founding { at, simulated_clock: self.simulated_clock }).await?;
        write_secret(&self.folder.join("log.key"), format!("{}\n", signer.secret()).as_bytes())?;
        let (server, root) = (office::drawn(32), office::drawn(32));
        write_secret(&self.folder.join("gate.key"), format!("{server}\n").as_bytes())?;
        write_secret(&self.folder.join("gate-root.key"), format!("{root}\n").as_bytes())?;
        let gate = GateConfig {
            key: "gate.key".into(),
            root: public_key(&root)?.iter().map(|byte| format!("{byte:02x}")).collect(),
            epoch: 1,
            certificate: None,
            statements: format!("https://{}/statements/", self.origin.split('/').next().unwrap_or_default()),
            accounts_max: 100,
        };
        let log = LogConfig {
            origin: self.origin.clone(),
            key: "log.key".into(),
            public: "public".into(),
            mirror: None,
            witnesses: Vec::new(),
        };
        let usage = (!self.usage.is_empty()).then(|| UsageConfig {
            records: self.usage.clone(),
            state: Some("usage".into()),
            facts: None,
            meters: None,
        });
        let (pages, sign_in) = (PagesConfig::default(), SignInConfig::default());
        let (record, recovery) = (self.record.clone(), self.recovery.clone());
        let config = Config { record, policies: Vec::new(), recovery, log, gate, usage, pages, sign_in };
        let text = toml::to_string(&config).map_err(|error| Failure::Defect(error.to_string()))?;
        let text = format!("{HEAD}{text}");
        output(Some(&self.folder.join("tribune.toml")), |out| out.write_all(text.as_bytes()).map_err(fail))?;
        Ok(signer.verifier().to_string())
    }
}

/// Begins a record whose clock is simulated, in a folder, with everything else as it comes.
pub(crate) async fn begin(folder: &Path, origin: &str, asking: &Asking) -> Result<(), Failure> {
    let (folder, origin, record) = (folder.to_owned(), origin.to_owned(), "sqlite:record.db".to_owned());
    let init = Init { folder, origin, record, recovery: Vec::new(), usage: Vec::new(), simulated_clock: true };
    init.begin(asking).await.map(drop)
}

/// The public half of an Ed25519 key, whose secret is 64 hexadecimal digits.
pub(crate) fn public_key(secret: &str) -> Result<[u8; 32], Failure> {
    let seed = office::unhex(secret).ok_or_else(|| Failure::Defect("a key that was drawn is none".to_owned()))?;
    Ok(ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key().to_bytes())
}

/// A file that its owner alone reads, from the beginning.
pub(crate) fn write_secret(path: &Path, secret: &[u8]) -> Result<(), Failure> {
    let fail = |source| Failure::Write { path: path.display().to_string(), source };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(fail)?;
    file.write_all(secret).map_err(fail)?;
    file.sync_all().map_err(fail)
}

async fn roster(office: &Office, file: &Path, by: &[String]) -> Result<ExitCode, Failure> {
    let wrong = |what: String| Failure::Refused(format!("{}: {what}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let wanted: Roster = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    for key in wanted.members.values().flat_map(|member| &member.reads_with) {
        office::recipient(key)?;
    }
    let by: BTreeSet<String> = by.iter().cloned().collect();
    let changes = office.clerk.set_roster(office.id()?, office.now, &by, &wanted).await?;
    let line = |change: &Change| match change {
        Change::Member { person, member } => {
            let roles: Vec<&str> = member.roles.iter().map(|role| role.name()).collect();
            format!("{person}: {}{}\n", roles.join(", "), if member.left.is_some() { " (has left)" } else { "" })
        }
        Change::AccountTeam { customer, team } => format!("{customer}: {} of its account team\n", team.members.len()),
    };
    office.print(&changes, &changes.iter().map(line).collect::<String>())
}

fn declaration(one: &clerk::Declaration) -> String {
    let accounts: Vec<&str> = one.accounts.iter().map(|account| account.as_str()).collect();
    let accounts = if accounts.is_empty() { "all accounts".to_owned() } else { accounts.join(", ") };
    let calls = one.calls_per_hour.map(|calls| format!(", at most {} calls an hour", thousands(calls)));
    let calls = calls.unwrap_or_default();
    format!("{}  {}  {}  {} in {accounts}{calls}; text {}\n", one.id, one.at, one.customer, one.declared_use, one.text)
}

async fn people(office: &Office) -> Result<ExitCode, Failure> {
    let roster = office.clerk.roster().await?;
    let mut text = String::new();
    for (person, member) in &roster.members {
        let roles: Vec<&str> = member.roles.iter().map(|role| role.name()).collect();
        let state = match (roster.present(person, office.now).is_some(), member.outside) {
            (false, _) => ", has left",
            (true, true) => ", from outside",
            (true, false) => "",
        };
        let _ = writeln!(text, "{person}: {}{state}; {} keys", roles.join(", "), member.keys.len());
    }
    office.print(&roster, &text)
}

async fn verify(office: &Office, remember: Option<&Path>) -> Result<ExitCode, Failure> {
    #[derive(Serialize)]
    struct Verified {
        events: u64,
        root: String,
        published: u64,
    }
    let seen = remember.filter(|file| file.exists()).map(crate::log::remembered).transpose()?;
    let tree = office.clerk.record().verify(seen).await.map_err(Error::from)?;
    let lost = office.clerk.lost_texts().await?;
    if let Some((case, text)) = lost.first() {
        let mend = "bring the texts back from a backup, or erase what names them by two people";
        let what =
            format!("{} texts that cases name are gone, the first {text} of {case}", thousands(lost.len() as u64));
        return Err(Failure::Refused(format!("{what}: {mend}")));
    }
    let log = office.public_log().await?;
    if let Some(file) = remember {
        let Tree { size, root } = tree;
        output(Some(file), |out| put(&mut &mut *out, &format!("{size} {root}")))?;
    }
    let verified = Verified { events: tree.size, root: tree.root.to_string(), published: log.tree().size };
    let text = format!(
        "{} events are what their commitments say, every hole is explained, every text that a case names is kept; root {}\n{} entries of the public log are those of the record",
        thousands(verified.events),
        verified.root,
        thousands(verified.published)
    );
    office.print(&verified, &text)
}

async fn counts(office: &Office, year: i32, publish: bool) -> Result<ExitCode, Failure> {
    if publish {
        let text = office.clerk.publish_counts(year, office.now).await?;
        office.publish(false).await?;
        return office.print(&text, &format!("published: {} ({year}.csv)", text.digest));
    }
    let counts = office.clerk.counts(i64::from(year)).await?;
    let rows = counts.rows();
    let widest = rows.iter().map(|(indicator, _)| indicator.len()).max().unwrap_or_default();
    let line = |(indicator, value): &(String, String)| format!("{indicator:widest$}  {value}\n");
    office.print(&rows, &rows.iter().map(line).collect::<String>())
}

/// Writes the transparency report of a year. What was published otherwise is said, and the files are written all the
/// same: a case may have been erased since.
async fn harmonise(office: &Office, year: i32, folder: &Path, given: &Path) -> Result<ExitCode, Failure> {
    let wrong = |what: String| Failure::Refused(format!("{}: {what}", given.display()));
    let text = std::fs::read_to_string(given).map_err(|error| wrong(error.to_string()))?;
    let given: Given = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let (parts, differ) = office.clerk.harmonised(year, &given).await?;
    std::fs::create_dir_all(folder).map_err(|source| Failure::Write { path: folder.display().to_string(), source })?;
    let mut files = Vec::new();
    for part in &parts {
        let path = folder.join(part.file());
        let csv = part.csv().map_err(|error| Failure::Defect(error.to_string()))?;
        let fail = |source| Failure::Write { path: path.display().to_string(), source };
        output(Some(&path), |out| out.write_all(&csv).map_err(fail))?;
        files.push(part.file());
    }
    let over = if office.now.year() > i64::from(year) { "" } else { "; the year is not over, and its numbers go on" };
    office.print(&files, &format!("{} files in {}{over}", files.len(), folder.display()))?;
    if differ.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    differ.iter().for_each(|line| note(&format!("published or counted now, not both: {line}")));
    let mend = "what was erased since explains it, or nothing does: say in the report which";
    Err(Failure::Refused(format!("the numbers published for {year} are not those of the record now; {mend}")))
}

async fn discard(office: &Office, reason: &Words, by: Vec<String>) -> Result<ExitCode, Failure> {
    let (nobody, reason) = (BTreeSet::new(), reason.0.as_bytes());
    let reason = office.clerk.keep(&office.papers, None, None, &nobody, reason, office.now).await?;
    let discarded = office.clerk.discard(&by.into_iter().collect(), reason, office.now).await?;
    let gone = format!("{} messages are gone; an event says so, and {}", discarded.count, discarded.digest);
    office.print(&discarded, &gone)
}

/// Tells of messages that stay in the intake, each with why, and what to do about those that stay for good.
pub(crate) fn tell_kept_out(kept_out: &[KeptOut]) {
    kept_out.iter().for_each(|kept| note(&format!("a message stays in the intake: {}", kept.why)));
    let for_good = kept_out.iter().filter(|kept| kept.why.is_for_good()).count();
    if for_good > 0 {
        let mend = "two who decide take them out: `tribune record discard`";
        note(&format!("{for_good} of them can never become events; {mend}"));
    }
}

async fn day(office: &Office) -> Result<ExitCode, Failure> {
    let (drained, kept_out) = office.clerk.drain(office.now).await?;
    tell_kept_out(&kept_out);
    let (published, log) = office.publish(true).await?;
    let size = log.tree().size;
    office.print(
        &size,
        &format!(
            "{drained} messages became events; {published} entries published; the public log has {}",
            thousands(size)
        ),
    )
}
