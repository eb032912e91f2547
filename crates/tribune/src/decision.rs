//! `tribune decision`: what is proposed, signed, served and brought into effect.
//!
//! Who approves signs with a key of their own: `ssh-keygen` holds it, or a file that their passphrase opens, the weaker
//! form. What they sign is what they are shown, and the digest of that stands in the record.

mod passphrase;

use crate::common::{self, Failure, output, put};
use crate::metering::{DAYS, Meters};
use crate::office::{self, Asking, Office, Words, refused, time};
use clap::Subcommand;
use clerk::{File, Sent};
use review::act::{Act, Approval, Decision, Order};
use review::case::{Decided, Standing};
use review::dsa::{Batch, Entry, Settings};
use review::metered::Compared;
use review::procedure::Respite;
use review::roster::{KeyForm, PublicKey};
use review::seal;
use review::statement::{Draft, Statement, Texts, Written};
use review::words::{
    AccountId, CaseId, DecisionId, Digest, InterventionId, Moment, RegionId, ServiceId, Switch, Target,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// Propose, sign, approve, refuse, serve and bring into effect.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
How a decision goes:
  tribune decision propose CASE d1 --intervention read-only --target a1,object-storage,,write \\
      --reason write=@why.txt --review 2026-09-01 --as ann
  tribune decision preview CASE d1 exports/ --as ann                    what it stops, by the usage of late
  tribune decision show CASE d1 --purpose 'to decide' --as ben          what an approval signs
  tribune decision approve CASE d1 --ssh-key ~/.ssh/id_ed25519 --as ben (two people; never who proposed)
  tribune decision draft CASE d1 --facts @facts.txt --redress @redress.txt --reason write=@why.txt \\
      --served 2026-03-20 --out notice/ --as ann
  tribune case confirm CASE @notice/statement.txt --written-by ann --as ivy   (and @notice/public.txt)
  tribune decision serve CASE d1 --draft notice/ --as ann
  tribune decision effect CASE d1 --as gil")]
pub(crate) struct Args {
    #[command(flatten)]
    asking: Asking,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Propose an intervention on a list of targets, which is sealed
    Propose(Propose),
    /// Propose to lift what a decision ordered, or to leave of it only what is named
    #[command(
        after_help = "Example:\n  tribune decision lift case-k3vm9q2a d3 --decision d2 --keep a1,speech,,write --as ann"
    )]
    Lift {
        case: CaseId,
        id: DecisionId,
        /// The decision that is lifted
        #[arg(long)]
        decision: DecisionId,
        /// A target that stays switched off: ACCOUNT,SERVICE,REGION,SWITCHES
        #[arg(long, value_name = "TARGET", value_parser = target)]
        keep: Vec<Target>,
        /// When it is looked at again
        #[arg(long, value_name = "TIME", value_parser = time)]
        review: Option<Moment>,
    },
    /// Look by the usage of late at what it would stop and what goes on; before people approve, and again before it
    /// takes effect
    #[command(after_help = "Example:\n  tribune decision preview case-k3vm9q2a d1 exports/ --days 14 --as ann")]
    Preview {
        case: CaseId,
        id: DecisionId,
        #[command(flatten)]
        meters: Meters,
    },
    /// Hold the days since it took effect against its preview: has it stopped what it was to stop, and nothing else?
    #[command(after_help = "Example:\n  tribune decision compare case-k3vm9q2a d1 exports/ --days 7 --as gil")]
    Compare {
        case: CaseId,
        id: DecisionId,
        #[command(flatten)]
        meters: Meters,
    },
    /// Show a decision as those who decide see it: what an approval signs
    Show {
        case: CaseId,
        id: DecisionId,
        /// What you look for
        #[arg(long)]
        purpose: String,
    },
    /// Sign a decision with an SSH key, to be sent by `approve`; nothing is recorded yet
    Sign {
        case: CaseId,
        id: DecisionId,
        /// Your key: its file, or the .pub file of one that an agent holds
        #[arg(long, value_name = "FILE")]
        ssh_key: PathBuf,
        /// Where the signature goes
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Make a key that a passphrase opens; prints what stands on the roster
    NewKey {
        /// Where it goes
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// The file that holds the passphrase; asked for on the terminal without
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
    /// Approve, with a signature of your own
    Approve {
        case: CaseId,
        id: DecisionId,
        #[command(flatten)]
        with: With,
        /// The digest that was shown to you; refused if what stands there now is something else
        #[arg(long, value_name = "DIGEST")]
        shown: Option<Digest>,
    },
    /// Refuse
    Refuse {
        case: CaseId,
        id: DecisionId,
        #[arg(long, value_name = "TEXT|@FILE")]
        reason: Words,
    },
    /// Draft the statement of reasons, for the customer and for the public
    Draft(DraftArgs),
    /// Serve a statement that a second person has confirmed; its public form is published with it
    Serve {
        case: CaseId,
        id: DecisionId,
        /// The folder that `draft` wrote
        #[arg(long, value_name = "DIR")]
        draft: PathBuf,
    },
    /// A served statement in the schema of the EU's DSA Transparency Database, as JSON; sends nothing
    Dsa(Dsa),
    /// Bring into effect what was approved and served
    Effect { case: CaseId, id: DecisionId },
    /// Say that what was decided for a time is over
    RunOut { case: CaseId, id: DecisionId },
}

#[derive(clap::Args, Debug)]
struct Propose {
    case: CaseId,
    id: DecisionId,
    #[arg(long)]
    intervention: InterventionId,
    /// A target: ACCOUNT,SERVICE,REGION,SWITCHES with an empty region for everywhere and + between switches
    #[arg(long, value_name = "TARGET", value_parser = target)]
    target: Vec<Target>,
    /// A file of targets, one a line
    #[arg(long, value_name = "FILE")]
    targets: Option<PathBuf>,
    /// Why this switch and nothing less: SWITCH=TEXT or SWITCH=@FILE
    #[arg(long, value_name = "SWITCH=TEXT", value_parser = reason)]
    reason: Vec<(Switch, Words)>,
    /// The determination it rests on, from 0 [default: the one that stands]
    #[arg(long, value_name = "N")]
    determination: Option<usize>,
    /// It cannot wait for the hearing and the steps; it lapses after ten days
    #[arg(long)]
    emergency: bool,
    /// When it ends by itself
    #[arg(long, value_name = "TIME", value_parser = time)]
    ends: Option<Moment>,
    /// When it is looked at again
    #[arg(long, value_name = "TIME", value_parser = time)]
    review: Option<Moment>,
}

/// With what one signs.
#[derive(clap::Args, Debug)]
#[group(required = true, multiple = false)]
struct With {
    /// Your SSH key, used by ssh-keygen
    #[arg(long, value_name = "FILE")]
    ssh_key: Option<PathBuf>,
    /// A signature that `sign`, or `ssh-keygen -Y sign -n tribune-approval`, wrote
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    /// Your key that a passphrase opens: the weaker form
    #[arg(long, value_name = "FILE")]
    passphrase_key: Option<PathBuf>,
}

#[derive(clap::Args, Debug)]
struct DraftArgs {
    case: CaseId,
    id: DecisionId,
    /// The facts and circumstances relied on
    #[arg(long, value_name = "TEXT|@FILE")]
    facts: Words,
    /// How it can be looked at again, beyond the appeal
    #[arg(long, value_name = "TEXT|@FILE")]
    redress: Words,
    /// The reasons that the decision names, as they were proposed: SWITCH=TEXT or SWITCH=@FILE
    #[arg(long, value_name = "SWITCH=TEXT", value_parser = reason)]
    reason: Vec<(Switch, Words)>,
    /// Whom the public owes it to, where they wish to be named; stands in the public form
    #[arg(long, value_name = "TEXT|@FILE")]
    credit: Option<Words>,
    /// When it is to be served, at the earliest
    #[arg(long, value_name = "TIME", value_parser = time)]
    served: Moment,
    /// A new folder for statement.txt, statement.html, public.txt, public.html
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(clap::Args, Debug)]
struct Dsa {
    case: CaseId,
    id: DecisionId,
    /// The folder that `draft` wrote, of what was served
    #[arg(long, value_name = "DIR")]
    draft: PathBuf,
    /// The facts, written for the database and confirmed by a second person
    #[arg(long, value_name = "TEXT|@FILE")]
    facts: Words,
    /// The clause's category, as the database lists them
    #[arg(long)]
    category: String,
    /// Where the terms can be read
    #[arg(long, value_name = "URL")]
    terms_url: Option<String>,
    /// In which country a region lies: REGION=CC
    #[arg(long, value_name = "REGION=CC", value_parser = country)]
    country: Vec<(RegionId, String)>,
    /// The reports were notices under DSA Article 16
    #[arg(long)]
    article_16: bool,
}

fn country(text: &str) -> Result<(RegionId, String), String> {
    let (region, country) = text.split_once('=').ok_or_else(|| format!("`{text}` is not REGION=CC"))?;
    Ok((region.parse().map_err(|error: review::words::FormError| error.to_string())?, country.to_owned()))
}

fn switch(text: &str) -> Result<Switch, String> {
    let quoted = serde_json::Value::String(text.to_owned());
    serde_json::from_value(quoted).map_err(|_| format!("`{text}` is no switch: write, read, delete or export"))
}

/// `ACCOUNT,SERVICE,REGION,SWITCHES`.
fn target(text: &str) -> Result<Target, String> {
    let wrong = |error: review::words::FormError| error.to_string();
    let mut parts = text.rsplitn(4, ',');
    let (switches, region, service, account) = (parts.next(), parts.next(), parts.next(), parts.next());
    let form =
        || format!("`{text}` is no target: ACCOUNT,SERVICE,REGION,SWITCHES, like a1,object-storage,,write+export");
    let ((account, service), (region, switches)) = account.zip(service).zip(region.zip(switches)).ok_or_else(form)?;
    Ok(Target {
        account: account.parse::<AccountId>().map_err(wrong)?,
        service: service.parse::<ServiceId>().map_err(wrong)?,
        region: if region.is_empty() { None } else { Some(region.parse::<RegionId>().map_err(wrong)?) },
        switches: switches.split('+').map(switch).collect::<Result<_, _>>()?,
    })
}

fn reason(text: &str) -> Result<(Switch, Words), String> {
    let (of, words) =
        text.split_once('=').ok_or_else(|| format!("`{text}` is no reason: SWITCH=TEXT or SWITCH=@FILE"))?;
    Ok((switch(of)?, words.parse()?))
}

/// Runs it.
pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    if let Verb::NewKey { out, passphrase_file } = &args.verb {
        return passphrase::make(out, passphrase_file.as_deref());
    }
    office::run(async {
        let office = Office::open(&args.asking).await?;
        match args.verb {
            Verb::Propose(propose) => propose.run(&office).await,
            Verb::Lift { case, id, decision, keep, review } => lift(&office, case, id, decision, keep, review).await,
            Verb::Show { case, id, purpose } => {
                let shown = shown(&office, &case, &id, &purpose).await?;
                office.print(&shown, &format!("{}\nsigned as shown: {}", shown.text, shown.digest))
            }
            Verb::Sign { case, id, ssh_key, out } => sign(&office, &case, &id, &ssh_key, &out).await,
            Verb::Approve { case, id, with, shown } => approve(&office, &case, &id, &with, shown).await,
            Verb::Refuse { case, id, reason } => {
                let reason = office.keep(&case, &reason).await?;
                office.enact(&case, Act::Refuse { decision: id, reason }).await
            }
            Verb::Draft(draft) => draft.run(&office).await,
            Verb::Serve { case, id, draft } => serve(&office, &case, &id, &draft).await,
            Verb::Dsa(dsa) => dsa.run(&office).await,
            Verb::Preview { case, id, meters } => preview(&office, &case, &id, &meters).await,
            Verb::Compare { case, id, meters } => compare(&office, &case, &id, &meters).await,
            Verb::Effect { case, id } => effect(&office, &case, id).await,
            Verb::RunOut { case, id } => office.enact(&case, Act::RunOut { decision: id }).await,
            Verb::NewKey { .. } => Err(Failure::Defect("a key is made before the record is opened".to_owned())),
        }
    })
}

