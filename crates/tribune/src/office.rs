//! What every command of a review needs: the configuration, the record and its clerk, who asks, and when.
//!
//! The only place that reads the machine's time and its randomness for the review. It has no rule of the domain.

use crate::common::{self, Failure, Format, output, put};
use crate::cosign;
use crate::epoch;
use crate::http::Web;
use crate::metering::UsageConfig;
use clerk::{Clerk, Done, Error, Law, Papers, Public, PublicText, Sender, Sent, Serving};
use review::act::Act;
use review::words::{CaseId, CommandId, Digest, Moment, Role, Text};
use serde::{Deserialize, Serialize};
use signals::pack::Policy;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;
use store::{Files, PublicLog};
use tlog::Signer;
use web::sign_in::{self, Key, ProviderSettings, SignIn};
use zeroize::Zeroizing;

/// Where the record is, who asks, and how to answer.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Asking {
    /// The configuration that `tribune record init` wrote
    #[arg(long, value_name = "FILE", env = "TRIBUNE_CONFIG", default_value = "tribune.toml", global = true)]
    pub config: PathBuf,
    /// Who you are: your number on the roster, an identity you sign in with, `customer:ID`, or `tribune` for a clock
    #[arg(long = "as", value_name = "WHO", env = "TRIBUNE_AS", global = true)]
    pub who: Option<String>,
    /// An id of this sending: sent twice, it is carried out once [default: drawn by chance]
    #[arg(id = "sending", long = "id", value_name = "ID", global = true)]
    pub id: Option<CommandId>,
    /// When, in a record whose clock is simulated; others have the machine's time
    #[arg(long, value_name = "TIME", env = "TRIBUNE_AT", global = true)]
    pub at: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value = "table", global = true)]
    pub format: Format,
}

/// The configuration. Paths are relative to its folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// `sqlite:PATH` or `postgres://USER@HOST/DATABASE`.
    pub record: String,
    /// Policy packs besides those that are built in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<PathBuf>,
    /// `age` recipients that can open every private text, kept apart from the server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recovery: Vec<String>,
    /// The public log.
    pub log: LogConfig,
    /// What gates are given.
    pub gate: GateConfig,
    /// Where the provider's usage records are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageConfig>,
    /// The pages of `tribune serve`.
    #[serde(default)]
    pub pages: PagesConfig,
    /// How people sign in to them.
    #[serde(default)]
    pub sign_in: SignInConfig,
}

/// How people sign in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SignInConfig {
    /// The file of the server's own secret; made where there is none.
    pub key: PathBuf,
    /// An OpenID provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oidc: Option<OidcConfig>,
}

impl Default for SignInConfig {
    fn default() -> Self {
        Self { key: "server.key".into(), oidc: None }
    }
}

/// An OpenID provider's.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OidcConfig {
    /// Its address, as its tokens say it.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// The file of our secret there.
    pub client_secret_file: PathBuf,
    /// What people call it.
    #[serde(default = "single_sign_on")]
    pub name: String,
}

fn single_sign_on() -> String {
    "single sign-on".to_owned()
}

/// The pages'.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PagesConfig {
    /// The provider's name, as pages show it.
    pub provider: String,
    /// Where browsers find them: `https://HOST`. Without it, where the server answers on this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The same pages as an onion service: `http://NAME.onion`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub onion: Option<String>,
}

impl Default for PagesConfig {
    fn default() -> Self {
        Self { provider: "Tribune".to_owned(), base: None, onion: None }
    }
}

/// What gates are given.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GateConfig {
    /// The file of the secret key that signs snapshots.
    pub key: PathBuf,
    /// The root's public key, in hexadecimal. Its secret is kept offline: it says who signs a later epoch.
    pub root: String,
    /// Raised when a backup is restored or the key changes.
    pub epoch: u64,
    /// The file of the root's word for the key of this epoch, unless gates pin that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// What the address of a public statement begins with.
    pub statements: String,
    /// No snapshot restricts more accounts than these.
    pub accounts_max: usize,
}

