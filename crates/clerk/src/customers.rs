//! What a customer sees of its own cases, and what it can do there: answer, appeal, declare a use.
//!
//! A case is there for it from the first text that is served on it, a question or a statement, and never before; another
//! customer's case is as if it were none. Texts that are addressed to customers are encrypted to one key more, which the
//! server holds ([`Papers::customers`]), for customers hold none. Nobody of the provider's is named.

use crate::desk::{Clerk, Done, Sender, Sent, TRIES, apart};
use crate::error::Error;
use crate::papers::{Papers, Sealed, sealed_to};
use crate::streams::{self, File, Look};
use access::Thing;
use review::act::{Act, Appeal, AppealOutcome, Event};
use review::case::Phase;
use review::notice::Measure;
use review::words::{
    AccountId, Actor, AppealId, CaseId, CommandId, CustomerId, DecisionId, Digest, ItemId, Moment, Text,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use store::Identity;

/// The longest text that a customer sends.
pub const TEXT_BYTES_MAX: usize = 100_000;

/// Declarations of one customer in one day.
const DECLARATIONS_MAX: usize = 20;

/// A case, as its customer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matter {
    /// The case.
    pub case: CaseId,
    /// The clause, in a line.
    pub clause: String,
    /// The policy pack: its id, and the version under which the case is.
    pub policy: (String, String),
    /// Whether it goes on.
    pub open: bool,
    /// The questions that were put, the latest first.
    pub questions: Vec<Asked>,
    /// The decisions that were served, the latest first.
    pub measures: Vec<Served>,
    /// Its own appeals, the latest first.
    pub appeals: Vec<Challenge>,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Of this question.
    pub id: ItemId,
    /// What it says; none where this server cannot read it.
    pub text: Option<String>,
    /// When it was put.
    pub asked: Moment,
    /// Until when it can be answered.
    pub until: Moment,
    /// What came: nothing yet, an answer, or a refusal.
    pub answer: Option<Answer>,
}

/// What came to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It does not answer.
    Refused,
    /// What it says; none where this server cannot read it.
    Said(Option<String>),
}

/// A decision that was served, with the statement's text; none where this server cannot read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// What is ordered.
    pub measure: Measure,
    /// The statement of reasons.
    pub statement: Option<String>,
}

/// An appeal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Of this one.
    pub id: AppealId,
    /// Against which decision.
    pub decision: DecisionId,
    /// When it was filed.
    pub filed: Moment,
    /// Within the time, or admitted by two of the panel although late.
    pub heard: bool,
    /// How it ended, and when.
    pub outcome: Option<(AppealOutcome, Moment)>,
    /// Its ground; none where this server cannot read it.
    pub ground: Option<String>,
}

/// A use that a customer declares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declaration {
    /// Of this one sending.
    pub id: CommandId,
    /// When.
    pub at: Moment,
    /// Who.
    pub customer: CustomerId,
    /// In which of its accounts; in all where none is named.
    pub accounts: BTreeSet<AccountId>,
    /// In a word: `contact_centre`, `voicemail`, …
    pub declared_use: String,
    /// Calls an hour, at most, where the use has calls.
    pub calls_per_hour: Option<u64>,
    /// What it is, in its own words.
    pub text: Text,
}

/// What somebody declares, before it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declaring {
    /// In which of its accounts.
    pub accounts: BTreeSet<AccountId>,
    /// In a word.
    pub declared_use: String,
    /// Calls an hour, at most.
    pub calls_per_hour: Option<u64>,
    /// In its own words.
    pub text: String,
}

impl Clerk {
    /// The cases in which something was served on a customer, those with something to do first.
    ///
    /// # Errors
    /// The record failed.
    pub async fn matters(&self, papers: &Papers, customer: &CustomerId) -> Result<Vec<Matter>, Error> {
        let (lines, _) = self.kept_lines().await?;
        let mut matters = Vec::new();
        for line in lines.iter().filter(|line| line.customer == *customer) {
            let file = streams::case(&self.record, &line.id).await?;
            matters.extend(self.matter_of(papers, &file).await?);
        }
        let waits = |matter: &Matter| matter.questions.iter().any(|asked| asked.answer.is_none());
        let latest = |matter: &Matter| {
            let served = matter.measures.iter().map(|served| served.measure.served);
            served.chain(matter.questions.iter().map(|asked| asked.asked)).max()
        };
        matters.sort_by_key(|matter| std::cmp::Reverse((waits(matter), latest(matter))));
        Ok(matters)
    }