async fn look(office: &Office, case: &CaseId, purpose: &str) -> Result<File, Failure> {
    Ok(office.clerk.look(&office.sender()?, case, purpose, office.now).await?)
}

fn decided<'a>(file: &'a File, id: &DecisionId) -> Result<&'a Decided, Failure> {
    let unknown = || Failure::Refused(format!("there is no decision {id} in {}", file.case.id));
    file.case.decisions.get(id).ok_or_else(unknown)
}

// ---- proposing ------------------------------------------------------------------------------------------------------

impl Propose {
    async fn run(mut self, office: &Office) -> Result<ExitCode, Failure> {
        if let Some(path) = &self.targets {
            let wrong = |what: String| Failure::Refused(format!("{}: {what}", path.display()));
            let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
            for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                let target = target(line.trim()).map_err(|error| wrong(format!("line {}: {error}", number + 1)))?;
                self.target.push(target);
            }
        }
        self.target.sort();
        let mut reasons = BTreeMap::new();
        for (switch, words) in &self.reason {
            reasons.insert(*switch, office.keep(&self.case, words).await?);
        }
        let file = look(office, &self.case, "proposing a decision").await?;
        let standing = file.case.standing_determination().map(|(place, _)| place);
        let known = file.law.procedure.intervention(&self.intervention);
        let needs = known.is_some_and(|one| one.reach.standard().is_some());
        // What is for a time is sealed with its latest end, unless an earlier one is named.
        let ends = self.ends.or_else(|| known?.latest_end(self.emergency, office.now));
        let decision = Decision {
            id: self.id,
            order: Order::Impose { intervention: self.intervention },
            determination: self.determination.or(standing.filter(|_| needs)),
            targets: self.target,
            reasons,
            emergency: self.emergency,
            respite: known.map(|one| one.respite(self.emergency)).unwrap_or_default(),
            ends,
            review: self.review,
        };
        office.enact(&self.case, Act::Propose(decision)).await
    }
}