/// The public log's.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogConfig {
    /// Its name for itself, as in its checkpoints.
    pub origin: String,
    /// The file of its secret key.
    pub key: PathBuf,
    /// The folder that the world reads: the log under `log/`, statements, counts.
    pub public: PathBuf,
    /// An object store that shows the log as well: `s3://BUCKET/PREFIX`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<String>,
    /// Witnesses that are asked to cosign.
    #[serde(default, rename = "witness", skip_serializing_if = "Vec::is_empty")]
    pub witnesses: Vec<WitnessConfig>,
}

/// A witness.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WitnessConfig {
    /// Its address, without `/add-checkpoint`.
    pub url: String,
    /// Its key, as it prints it.
    pub key: String,
}

impl Config {
    /// Reads it.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let wrong = |what: String| Failure::Refused(format!("{}: {what}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| {
            wrong(format!("{error}; `tribune record init DIR` makes one, --config or TRIBUNE_CONFIG names another"))
        })?;
        toml::from_str(&text).map_err(|error| wrong(error.to_string()))
    }
}

/// A text for the record: itself, or `@FILE`.
#[derive(Clone, Debug)]
pub(crate) struct Words(pub String);

impl FromStr for Words {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = match text.strip_prefix('@') {
            Some(path) => std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?,
            None => text.to_owned(),
        };
        if text.trim().is_empty() { Err("it is empty".to_owned()) } else { Ok(Self(text)) }
    }
}

/// A time: `2026-03-01`, `2026-03-01T05:00Z`.
pub(crate) fn time(text: &str) -> Result<Moment, String> {
    usage::time::parse_seconds(text.trim()).map(Moment).map_err(|error| error.to_string())
}

/// Runs what a command of the review does.
pub(crate) fn run(work: impl Future<Output = Result<ExitCode, Failure>>) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::Defect(error.to_string()))?.block_on(work)
}

/// The office, open.
pub(crate) struct Office {
    /// Who takes what is asked.
    pub clerk: Arc<Clerk>,
    /// Of this installation.
    pub config: Config,
    /// Its folder.
    pub folder: PathBuf,
    /// For whom private texts are besides those of the case.
    pub papers: Papers,
    /// Now.
    pub now: Moment,
    simulated: bool,
    asking: Asking,
}

impl Office {
    /// Opens the record that the configuration names.
    pub(crate) async fn open(asking: &Asking) -> Result<Self, Failure> {
        let config = Config::read(&asking.config)?;
        let folder = asking.config.parent().map(Path::to_owned).unwrap_or_default();
        let record = store::Record::open(&address(&config.record, &folder)).await.map_err(Error::from)?;
        let clerk = Arc::new(Clerk::new(record, chance)?);
        let recovery = config.recovery.iter().map(|key| recipient(key)).collect::<Result<_, _>>()?;
        let customers = server_key(&folder.join(&config.sign_in.key))?.customers().map(Arc::new);
        let papers = Papers { recovery, customers };
        let founding = clerk.founding().await?;
        let founding = founding.ok_or_else(|| {
            Failure::Refused("the record has not begun: `tribune record init DIR` begins one".to_owned())
        })?;
        let now = match (&asking.at, founding.simulated_clock) {
            (Some(at), true) => time(at).map_err(Failure::Refused)?,
            (Some(_), false) => {
                let mend = "leave --at and TRIBUNE_AT out";
                return Err(Failure::Refused(format!(
                    "this record has the machine's time, and takes no other: {mend}"
                )));
            }
            (None, _) => now(),
        };
        Ok(Self { clerk, config, folder, papers, now, simulated: asking.at.is_some(), asking: asking.clone() })
    }

    /// Looks at the clock again, unless it is simulated.
    pub(crate) fn tick(&mut self) {
        if !self.simulated {
            self.now = now();
        }
    }

