//! A command on its way: who asks, whether their role allows it, what the rules of the case say, and the append.
//!
//! A command that meets another which was quicker is held against the rules again, as the case stands then. It signs
//! nobody in: whoever calls says who asks, and answers for that.

use crate::error::Error;
use crate::queue::{Kept, folded};
use crate::reports::IntakeRoom;
use crate::streams::{self, File, Founding, Law, Look, PublicText, Workload};
use access::{Access, Denied, Somebody, Thing};
use review::act::{Act, Command, Event};
use review::case::Case;
use review::report::{Deed, Report, ReportEvent};
use review::roster::{Change, Closeness, Roster, RosterEvent};
use review::rules::{self, Context, Refusal, Rule, open};
use review::words::{Actor, CaseId, CommandId, CustomerId, Digest, Moment, PersonId, ReportId};
use std::collections::BTreeSet;
use store::{Append, Record, RecordError, Refused};
use tokio::sync::{Mutex, RwLock};

/// How often a command is held against the rules again because another was quicker.
pub(crate) const TRIES: usize = 8;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
    /// Somebody on the roster, by their number or by an identity they sign in with.
    Person(String),
    /// A customer, who has signed in as such.
    Customer(CustomerId),
    /// Tribune itself.
    System,
}

/// A command's sending: sent twice, it is carried out once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Of this one sending.
    pub id: CommandId,
    /// When.
    pub at: Moment,
    /// Who asks.
    pub by: Sender,
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// The number of its event in the case or report.
    pub number: u64,
    /// It was carried out before, and changed nothing now.
    pub before: bool,
}

/// Randomness, as a closure that fills bytes.
pub(crate) type Chance = Box<dyn FnMut(&mut [u8]) + Send>;

/// The clerk, with the record before them.
pub struct Clerk {
    pub(crate) record: Record,
    pub(crate) chance: Mutex<Chance>,
    access: Access,
    /// The list of cases, as far as the record was read.
    pub(crate) kept: RwLock<Kept>,
    pub(crate) room: IntakeRoom,
}

impl Clerk {
    /// Takes a seat before a record.
    ///
    /// # Errors
    /// The access policies do not hold together.
    pub fn new(record: Record, chance: impl FnMut(&mut [u8]) + Send + 'static) -> Result<Self, Error> {
        let (chance, kept) = (Mutex::new(Box::new(chance) as Chance), RwLock::new(Kept::default()));
        Ok(Self { record, chance, access: Access::built_in()?, kept, room: IntakeRoom::default() })
    }

    /// With another bound on what a day's intake holds.
    #[must_use]
    pub fn with_room(self, room: IntakeRoom) -> Self {
        Self { room, ..self }
    }

    /// The record itself, for verifying and backing it up.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// How the record began; none of one that has not.
    ///
    /// # Errors
    /// The record failed.
    pub async fn founding(&self) -> Result<Option<Founding>, Error> {
        Ok(streams::read(&self.record, streams::FOUNDING).await?.events.first().copied())
    }

    /// Begins a record.
    ///
    /// # Errors
    /// It has begun.
    pub async fn found(&self, founding: Founding) -> Result<(), Error> {
        let begun = || Error::Wrong("the record has begun already; name another place for a new one".to_owned());
        if self.founding().await?.is_some() {
            return Err(begun());
        }
        let append = streams::append(streams::FOUNDING, 0, founding.at, &founding)?;
        if self.append(&[append]).await? { Ok(()) } else { Err(begun()) }
    }

    // ---- people ---------------------------------------------------------------------------------------------------

    /// The people.
    ///
    /// # Errors
    /// The record failed.
    pub async fn roster(&self) -> Result<Roster, Error> {
        Ok(streams::roster(&self.record).await?.0)
    }