async fn lift(
    office: &Office,
    case: CaseId,
    id: DecisionId,
    decision: DecisionId,
    mut keep: Vec<Target>,
    review: Option<Moment>,
) -> Result<ExitCode, Failure> {
    keep.sort();
    let file = look(office, &case, "proposing to lift a decision").await?;
    let reasons = decided(&file, &decision)?.decision.reasons.clone();
    let kept: BTreeSet<Switch> = keep.iter().flat_map(|target| target.switches.iter().copied()).collect();
    let decision = Decision {
        id,
        order: Order::Lift { decision },
        determination: None,
        targets: keep,
        reasons: reasons.into_iter().filter(|(switch, _)| kept.contains(switch)).collect(),
        emergency: false,
        respite: Respite::default(),
        ends: None,
        review,
    };
    office.enact(&case, Act::Propose(decision)).await
}

// ---- what meters say ------------------------------------------------------------------------------------------------

async fn preview(office: &Office, case: &CaseId, id: &DecisionId, meters: &Meters) -> Result<ExitCode, Failure> {
    let file = look(office, case, "previewing a decision").await?;
    let metered = office.meter(&aimed_at(&file, id)?, meters)?;
    let (targets, window) = (&decided(&file, id)?.decision.targets, window(&file, id, office.now));
    let said = metered.text(targets, window);
    let done = office.clerk.enact(&office.sent()?, case, Act::Preview { decision: id.clone(), metered }).await?;
    office.print(&said, &format!("{said}case {case}: event {}", done.number))
}