    /// The server's own secret; made where there is none.
    pub(crate) fn server_key(&self) -> Result<Key, Failure> {
        server_key(&self.path(&self.config.sign_in.key))
    }

    /// How people sign in to pages that are at `base`.
    pub(crate) fn sign_in(&self, base: &str) -> Result<Arc<SignIn>, Failure> {
        let provider = |oidc: &OidcConfig| {
            let path = self.path(&oidc.client_secret_file);
            let secret = std::fs::read_to_string(&path);
            let secret = secret.map_err(|error| Failure::Refused(format!("{}: {error}", path.display())))?;
            let OidcConfig { issuer, client_id, name, .. } = oidc.clone();
            Ok::<_, Failure>(ProviderSettings { issuer, client_id, client_secret: secret.trim().to_owned(), name })
        };
        let provider = self.config.sign_in.oidc.as_ref().map(provider).transpose()?;
        let settings = sign_in::Settings { base: base.to_owned(), key: self.server_key()?, provider };
        let means = sign_in::Means { clock: Box::new(now), record_clock: self.clock(), chance: Box::new(chance) };
        Ok(SignIn::new(Arc::clone(&self.clerk), settings, means)?)
    }

    /// A clock for who goes on longer than one command.
    pub(crate) fn clock(&self) -> Box<dyn Fn() -> Moment + Send + Sync> {
        let simulated = self.simulated.then_some(self.now);
        Box::new(move || simulated.unwrap_or_else(now))
    }

    /// Who asks, by name.
    pub(crate) fn who(&self) -> Result<&str, Failure> {
        let missing = "say who you are: --as PERSON (your number on the roster), or TRIBUNE_AS";
        self.asking.who.as_deref().ok_or_else(|| Failure::Refused(missing.to_owned()))
    }

    /// Who asks.
    pub(crate) fn sender(&self) -> Result<Sender, Failure> {
        Ok(match self.who()? {
            "tribune" => Sender::System,
            who => match who.strip_prefix("customer:") {
                Some(customer) => Sender::Customer(customer.parse().map_err(|error| refused(&error))?),
                None => Sender::Person(who.to_owned()),
            },
        })
    }

    /// This sending.
    pub(crate) fn sent(&self) -> Result<Sent, Failure> {
        Ok(Sent { id: self.id()?, at: self.now, by: self.sender()? })
    }

    /// Its id.
    pub(crate) fn id(&self) -> Result<CommandId, Failure> {
        match &self.asking.id {
            Some(id) => Ok(id.clone()),
            None => drawn_id(),
        }
    }

    /// Keeps a private text of a case; gives its digest.
    pub(crate) async fn keep(&self, case: &CaseId, text: &Words) -> Result<Text, Failure> {
        self.keep_for(Some(case), &BTreeSet::new(), text).await
    }

    /// Keeps a private text that is addressed to the customer of a case, or comes from it.
    pub(crate) async fn keep_for_customer(&self, case: &CaseId, text: &str) -> Result<Text, Failure> {
        let by = match self.sender()? {
            Sender::Person(name) => Some(self.clerk.person(&name).await?),
            Sender::Customer(_) | Sender::System => None,
        };
        let text = text.as_bytes();
        Ok(self.clerk.keep_for_customer(&self.papers, by.as_ref(), Some(case), text, self.now).await?)
    }

    /// Keeps a private text, for some roles alone where any are named.
    pub(crate) async fn keep_for(
        &self,
        case: Option<&CaseId>,
        only: &BTreeSet<Role>,
        text: &Words,
    ) -> Result<Text, Failure> {
        let text = text.0.as_bytes();
        let by = match (self.sender()?, case) {
            (Sender::Customer(customer), Some(case)) => {
                return Ok(self.clerk.keep_answer(&self.papers, &customer, case, text, self.now).await?);
            }
            (Sender::Customer(_), None) => return Err(Failure::Refused("a customer speaks in its case".to_owned())),
            (Sender::Person(name), _) => Some(self.clerk.person(&name).await?),
            (Sender::System, _) => None,
        };
        Ok(self.clerk.keep(&self.papers, by.as_ref(), case, only, text, self.now).await?)
    }