    /// Makes the roster what it should be: the first time by whoever begins, then by two who decide. Gives what changed.
    ///
    /// # Errors
    /// The rule that is against it.
    pub async fn set_roster(
        &self,
        id: CommandId,
        at: Moment,
        by: &BTreeSet<String>,
        wanted: &Roster,
    ) -> Result<Vec<Change>, Error> {
        for _ in 0..TRIES {
            let (roster, stream) = streams::roster(&self.record).await?;
            if let Some(done) = stream.events.iter().find(|event| event.id == id) {
                return Ok(done.changes.clone());
            }
            let by = by.iter().map(|name| person(&roster, name)).collect::<Result<BTreeSet<_>, _>>()?;
            let changes = roster.changes_to(wanted, at);
            let event = RosterEvent { id: id.clone(), at, by, changes };
            rules::change_roster(&roster, &event)?;
            for person in &event.by {
                self.may(&roster, person, "enrol", &Thing::Record, None, at)?;
            }
            if self.append(&[streams::append(streams::ROSTER, stream.length, at, &event)?]).await? {
                return Ok(event.changes);
            }
        }
        Err(Error::Busy)
    }

    /// Who it is on the roster, by number or identity.
    ///
    /// # Errors
    /// Nobody.
    pub async fn person(&self, name: &str) -> Result<PersonId, Error> {
        person(&self.roster().await?, name)
    }

    /// Whether a person's roles allow something. People from outside see the cases in which they have a part, and no
    /// others.
    pub(crate) fn may(
        &self,
        roster: &Roster,
        person: &PersonId,
        action: &str,
        thing: &Thing,
        case: Option<&Case>,
        at: Moment,
    ) -> Result<(), Error> {
        let part = case.filter(|case| case.parts.get(person).is_some_and(|part| !part.released));
        self.may_with_part(roster, person, action, thing, part.map(|case| case.id.clone()), at)
    }

    /// The same, of somebody of whom is known whether they have a part in the case.
    pub(crate) fn may_with_part(
        &self,
        roster: &Roster,
        person: &PersonId,
        action: &str,
        thing: &Thing,
        part: Option<CaseId>,
        at: Moment,
    ) -> Result<(), Error> {
        let absent = || Refusal { rule: Rule::Present, mend: format!("{person} is not on the roster, or has left") };
        let member = roster.present(person, at).ok_or_else(absent)?;
        let cases = part.into_iter().collect();
        let until = member.left.unwrap_or(Moment(i64::MAX));
        let outside = member.outside.then_some((cases, until));
        let who = Somebody { person: person.clone(), roles: member.roles.clone(), outside };
        Ok(self.access.allows(&who, action, thing, at)?)
    }

    // ---- looking --------------------------------------------------------------------------------------------------

    /// A case as somebody looks at it, for a purpose; the look is in the record before anything is shown.
    ///
    /// # Errors
    /// They may not, there is none, or the record failed.
    pub async fn look(&self, who: &Sender, id: &CaseId, purpose: &str, at: Moment) -> Result<File, Error> {
        let file = streams::case(&self.record, id).await?;
        match who {
            Sender::Person(name) => {
                let roster = self.roster().await?;
                let by = person(&roster, name)?;
                self.may(&roster, &by, "read", &Thing::Case(id.clone()), Some(&file.case), at)?;
                apart(&roster, &by, &file.case.opening.customer)?;
                self.note_look(Look { at, by, what: format!("case {id}"), purpose: purpose.to_owned() }).await?;
            }
            Sender::Customer(_) => {
                let mend = "a customer reads the statements served on it, and no case: who reviews it is in there";
                return Err(Error::Wrong(mend.to_owned()));
            }
            Sender::System => {
                let (by, what) = ("tribune".parse()?, format!("case {id}"));
                self.note_look(Look { at, by, what, purpose: purpose.to_owned() }).await?;
            }
        }
        Ok(file)
    }

    /// A report as somebody looks at it, likewise. Whom its reporter named does not see it.
    ///
    /// # Errors
    /// They may not, there is none, or the record failed.
    pub async fn look_at_report(
        &self,
        who: &str,
        id: &ReportId,
        purpose: &str,
        at: Moment,
    ) -> Result<(Report, Vec<ReportEvent>), Error> {
        let (report, events) = streams::report(&self.record, id).await?;
        let roster = self.roster().await?;
        let by = person(&roster, who)?;
        self.may(&roster, &by, "read_report", &Thing::Report(id.clone()), None, at)?;
        if report.is_kept_from(&by, &roster) {
            // As if there were none: that there is one would tell whom it is about.
            return Err(Error::Unknown(format!("report {id}")));
        }
        self.note_look(Look { at, by, what: format!("report {id}"), purpose: purpose.to_owned() }).await?;
        Ok((report, events))
    }