async fn compare(office: &Office, case: &CaseId, id: &DecisionId, meters: &Meters) -> Result<ExitCode, Failure> {
    let file = look(office, case, "comparing the days after a decision").await?;
    let metered = office.meter(&aimed_at(&file, id)?, meters)?;
    office.clerk.enact(&office.sent()?, case, Act::Compare { decision: id.clone(), metered }).await?;
    office.publish(false).await?;
    let file = look(office, case, "reading what the days after a decision showed").await?;
    let missing = || Failure::Defect("a comparison that is an event is not in the case".to_owned());
    let (_, compared) = decided(&file, id)?.compared.last().ok_or_else(missing)?;
    let Compared { stopped, still, as_before, less } = compared;
    let said = format!(
        "of the kinds of use that were there on most days before:\n\
         {stopped} were to stop and are at zero; {still} were to stop and are not\n\
         {as_before} were to go on and are there as before; {less} are at less than half of what they were"
    );
    let code = office.print(compared, &said)?;
    Ok(if *still + *less == 0 { code } else { ExitCode::FAILURE })
}

/// The accounts to look at: those of the workload, and the targets.
fn aimed_at(file: &File, id: &DecisionId) -> Result<BTreeSet<AccountId>, Failure> {
    let targets = decided(file, id)?.decision.targets.iter().map(|target| target.account.clone());
    Ok(targets.chain(file.case.accounts.iter().cloned()).collect())
}