    /// Carries out an act and says so. What becomes public by it goes to the public log at once.
    pub(crate) async fn enact(&self, case: &CaseId, act: Act) -> Result<ExitCode, Failure> {
        let public =
            matches!(act, Act::Approve { .. } | Act::ServeNotice { .. } | Act::Compare { .. } | Act::Correct { .. });
        let done = self.clerk.enact(&self.sent()?, case, act).await?;
        if public {
            self.publish(false).await?;
        }
        self.say(&format!("case {case}"), done)
    }

    /// What signs the public log.
    pub(crate) fn log_signer(&self) -> Result<Signer, Failure> {
        let path = self.path(&self.config.log.key);
        let wrong = |what: &str| Failure::Refused(format!("{}: {what}", path.display()));
        let secret = std::fs::read_to_string(&path).map_err(|error| wrong(&error.to_string()))?;
        let signer = Signer::parse(secret.trim()).map_err(|error| wrong(&error.to_string()))?;
        if signer.verifier().name() != self.config.log.origin {
            return Err(wrong("it is the key of a log of another name than the configuration's"));
        }
        Ok(signer)
    }

    /// The public log, open.
    pub(crate) async fn public_log(&self) -> Result<PublicLog, Failure> {
        let signer = self.log_signer()?;
        let files = Files::local(self.path(&self.config.log.public).join("log"));
        let log = PublicLog::open(self.clerk.record(), files, signer).await;
        log.map_err(|error| Failure::Refused(error.to_string()))
    }

    /// What a snapshot of this installation's is signed with.
    pub(crate) fn serving(&self) -> Result<Serving, Failure> {
        let GateConfig { key, epoch, statements, accounts_max, .. } = &self.config.gate;
        let path = self.path(key);
        let wrong = |what: &str| Failure::Refused(format!("{}: {what}", path.display()));
        let text = std::fs::read_to_string(&path).map_err(|error| wrong(&error.to_string()))?;
        let key = unhex(text.trim()).ok_or_else(|| wrong("it holds no key: 64 hexadecimal digits"))?;
        let (epoch, statements, accounts_max) = (*epoch, statements.clone(), *accounts_max);
        let certificate = self.config.gate.certificate.as_ref();
        let certificate = certificate.map(|path| epoch::certificate(self, &self.path(path), &key)).transpose()?;
        Ok(Serving { epoch, certificate, key, statements, accounts_max })
    }

    /// The public key of the root that gates pin.
    pub(crate) fn root(&self) -> Result<[u8; 32], Failure> {
        let missing = || Failure::Refused("gate.root of the configuration is no public key".to_owned());
        unhex(&self.config.gate.root).ok_or_else(missing)
    }

    /// The file of the configuration.
    pub(crate) fn config_path(&self) -> &Path {
        &self.asking.config
    }

    /// Publishes what is due: what is public at once, and with `batch` the day's commitments. Gives how many entries.
    pub(crate) async fn publish(&self, batch: bool) -> Result<(usize, PublicLog), Failure> {
        let mut log = self.public_log().await?;
        let published = self.clerk.publish(&mut log, self.now, batch).await?;
        if published > 0 {
            self.ask_witnesses(&mut log).await?;
        }
        // What the world reads here does not wait for a store elsewhere: that is completed the next time.
        if (published > 0 || batch)
            && let Err(why) = self.mirror(&log).await
        {
            common::note(&format!("the log's mirror is behind: {why}"));
        }
        let public = self.path(&self.config.log.public);
        for PublicText { what, digest, text } in self.clerk.public_texts().await? {
            let name = digest.to_string().replace(':', "-");
            let (path, text) = match what {
                Public::Statement | Public::Correction => (public.join("statements").join(format!("{name}.txt")), text),
                Public::Counts(year) => (public.join("transparency").join(format!("{year}.csv")), text),
            };
            let fail = |source| Failure::Write { path: path.display().to_string(), source };
            if std::fs::read_to_string(&path).is_ok_and(|there| there == text) {
                continue;
            }
            path.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(fail)?;
            output(Some(&path), |out| out.write_all(text.as_bytes()).map_err(fail))?;
        }
        Ok((published, log))
    }