    /// Somebody looks at usage, for a purpose that is in the record before anything is read. `what` names it as the record
    /// shall: an account, a unit, a customer, or a policy with other numbers.
    ///
    /// # Errors
    /// They may not, or the record failed.
    pub async fn look_at_usage(&self, who: &str, what: &str, purpose: &str, at: Moment) -> Result<(), Error> {
        let roster = self.roster().await?;
        let by = person(&roster, who)?;
        self.may(&roster, &by, "explore", &Thing::Record, None, at)?;
        self.note_look(Look { at, by, what: format!("usage: {what}"), purpose: purpose.to_owned() }).await
    }

    /// Why somebody is too close to a customer to look at its usage, if they are.
    ///
    /// # Errors
    /// There is nobody of that name, or the record failed.
    pub async fn too_close(&self, who: &str, customer: &CustomerId) -> Result<Option<Closeness>, Error> {
        let roster = self.roster().await?;
        Ok(roster.closeness(&person(&roster, who)?, customer))
    }

    pub(crate) async fn note_look(&self, look: Look) -> Result<(), Error> {
        self.note_looks(vec![look]).await
    }

    /// Notes looks, all or none.
    pub(crate) async fn note_looks(&self, looks: Vec<Look>) -> Result<(), Error> {
        if looks.iter().any(|look| look.purpose.trim().is_empty()) {
            return Err(Error::Wrong("say what you look for: --purpose \"…\"; every look is in the record".to_owned()));
        }
        let Some(first) = looks.first() else { return Ok(()) };
        for _ in 0..TRIES {
            let length = self.record.length(streams::LOOKS).await?;
            let mut append = streams::append(streams::LOOKS, length, first.at, first)?;
            for look in looks.iter().skip(1) {
                append.events.extend(streams::append(streams::LOOKS, length, look.at, look)?.events);
            }
            if self.append(&[append]).await? {
                return Ok(());
            }
        }
        Err(Error::Busy)
    }

    /// Every look, for whoever reads everything.
    ///
    /// # Errors
    /// They may not, or the record failed.
    pub async fn looks(&self, who: &str, at: Moment) -> Result<Vec<Look>, Error> {
        let roster = self.roster().await?;
        let by = person(&roster, who)?;
        self.may(&roster, &by, "read_all", &Thing::Record, None, at)?;
        Ok(streams::read(&self.record, streams::LOOKS).await?.events)
    }

    /// Every case that was not erased, as it stands.
    ///
    /// # Errors
    /// The record failed.
    pub async fn cases(&self) -> Result<Vec<File>, Error> {
        let laws = streams::laws(&self.record).await?;
        let mut files = Vec::new();
        for (stream, _) in self.record.streams(streams::CASES).await? {
            files.extend(folded(streams::read::<Event>(&self.record, &stream).await?, &laws));
        }
        Ok(files)
    }

    /// Every case that somebody may read, as it stands: one look, at the list.
    ///
    /// # Errors
    /// They may read none, or the record failed.
    pub async fn cases_for(&self, who: &str, at: Moment) -> Result<Vec<File>, Error> {
        let roster = self.roster().await?;
        let by = person(&roster, who)?;
        let mut denied = None;
        let mut files = self.cases().await?;
        let all = files.len();
        files.retain(|file| {
            let thing = Thing::Case(file.case.id.clone());
            let may = self.may(&roster, &by, "read", &thing, Some(&file.case), at);
            let may = may.and_then(|()| apart(&roster, &by, &file.case.opening.customer));
            may.map_err(|error| denied = Some(error)).is_ok()
        });
        match denied {
            Some(denied) if files.is_empty() && all > 0 => Err(denied),
            _ => {
                let (what, purpose) = ("the list of cases".to_owned(), "to see what is to be done".to_owned());
                self.note_look(Look { at, by, what, purpose }).await?;
                Ok(files)
            }
        }
    }