fn window(file: &File, id: &DecisionId, at: Moment) -> bool {
    file.case.has_window(id, at)
}

/// Brings into effect what was sealed, after one more look at the usage of late where that is configured.
async fn effect(office: &Office, case: &CaseId, id: DecisionId) -> Result<ExitCode, Failure> {
    let file = look(office, case, "bringing a decision into effect").await?;
    let decided = decided(&file, &id)?;
    let root = seal::root(&decided.decision.targets);
    if office.config.usage.is_some() && decided.wants_preview() && decided.standing == Standing::Approved {
        let meters = Meters { records: Vec::new(), days: DAYS, until: None };
        let metered = office.meter(&aimed_at(&file, &id)?, &meters)?;
        let sent = Sent { id: office::drawn_id()?, ..office.sent()? };
        office.clerk.enact(&sent, case, Act::Preview { decision: id.clone(), metered }).await?;
    }
    office.enact(case, Act::TakeEffect { decision: id, root }).await
}

// ---- signing --------------------------------------------------------------------------------------------------------

/// What those who decide are shown.
#[derive(Serialize)]
struct Shown {
    text: String,
    digest: Digest,
    /// The bytes that are signed.
    message: String,
}

/// What those who decide are shown: the decision as it is sealed, and every target.
async fn shown(office: &Office, case: &CaseId, id: &DecisionId, purpose: &str) -> Result<Shown, Failure> {
    let file = look(office, case, purpose).await?;
    let decision = &decided(&file, id)?.decision;
    let unknown = || Failure::Refused(format!("there is no decision {id} in {case}"));
    let text = file.case.shown(id).ok_or_else(unknown)?;
    let digest = Digest::of(&text);
    Ok(Shown { message: seal::message(case, decision, &digest), text, digest })
}