    /// Shows the log where an object store shows it too: made from the record, as the first is, with its cosignatures.
    async fn mirror(&self, log: &PublicLog) -> Result<(), String> {
        let Some(address) = &self.config.log.mirror else { return Ok(()) };
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let signer = self.log_signer().map_err(|error| text(&error))?;
        let opened = PublicLog::open(self.clerk.record(), Files::at(address)?, signer).await;
        let mut mirror = opened.map_err(|error| text(&error))?;
        let shown = log.checkpoint().to_string();
        let lines = shown.split_once("\n\n").map_or("", |(_, lines)| lines);
        for witness in &self.config.log.witnesses {
            let key = witness.key.parse().map_err(|error| text(&error))?;
            if log.checkpoint().cosignatures(lines.as_bytes(), &[&key]).is_ok() {
                mirror.cosign(lines.as_bytes(), &key).await.map_err(|error| text(&error))?;
            }
        }
        Ok(())
    }

    /// Asks the configured witnesses to cosign. One that does not is said, and asked again the next time.
    async fn ask_witnesses(&self, log: &mut PublicLog) -> Result<(), Failure> {
        let witness = |config: &WitnessConfig| {
            let key = config
                .key
                .parse()
                .map_err(|error| Failure::Refused(format!("the key of the witness {}: {error}", config.url)))?;
            Ok(cosign::Witness { url: config.url.clone(), key })
        };
        let witnesses = self.config.log.witnesses.iter().map(witness).collect::<Result<Vec<_>, Failure>>()?;
        if !witnesses.is_empty() {
            cosign::gather(&Web::new(cosign::PATIENCE)?, log, &witnesses).await.map_err(|error| refused(&error))?;
        }
        Ok(())
    }

    /// Says what became of a command.
    pub(crate) fn say(&self, of: &str, done: Done) -> Result<ExitCode, Failure> {
        #[derive(Serialize)]
        struct Said<'a> {
            of: &'a str,
            event: u64,
            before: bool,
        }
        let before = if done.before { ", as it was before: it had been sent" } else { "" };
        self.print(
            &Said { of, event: done.number, before: done.before },
            &format!("{of}: event {}{before}", done.number),
        )
    }

    /// Prints a value, as JSON or as the text that says the same.
    pub(crate) fn print(&self, value: &impl Serialize, text: &str) -> Result<ExitCode, Failure> {
        output(None, |out| match self.asking.format {
            Format::Json => common::json(out, value),
            Format::Table => text.lines().try_for_each(|line| put(&mut &mut *out, &common::clean(line))),
        })?;
        Ok(ExitCode::SUCCESS)
    }

    /// Says how many texts were encrypted anew, and how many an identity could not open.
    pub(crate) fn rewrapped(&self, (done, shut): (usize, usize)) -> Result<ExitCode, Failure> {
        let rest = match shut {
            0 => String::new(),
            _ => format!("; {shut} that this identity does not open stay as they were"),
        };
        self.print(&(done, shut), &format!("{done} texts are for those who may read them now{rest}"))
    }

    /// The policy packs, as they are now.
    pub(crate) fn policies(&self) -> Result<Vec<Policy>, Failure> {
        let folders: Vec<PathBuf> = self.config.policies.iter().map(|path| self.folder.join(path)).collect();
        common::policies(&folders)
    }

    /// The law of a policy pack, as it is now.
    pub(crate) fn law(&self, policy: &str) -> Result<Law, Failure> {
        let packs = self.policies()?;
        let known = packs.iter().map(|pack| pack.id.clone()).collect::<Vec<_>>().join(", ");
        let pack = packs.into_iter().find(|pack| pack.id == policy);
        let pack =
            pack.ok_or_else(|| Failure::Refused(format!("there is no policy pack `{policy}`; known: {known}")))?;
        let digest = pack.digest.parse().map_err(|error| refused(&error))?;
        Ok(Law { id: pack.id, version: pack.version, digest, title: pack.title, procedure: pack.review })
    }

    /// A path of the configuration.
    pub(crate) fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }
}