    // ---- acting ---------------------------------------------------------------------------------------------------

    /// Opens a case under a law. Its name is made from the command's, so that a command sent twice opens one case.
    ///
    /// # Errors
    /// What is against it.
    pub async fn open_case(&self, sent: &Sent, law: &Law, act: Act) -> Result<(CaseId, Done), Error> {
        let Sent { id, at, by: who } = sent.clone();
        let Act::Open(opening) = &act else { return Err(Error::Wrong("a case begins by being opened".to_owned())) };
        if opening.policy != (law.id.clone(), law.version.clone(), law.digest) {
            return Err(Error::Wrong("the opening names another policy pack than the law it is under".to_owned()));
        }
        let mut case: CaseId = format!("case-{}", short(id.as_str())).parse()?;
        for again in 0..TRIES {
            let stream = streams::read::<Event>(&self.record, &streams::case_stream(&case)).await?;
            match stream.events.first() {
                Some(event) if event.command.id == id => return Ok((case, Done { number: 1, before: true })),
                // Of another command, whose name is alike by chance or by intent: nothing is begun there a second time.
                _ if stream.length > 0 => {
                    case = format!("case-{}", short(&format!("{id} {again}"))).parse()?;
                    continue;
                }
                _ => {}
            }
            let roster = self.roster().await?;
            let by = self.actor(&roster, &who, None)?;
            if let Actor::Person(person) = &by {
                self.may(&roster, person, "open", &Thing::Case(case.clone()), None, at)?;
            }
            let (elsewhere, workloads) = self.elsewhere(&law.id, &case).await?;
            let context = Context::new(&law.procedure, &roster, &elsewhere);
            let command = Command { id: id.clone(), at, by, act: act.clone() };
            let event = open(&context, case.clone(), command)?;
            let opened = Case::opened_by(&event).ok_or_else(|| Error::Defect("it opened nothing".to_owned()))?;
            let workload = Workload::of(&opened, &law.id);
            let mut appends = vec![
                streams::append(&streams::case_stream(&case), stream.length, at, &event)?,
                streams::append(streams::WORKLOADS, workloads, at, &workload)?,
            ];
            let laws = streams::read::<Law>(&self.record, streams::LAWS).await?;
            if !laws.events.iter().any(|known| known.digest == law.digest) {
                appends.push(streams::append(streams::LAWS, laws.length, at, law)?);
            }
            if self.append(&appends).await? {
                return Ok((case, Done { number: 1, before: false }));
            }
        }
        Err(Error::Busy)
    }

    /// Carries out an act in a case. Whoever tells employees something does it by [`Clerk::tell_employees`], which reads
    /// what the text names.
    ///
    /// # Errors
    /// What is against it.
    pub async fn enact(&self, sent: &Sent, case: &CaseId, act: Act) -> Result<Done, Error> {
        if matches!(act, Act::TellEmployees { .. }) {
            return Err(Error::Wrong("employees are told by a text that is read first, not by its digest".to_owned()));
        }
        self.enact_with(sent, case, act, &[]).await
    }

    /// The same, if the case still is as it was when it was shown: none where it has changed since.
    ///
    /// # Errors
    /// What is against it.
    pub async fn enact_on(&self, sent: &Sent, case: &CaseId, version: u64, act: Act) -> Result<Option<Done>, Error> {
        self.enact_at(sent, case, Some(version), act, &[]).await
    }

    /// The same, and these texts become public by it, in one go.
    pub(crate) async fn enact_with(
        &self,
        sent: &Sent,
        case: &CaseId,
        act: Act,
        public: &[PublicText],
    ) -> Result<Done, Error> {
        self.enact_at(sent, case, None, act, public).await?.ok_or(Error::Busy)
    }