    /// One of them.
    ///
    /// # Errors
    /// There is none of that name for this customer, or the record failed.
    pub async fn matter(&self, papers: &Papers, customer: &CustomerId, case: &CaseId) -> Result<Matter, Error> {
        let unknown = || Error::Unknown(format!("case {case}"));
        let file = match streams::case(&self.record, case).await {
            // That there was one would tell as much as that there is.
            Err(Error::Erased(_) | Error::Unknown(_)) => return Err(unknown()),
            file => file?,
        };
        if file.case.opening.customer != *customer {
            return Err(unknown());
        }
        self.matter_of(papers, &file).await?.ok_or_else(unknown)
    }

    async fn matter_of(&self, papers: &Papers, file: &File) -> Result<Option<Matter>, Error> {
        let File { case, law, events } = file;
        let texts = Spoken::of(events);
        let mut questions = Vec::new();
        for (id, question) in &case.questions {
            let answer = match question.answer {
                None => None,
                Some(None) => Some(Answer::Refused),
                Some(Some(text)) => Some(Answer::Said(self.letter(papers, Some(&text)).await?)),
            };
            let (asked, until) = (question.asked, question.until);
            let text = self.letter(papers, texts.questions.get(id)).await?;
            questions.push(Asked { id: id.clone(), text, asked, until, answer });
        }
        let mut measures = Vec::new();
        for id in case.decisions.keys() {
            let Some(measure) = Measure::of(case, id, &law.procedure) else { continue };
            let statement = self.letter(papers, Some(&measure.statement)).await?;
            measures.push(Served { measure, statement });
        }
        if questions.is_empty() && measures.is_empty() {
            return Ok(None);
        }
        let mut appeals = Vec::new();
        for (id, appealed) in case.appeals.iter().filter(|(_, appealed)| appealed.by == Actor::Customer) {
            appeals.push(Challenge {
                id: id.clone(),
                decision: appealed.decision.clone(),
                filed: appealed.filed,
                heard: appealed.in_time || appealed.admitted.len() >= 2,
                outcome: appealed.outcome.zip(appealed.decided),
                ground: self.letter(papers, texts.grounds.get(id)).await?,
            });
        }
        questions.sort_by_key(|asked| std::cmp::Reverse(asked.asked));
        measures.sort_by_key(|served| std::cmp::Reverse(served.measure.served));
        appeals.sort_by_key(|appeal| std::cmp::Reverse(appeal.filed));
        Ok(Some(Matter {
            case: case.id.clone(),
            clause: law.title.clone(),
            policy: (law.id.clone(), law.version.clone()),
            open: case.phase == Phase::Open,
            questions,
            measures,
            appeals,
        }))
    }

    /// A text that was addressed to a customer; none where this server has no key for it, or it was erased.
    async fn letter(&self, papers: &Papers, text: Option<&Text>) -> Result<Option<String>, Error> {
        let (Some(text), Some(identity)) = (text, &papers.customers) else { return Ok(None) };
        if self.record.ciphertext(*text).await?.is_none() {
            return Ok(None);
        }
        // What was kept before this server had its key opens for others alone.
        Ok(self.record.text(*text, identity).await.ok().and_then(|bytes| String::from_utf8(bytes).ok()))
    }

    // ---- what it does ---------------------------------------------------------------------------------------------

    /// Answers a question, or with no text refuses to.
    ///
    /// # Errors
    /// It is not theirs, was answered, or a rule is against it.
    pub async fn answer(
        &self,
        papers: &Papers,
        sent: &Sent,
        case: &CaseId,
        question: &ItemId,
        text: Option<&str>,
    ) -> Result<Done, Error> {
        let matter = self.matter(papers, of(sent)?, case).await?;
        let asked = matter.questions.iter().find(|asked| asked.id == *question);
        let asked = asked.ok_or_else(|| Error::Unknown(format!("question {question}")))?;
        if asked.answer.is_some() && !self.was_sent(sent, case).await? {
            return Err(Error::Wrong("this question was answered already; what was said stands".to_owned()));
        }
        let text = match text {
            Some(text) => Some(self.keep_from_customer(papers, Some(case), text, sent.at).await?),
            None => None,
        };
        self.enact(sent, case, Act::Answer { id: question.clone(), text }).await
    }