/// The address of a record, its path taken from the configuration's folder.
pub(crate) fn address(record: &str, folder: &Path) -> String {
    match record.strip_prefix("sqlite:") {
        Some(path) => format!("sqlite:{}", folder.join(path).display()),
        None => record.to_owned(),
    }
}

/// The secret in a file, 64 hexadecimal digits; drawn by chance where there is no file.
fn server_key(path: &Path) -> Result<Key, Failure> {
    let wrong = |what: &str| Failure::Refused(format!("{}: {what}", path.display()));
    if !path.exists() {
        crate::record::write_secret(path, format!("{}\n", drawn(32)).as_bytes())?;
    }
    let text = std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| wrong(&error.to_string()))?;
    let bytes = unhex(text.trim()).ok_or_else(|| wrong("it holds no secret: 64 hexadecimal digits"))?;
    Ok(Key::new(bytes))
}

/// An age recipient.
pub(crate) fn recipient(key: &str) -> Result<store::Recipient, Failure> {
    key.parse().map_err(|why| Failure::Refused(format!("`{key}` is no age recipient (`age1…`): {why}")))
}

/// The identity in a file, as `age-keygen` writes it.
pub(crate) fn identity(path: &Path) -> Result<store::Identity, Failure> {
    let wrong = |what: &str| Failure::Refused(format!("{}: {what}; `age-keygen -o FILE` makes one", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    line.and_then(|line| line.parse().ok()).ok_or_else(|| wrong("it holds no age identity"))
}

/// A digest that is named, or that of a file.
pub(crate) fn digest(text: &str) -> Result<Digest, String> {
    match text.strip_prefix('@') {
        Some(path) => std::fs::read(path).map(Digest::of).map_err(|error| format!("{path}: {error}")),
        None => text.parse().map_err(|error: review::words::FormError| error.to_string()),
    }
}

pub(crate) fn refused(error: &impl std::fmt::Display) -> Failure {
    Failure::Refused(error.to_string())
}

/// The machine's randomness.
pub(crate) fn chance(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        // Without chance no salt hides anything: better nothing is written at all.
        eprintln!("tribune: the machine gives no randomness: {error}");
        std::process::exit(70);
    }
}

/// The seed of a gate's set.
pub(crate) fn seed() -> u64 {
    let mut bytes = [0; 8];
    chance(&mut bytes);
    u64::from_be_bytes(bytes)
}

/// 32 bytes in hexadecimal.
pub(crate) fn unhex(text: &str) -> Option<[u8; 32]> {
    format!("sha256:{text}").parse::<Digest>().ok().map(|digest| digest.0)
}

/// An id of a sending of its own.
pub(crate) fn drawn_id() -> Result<CommandId, Failure> {
    drawn(16).parse().map_err(|error| refused(&error))
}

/// So many random bytes, in hexadecimal.
pub(crate) fn drawn(bytes: usize) -> String {
    let mut drawn = vec![0; bytes];
    chance(&mut drawn);
    drawn.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The machine's time.
#[expect(clippy::disallowed_methods, reason = "the one place where the review is told what time it is")]
pub(crate) fn now() -> Moment {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Moment(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