    async fn enact_at(
        &self,
        sent: &Sent,
        case: &CaseId,
        version: Option<u64>,
        act: Act,
        public: &[PublicText],
    ) -> Result<Option<Done>, Error> {
        let Sent { id, at, by: who } = sent.clone();
        for _ in 0..TRIES {
            let File { case: before, law, .. } = streams::case(&self.record, case).await?;
            if version.is_some_and(|version| version != before.version) && !before.done.contains(&id) {
                return Ok(None);
            }
            let roster = self.roster().await?;
            let by = self.actor(&roster, &who, Some(&before))?;
            if let Actor::Person(person) = &by {
                let thing = Thing::Case(case.clone());
                self.may(&roster, person, access::of_act(&act), &thing, Some(&before), at)?;
            }
            let (elsewhere, workloads) = self.elsewhere(&law.id, case).await?;
            let context = Context::new(&law.procedure, &roster, &elsewhere);
            let act = signed_in(&who, &by, act.clone());
            let command = Command { id: id.clone(), at, by, act };
            let Some(event) = before.admit(&context, command)? else {
                return Ok(Some(Done { number: before.version, before: true }));
            };
            let mut appends = vec![self.event(&event)?];
            appends.extend(workload(&before, &event, &law, workloads)?);
            appends.extend(self.published(event.command.at, public).await?);
            if self.append(&appends).await? {
                return Ok(Some(Done { number: event.number, before: false }));
            }
        }
        Err(Error::Busy)
    }

    /// Lets one case take in another of the same workload. What people did there counts here.
    ///
    /// # Errors
    /// What is against it, in either case; then nothing happens in both.
    pub async fn merge(&self, sent: &Sent, into: &CaseId, other: &CaseId) -> Result<Done, Error> {
        let Sent { id, at, by: who } = sent.clone();
        for _ in 0..TRIES {
            let there = streams::case(&self.record, into).await?;
            let taken = streams::case(&self.record, other).await?;
            if there.law.id != taken.law.id || there.case.opening.customer != taken.case.opening.customer {
                let reason = "one case takes in another of the same clause and the same customer";
                return Err(Error::Wrong(format!("{reason}; {into} and {other} are not")));
            }
            let roster = self.roster().await?;
            let take = Act::TakeIn {
                other: other.clone(),
                accounts: taken.case.accounts.clone(),
                sources: taken.case.sources.clone(),
                hands: taken.case.parts.iter().map(|(who, part)| (who.clone(), part.hands.clone())).collect(),
            };
            let mut appends = Vec::new();
            let (mut number, mut after) = (None, [there.case.clone(), taken.case.clone()]);
            let (elsewhere, workloads) = self.elsewhere(&there.law.id, into).await?;
            let acts = [(&there, take), (&taken, Act::GoOnIn { other: into.clone() })];
            for ((file, act), after) in acts.into_iter().zip(&mut after) {
                let by = self.actor(&roster, &who, Some(&file.case))?;
                if let Actor::Person(person) = &by {
                    let thing = Thing::Case(file.case.id.clone());
                    self.may(&roster, person, access::of_act(&act), &thing, Some(&file.case), at)?;
                }
                let context = Context::new(&file.law.procedure, &roster, &elsewhere);
                let command = Command { id: id.clone(), at, by, act };
                let Some(event) = file.case.admit(&context, command)? else { continue };
                number = number.or(Some(event.number));
                after.apply(&event, &file.law.procedure);
                appends.push(self.event(&event)?);
            }
            let Some(number) = number else { return Ok(Done { number: there.case.version, before: true }) };
            let [on, over] = after.map(|case| Workload::of(&case, &there.law.id));
            let mut both = streams::append(streams::WORKLOADS, workloads, at, &over)?;
            both.events.extend(streams::append(streams::WORKLOADS, workloads, at, &on)?.events);
            appends.push(both);
            if self.append(&appends).await? {
                return Ok(Done { number, before: false });
            }
        }
        Err(Error::Busy)
    }