async fn sign(office: &Office, case: &CaseId, id: &DecisionId, key: &Path, out: &Path) -> Result<ExitCode, Failure> {
    let shown = shown(office, case, id, "to sign a decision").await?;
    let signature = ssh_sign(key, &shown.message)?;
    output(Some(out), |file| put(&mut &mut *file, signature.trim_end()))?;
    let next = format!("tribune decision approve {case} {id} --signature {} --shown {}", out.display(), shown.digest);
    office.print(&shown.digest, &format!("{}\nsigned; to approve: {next}", shown.text))
}

async fn approve(
    office: &Office,
    case: &CaseId,
    id: &DecisionId,
    with: &With,
    expected: Option<Digest>,
) -> Result<ExitCode, Failure> {
    let shown = shown(office, case, id, "to approve a decision").await?;
    if let Some(expected) = expected.filter(|expected| *expected != shown.digest) {
        let now = format!("what stands there now is {}", shown.digest);
        return Err(Failure::Refused(format!(
            "you were shown {expected}, and {now}: look at it again before you sign"
        )));
    }
    let approval = match (&with.ssh_key, &with.signature, &with.passphrase_key) {
        (Some(key), ..) => ssh_approval(&ssh_sign(key, &shown.message)?, shown.digest)?,
        (_, Some(path), _) => {
            let text = std::fs::read_to_string(path);
            ssh_approval(
                &text.map_err(|error| Failure::Refused(format!("{}: {error}", path.display())))?,
                shown.digest,
            )?
        }
        (.., Some(path)) => passphrase::sign(path, &shown.message, shown.digest)?,
        _ => return Err(Failure::Refused("name what you sign with: --ssh-key FILE".to_owned())),
    };
    office.enact(case, Act::Approve { decision: id.clone(), approval }).await
}

fn ssh_approval(armoured: &str, shown: Digest) -> Result<Approval, Failure> {
    let (key, signature): (PublicKey, String) = seal::parse_ssh(armoured).map_err(|error| refused(&error))?;
    Ok(Approval { key, form: KeyForm::Ssh, signature, shown, identity: None })
}

/// Lets `ssh-keygen` sign, so that the key stays where it is: in its file, in an agent or on a token.
fn ssh_sign(key: &Path, message: &str) -> Result<String, Failure> {
    let failed = |what: String| Failure::Refused(format!("ssh-keygen did not sign with {}: {what}", key.display()));
    let mut command = Command::new("ssh-keygen");
    command.args(["-Y", "sign", "-n", seal::SSH_NAMESPACE, "-f"]).arg(key);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    let written = child.stdin.take().map(|mut stdin| stdin.write_all(message.as_bytes()));
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() || !matches!(written, Some(Ok(()))) {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    String::from_utf8(output.stdout).map_err(|error| failed(error.to_string()))
}

// ---- the statement of reasons ---------------------------------------------------------------------------------------

/// What a statement was drafted from, so that what is served is what it says.
#[derive(Serialize, Deserialize)]
struct DraftFile {
    served: Moment,
    facts: String,
    redress: String,
    reasons: BTreeMap<Switch, String>,
    credit: Option<String>,
}

impl DraftFile {
    fn read(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join("draft.json");
        let wrong = |what: String| Failure::Refused(format!("{}: {what}", path.display()));
        let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))
    }

    fn statement(&self, file: &File, id: &DecisionId) -> Result<Statement, Failure> {
        let written = |text: &str| Written::new(&Digest::of(text), text).map_err(|error| refused(&error));
        let mut reasons = BTreeMap::new();
        for (switch, text) in &self.reasons {
            reasons.insert(*switch, written(text)?);
        }
        let credit = self.credit.as_deref().map(written).transpose()?;
        let texts = Texts { facts: written(&self.facts)?, reasons, redress: written(&self.redress)?, credit };
        let draft = Draft {
            case: &file.case,
            decision: id,
            procedure: &file.law.procedure,
            clause: &file.law.title,
            texts: &texts,
            served: self.served,
        };
        Statement::draft(&draft).map_err(|error| refused(&error))
    }
}