    /// Appeals against a decision.
    ///
    /// # Errors
    /// It is not theirs, or a rule is against it.
    pub async fn appeal(
        &self,
        papers: &Papers,
        sent: &Sent,
        case: &CaseId,
        decision: &DecisionId,
        ground: &str,
    ) -> Result<Done, Error> {
        let matter = self.matter(papers, of(sent)?, case).await?;
        if !matter.measures.iter().any(|served| served.measure.id == *decision) {
            return Err(Error::Unknown(format!("decision {decision}")));
        }
        // Named after its sending, so that what is sent twice is one appeal.
        let digest = Digest::of(sent.id.as_str());
        let name: String = digest.0.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        if !self.was_sent(sent, case).await? {
            let heard = streams::case(&self.record, case).await?.case;
            if heard.appeals.values().any(|one| one.decision == *decision && one.outcome.is_none()) {
                // Said by the rule, before a text is kept that nothing would name.
                let mend =
                    "an appeal against it is being heard; what is new can be said in answer to what you are asked";
                return Err(Error::Wrong(mend.to_owned()));
            }
        }
        let ground = self.keep_from_customer(papers, Some(case), ground, sent.at).await?;
        let appeal = Appeal { id: format!("p-{name}").parse()?, decision: decision.clone(), ground };
        self.enact(sent, case, Act::Appeal(appeal)).await
    }

    async fn was_sent(&self, sent: &Sent, case: &CaseId) -> Result<bool, Error> {
        Ok(streams::case(&self.record, case).await?.case.done.contains(&sent.id))
    }

    async fn keep_from_customer(
        &self,
        papers: &Papers,
        case: Option<&CaseId>,
        text: &str,
        at: Moment,
    ) -> Result<Text, Error> {
        if text.trim().is_empty() || text.len() > TEXT_BYTES_MAX {
            return Err(Error::Wrong(format!("a text says something, in {TEXT_BYTES_MAX} bytes at most")));
        }
        self.keep_for_customer(papers, None, case, text.as_bytes(), at).await
    }

    /// Declares a use. Whether it is taken as verified, and under which limits, is found out in a review of it.
    ///
    /// # Errors
    /// It says too little or too much, or too many were declared in a day.
    pub async fn declare(&self, papers: &Papers, sent: &Sent, declaring: &Declaring) -> Result<Declaration, Error> {
        let customer = of(sent)?.clone();
        let word = declaring.declared_use.trim();
        let plain = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if word.is_empty() || word.len() > 40 || !plain {
            let mend = "say it in a word of small letters: contact_centre, voicemail, media_archive, other";
            return Err(Error::Wrong(format!("`{word}` is no use: {mend}")));
        }
        let text = Digest::of(&declaring.text);
        let declaration = Declaration {
            id: sent.id.clone(),
            at: sent.at,
            customer,
            accounts: declaring.accounts.clone(),
            declared_use: word.to_owned(),
            calls_per_hour: declaring.calls_per_hour,
            text,
        };
        for _ in 0..TRIES {
            let stream = streams::read::<Declaration>(&self.record, streams::DECLARATIONS).await?;
            if let Some(before) = stream.events.iter().find(|before| before.id == sent.id) {
                return Ok(before.clone());
            }
            let same_day = |other: &&Declaration| other.at.day() == declaration.at.day();
            let today = stream.events.iter().rev().take_while(same_day);
            if today.filter(|other| other.customer == declaration.customer).count() >= DECLARATIONS_MAX {
                return Err(Error::Wrong("that is enough for a day; send what is left tomorrow".to_owned()));
            }
            // Kept once it is known that it will be taken: what is refused leaves nothing behind.
            self.keep_from_customer(papers, None, &declaring.text, sent.at).await?;
            let append = streams::append(streams::DECLARATIONS, stream.length, declaration.at, &declaration)?;
            if self.append(&[append]).await? {
                return Ok(declaration);
            }
        }
        Err(Error::Busy)
    }

    /// What a customer declared, the latest first.
    ///
    /// # Errors
    /// The record failed.
    pub async fn declared_by(&self, customer: &CustomerId) -> Result<Vec<Declaration>, Error> {
        let stream = streams::read::<Declaration>(&self.record, streams::DECLARATIONS).await?;
        Ok(stream.events.into_iter().rev().filter(|one| one.customer == *customer).collect())
    }