    /// Carries out what an officer does with a report.
    ///
    /// # Errors
    /// What is against it.
    pub async fn handle_report(&self, sent: &Sent, report: &ReportId, deed: Deed) -> Result<Done, Error> {
        let Sent { id, at, by: who } = sent.clone();
        for _ in 0..TRIES {
            let (before, _) = streams::report(&self.record, report).await?;
            let roster = self.roster().await?;
            let by = self.actor(&roster, &who, None)?;
            match (&by, access::of_deed(&deed)) {
                (Actor::Person(person), _) if before.is_kept_from(person, &roster) => {
                    return Err(Error::Unknown(format!("report {report}")));
                }
                (Actor::Person(person), Some(action)) => {
                    self.may(&roster, person, action, &Thing::Report(report.clone()), None, at)?;
                }
                (Actor::System, _) => {}
                _ => return Err(Error::Wrong("whoever reported does this, with their receipt".to_owned())),
            }
            let Some(event) = before.admit(id.clone(), at, Some(by), deed.clone())? else {
                return Ok(Done { number: before.version, before: true });
            };
            let append = streams::append(&streams::report_stream(report), before.version, at, &event)?;
            if self.append(&[append]).await? {
                return Ok(Done { number: event.number, before: false });
            }
        }
        Err(Error::Busy)
    }

    /// Appends all or none; false if somebody else was quicker.
    pub(crate) async fn append(&self, appends: &[Append]) -> Result<bool, Error> {
        let mut chance = self.chance.lock().await;
        match self.record.append_together(appends, &mut **chance).await {
            Ok(_) => Ok(true),
            Err(RecordError::Refused(Refused::Stale { .. })) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn event(&self, event: &Event) -> Result<Append, Error> {
        streams::append(&streams::case_stream(&event.case), event.number - 1, event.command.at, event)
    }

    pub(crate) fn actor(&self, roster: &Roster, who: &Sender, case: Option<&Case>) -> Result<Actor, Error> {
        Ok(match who {
            Sender::Person(name) => Actor::Person(person(roster, name)?),
            Sender::Customer(customer) => {
                case.map_or(Ok(()), |case| own(case, customer))?;
                Actor::Customer
            }
            Sender::System => Actor::System,
        })
    }
}

/// An approval says as whom somebody had signed in, if not by their number.
fn signed_in(who: &Sender, by: &Actor, mut act: Act) -> Act {
    if let (Act::Approve { approval, .. }, Sender::Person(name), Actor::Person(person)) = (&mut act, who, by) {
        approval.identity = Some(name.clone()).filter(|name| name != person.as_str());
    }
    act
}

/// A customer's own case; of others it learns not even that they are.
pub(crate) fn own(case: &Case, customer: &CustomerId) -> Result<(), Error> {
    if case.opening.customer == *customer { Ok(()) } else { Err(Error::Unknown(format!("case {}", case.id))) }
}

/// Who somebody is on the roster, by number or identity.
pub(crate) fn person(roster: &Roster, name: &str) -> Result<PersonId, Error> {
    let number = name.parse().ok().filter(|person| roster.members.contains_key(person));
    number.or_else(|| roster.identified(name).cloned()).ok_or_else(|| Error::Nobody(name.to_owned()))
}

/// What an event changes of the accounts under review, if anything.
fn workload(before: &Case, event: &Event, law: &Law, length: u64) -> Result<Option<Append>, Error> {
    let mut after = before.clone();
    after.apply(event, &law.procedure);
    let (before, after) = (Workload::of(before, &law.id), Workload::of(&after, &law.id));
    if after == before {
        return Ok(None);
    }
    streams::append(streams::WORKLOADS, length, event.command.at, &after).map(Some)
}

/// Whoever is close to a customer sees none of its cases, whatever their role: they answer for it.
pub(crate) fn apart(roster: &Roster, person: &PersonId, customer: &CustomerId) -> Result<(), Error> {
    let reason = "they are too close to the customer; somebody else sees its cases".to_owned();
    let denied = || Denied::Forbidden { who: person.clone(), action: "read".to_owned(), reason };
    roster.closeness(person, customer).map_or(Ok(()), |_| Err(denied().into()))
}

/// Eight letters and digits that stand for a command.
fn short(id: &str) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz123456789";
    let digest = Digest::of(id);
    digest
        .0
        .iter()
        .take(8)
        .filter_map(|byte| LETTERS.get(usize::from(byte & 31)))
        .map(|byte| char::from(*byte))
        .collect()
}