impl DraftArgs {
    async fn run(self, office: &Office) -> Result<ExitCode, Failure> {
        let file = look(office, &self.case, "drafting the statement of reasons").await?;
        let draft = DraftFile {
            served: self.served,
            facts: self.facts.0,
            redress: self.redress.0,
            reasons: self.reason.into_iter().map(|(switch, words)| (switch, words.0)).collect(),
            credit: self.credit.map(|words| words.0),
        };
        let statement = draft.statement(&file, &self.id)?;
        office.keep_for_customer(&self.case, &statement.text()).await?;
        let fail = |source| Failure::Write { path: self.out.display().to_string(), source };
        std::fs::create_dir_all(&self.out).map_err(fail)?;
        let texts = [
            ("statement.txt", statement.text()),
            ("statement.html", statement.html()),
            ("public.txt", statement.public_text()),
            ("public.html", statement.public_html()),
        ];
        for (name, text) in &texts {
            output(Some(&self.out.join(name)), |out| out.write_all(text.as_bytes()).map_err(fail))?;
        }
        output(Some(&self.out.join("draft.json")), |out| common::json(out, &draft))?;
        let (customers, public) = (statement.digest(), statement.public_digest());
        let next = "a second person reads both and confirms each: tribune case confirm";
        let said =
            format!("the customer's {customers}\nthe public's {public}\n{next} {} DIGEST --written-by …", self.case);
        office.print(&[customers, public], &said)
    }
}

impl Dsa {
    async fn run(self, office: &Office) -> Result<ExitCode, Failure> {
        let file = look(office, &self.case, "a statement for the public database").await?;
        let statement = DraftFile::read(&self.draft)?.statement(&file, &self.id)?;
        let facts = Written::new(&Digest::of(&self.facts.0), &self.facts.0).map_err(|error| refused(&error))?;
        let countries: BTreeMap<RegionId, String> = self.country.into_iter().collect();
        let settings = Settings {
            category: &self.category,
            terms_url: self.terms_url.as_deref(),
            countries: &countries,
            article_16: self.article_16,
        };
        let entry = Entry::of(&file.case, &statement, &facts, &settings).map_err(|error| refused(&error))?;
        let batch = Batch::of(vec![entry]).map_err(|error| refused(&error))?;
        output(None, |out| common::json(out, &batch))?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn serve(office: &Office, case: &CaseId, id: &DecisionId, folder: &Path) -> Result<ExitCode, Failure> {
    let wrong = |what: String| Failure::Refused(format!("{}: {what}", folder.display()));
    let draft = DraftFile::read(folder)?;
    let file = look(office, case, "serving the statement of reasons").await?;
    let statement = draft.statement(&file, id)?;
    if office.now < draft.served {
        return Err(wrong(format!("it counts its times from {}; serve it then, or draft it anew", draft.served)));
    }
    let (sent, public) = (office.sent()?, statement.public_text());
    let done = office.clerk.serve(&sent, case, id.clone(), statement.digest(), &public).await?;
    office.publish(false).await?;
    office.say(&format!("case {case}"), done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_and_what_is_none_is_refused() {
        let read = target("arn,1,object-storage,,write+export").unwrap();
        assert_eq!((read.account.as_str(), read.service.as_str(), read.region), ("arn,1", "object-storage", None));
        assert_eq!(read.switches, BTreeSet::from([Switch::Write, Switch::Export]));
        assert_eq!(target("a1,speech,eu-1,write").unwrap().region.unwrap().as_str(), "eu-1");
        for text in ["", "a1", "a1,speech,", "a1,speech,,", "a1,speech,,fly", ",speech,,write", "a\n1,speech,,write"] {
            assert!(target(text).is_err(), "{text}");
        }
        assert_eq!(reason("write=because").unwrap().1.0, "because");
        assert!(reason("write").is_err() && reason("write=").is_err() && reason("fly=x").is_err());
    }
}