    /// One of them, for whoever may open a case on it; that they do is in the case.
    ///
    /// # Errors
    /// As [`Self::declarations`], or there is none of that name, or they are too close to its customer.
    pub async fn declaration(&self, who: &str, id: &CommandId, at: Moment) -> Result<Declaration, Error> {
        let unknown = || Error::Unknown(format!("declared use {id}"));
        let declared = self.declarations(who, at).await?.into_iter().find(|one| one.id == *id).ok_or_else(unknown)?;
        let (roster, by) = (self.roster().await?, self.person(who).await?);
        apart(&roster, &by, &declared.customer)?;
        Ok(declared)
    }

    /// What customers declared, the latest first, for whoever may open a case on it.
    ///
    /// # Errors
    /// They may not, or the record failed.
    pub async fn declarations(&self, who: &str, at: Moment) -> Result<Vec<Declaration>, Error> {
        let (roster, by) = (self.roster().await?, self.person(who).await?);
        self.may(&roster, &by, "open", &Thing::Case("declared".parse()?), None, at)?;
        let stream = streams::read::<Declaration>(&self.record, streams::DECLARATIONS).await?;
        Ok(stream.events.into_iter().rev().collect())
    }

    /// The same, for a purpose that is in the record first, without what customers declared that somebody is close to.
    ///
    /// # Errors
    /// As [`Self::declarations`].
    pub async fn look_at_declarations(&self, who: &str, purpose: &str, at: Moment) -> Result<Vec<Declaration>, Error> {
        let mut declared = self.declarations(who, at).await?;
        let (roster, by) = (self.roster().await?, self.person(who).await?);
        declared.retain(|one| roster.closeness(&by, &one.customer).is_none());
        self.note_look(Look { at, by, what: "what customers declared".to_owned(), purpose: purpose.to_owned() })
            .await?;
        Ok(declared)
    }

    /// One of them with its text, where the identity opens it: intake officers hold the keys of what customers declare.
    ///
    /// # Errors
    /// As [`Self::declaration`].
    pub async fn read_declaration(
        &self,
        who: &str,
        id: &CommandId,
        identity: Option<&Identity>,
        purpose: &str,
        at: Moment,
    ) -> Result<(Declaration, Sealed), Error> {
        let (declared, by) = (self.declaration(who, id, at).await?, self.person(who).await?);
        let what = format!("declared use {id} of {}", declared.customer);
        self.note_look(Look { at, by, what, purpose: purpose.to_owned() }).await?;
        let Some(ciphertext) = self.record.ciphertext(declared.text).await? else {
            return Ok((declared, Sealed::Elsewhere));
        };
        let opened = match identity {
            Some(identity) => self.record.text(declared.text, identity).await.ok(),
            None => None,
        };
        let sealed = Sealed::To { people: sealed_to(&ciphertext), confined: false };
        Ok((declared, opened.map_or(sealed, Sealed::Opened)))
    }
}

fn of(sent: &Sent) -> Result<&CustomerId, Error> {
    match &sent.by {
        Sender::Customer(customer) => Ok(customer),
        Sender::Person(_) | Sender::System => Err(Error::Defect("this is a customer's to do".to_owned())),
    }
}

/// The texts that events of a case name: what was asked, and on what ground was appealed.
struct Spoken {
    questions: BTreeMap<ItemId, Text>,
    grounds: BTreeMap<AppealId, Text>,
}

impl Spoken {
    fn of(events: &[Event]) -> Self {
        let mut spoken = Self { questions: BTreeMap::new(), grounds: BTreeMap::new() };
        for event in events {
            match &event.command.act {
                Act::Ask { id, text, .. } => drop(spoken.questions.insert(id.clone(), *text)),
                Act::Appeal(appeal) => drop(spoken.grounds.insert(appeal.id.clone(), appeal.ground)),
                _ => {}
            }
        }
        spoken
    }
}

/// The texts of a case that a customer reads: what it was asked, what it answered and appealed on, what was served on it,
/// and what waits to be, once a second person confirmed it.
pub(crate) fn addressed(file: &File) -> BTreeSet<Text> {
    let mut addressed: BTreeSet<Text> = file.case.safe.keys().copied().collect();
    for event in &file.events {
        match &event.command.act {
            Act::Ask { text, .. } | Act::Answer { text: Some(text), .. } => drop(addressed.insert(*text)),
            Act::Appeal(appeal) if event.command.by == Actor::Customer => drop(addressed.insert(appeal.ground)),
            Act::ServeNotice { statement, .. } => drop(addressed.insert(*statement)),
            _ => {}
        }
    }
    addressed
}
