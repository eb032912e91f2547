//! Private texts of a case: for whom they are encrypted, reading them, and encrypting them anew when people come and go.
//!
//! A text of a case is for those who have a part in it and declared that they have no conflict, for whoever wrote it and
//! for the recovery recipients; a confined one only for some roles among them (what counsel notes under privilege). It
//! keeps no identity: whoever reads brings their own.

use crate::customers::addressed;
use crate::desk::{Clerk, Done, Sender, Sent, apart, own, person};
use crate::error::Error;
use crate::streams::{self, Look};
use access::Thing;
use review::act::Act;
use review::case::Case;
use review::roster::Roster;
use review::statement::for_employees;
use review::words::{CaseId, CustomerId, Digest, Moment, PersonId, Role, Text};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{ERASURES, Erasure, Identity, Recipient};

/// A text that only some roles of its case read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Confined {
    pub(crate) text: Text,
    pub(crate) case: CaseId,
    pub(crate) only: BTreeSet<Role>,
}

/// Where private texts go besides those whom they are for.
#[derive(Clone, Default)]
pub struct Papers {
    /// Who can open everything when keys are lost; kept apart from the server.
    pub recovery: Vec<Recipient>,
    /// What opens the texts that are addressed to customers, and those alone; the server holds it, for customers hold no
    /// key. Without it their page shows no text.
    pub customers: Option<Arc<Identity>>,
}

/// A private text, as somebody sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sealed {
    /// What it says.
    Opened(Vec<u8>),
    /// It is for others, or its reader's key is locked.
    To {
        /// To how many keys it is sealed.
        people: usize,
        /// Only some roles of the case read it, and theirs is none of them.
        confined: bool,
    },
    /// It is not kept here: it was erased, or never was.
    Elsewhere,
}

/// To how many keys a text is sealed, as its own head says: age writes a stanza for each.
pub(crate) fn sealed_to(ciphertext: &[u8]) -> usize {
    let lines = ciphertext.split(|byte| *byte == b'\n').take_while(|line| !line.starts_with(b"---"));
    lines.filter(|line| line.starts_with(b"-> X25519 ")).count()
}

impl Clerk {
    /// Keeps a private text of a case, or of none; `only` confines it to some roles. Whoever keeps one in a case has a
    /// role that may; nobody is named where Tribune itself does, or a customer in its own case ([`Self::keep_answer`]).
    ///
    /// # Errors
    /// They may not, nobody could read it, or the record failed.
    pub async fn keep(
        &self,
        papers: &Papers,
        by: Option<&PersonId>,
        case: Option<&CaseId>,
        only: &BTreeSet<Role>,
        text: &[u8],
        at: Moment,
    ) -> Result<Text, Error> {
        self.keep_to(papers, by, case, only, text, at, None).await
    }

    /// Keeps a private text that is addressed to the customer of a case, or comes from it: it can read it on its page.
    /// Kept before for others alone, it is encrypted anew.
    ///
    /// # Errors
    /// As [`Self::keep`].
    pub async fn keep_for_customer(
        &self,
        papers: &Papers,
        by: Option<&PersonId>,
        case: Option<&CaseId>,
        text: &[u8],
        at: Moment,
    ) -> Result<Text, Error> {
        let customers = papers.customers.as_ref().map(|identity| identity.to_public());
        self.keep_to(papers, by, case, &BTreeSet::new(), text, at, customers).await
    }

    #[expect(clippy::too_many_arguments, reason = "who wrote what for whom, when: each is a thing of its own")]
    async fn keep_to(
        &self,
        papers: &Papers,
        by: Option<&PersonId>,
        case: Option<&CaseId>,
        only: &BTreeSet<Role>,
        text: &[u8],
        at: Moment,
        customers: Option<Recipient>,
    ) -> Result<Text, Error> {
        let roster = self.roster().await?;
        let file = match case {
            Some(case) => Some(streams::case(&self.record, case).await?.case),
            None => None,
        };
        if let Some((by, case)) = by.zip(file.as_ref()) {
            self.may(&roster, by, "keep_text", &Thing::Case(case.id.clone()), Some(case), at)?;
        }
        let mut to = readers(&roster, file.as_ref(), only, at)?;
        to.extend(by.map(|by| keys_of(&roster, by)).transpose()?.into_iter().flatten());
        to.extend(papers.recovery.iter().cloned());
        if to.is_empty() {
            let mend = "put a key to read with on the roster (`age-keygen`, then reads_with), or name a recovery key";
            return Err(Error::Wrong(format!("nobody could read this text: {mend}")));
        }
        let addressed = customers.is_some();
        to.extend(customers);
        let digest = Digest::of(text);
        if let Some(case) = case.filter(|_| !only.is_empty()) {
            self.confine(Confined { text: digest, case: case.clone(), only: only.clone() }, at).await?;
        }
        Ok(match addressed {
            true => self.record.keep_text_anew(text, &to).await?,
            false => self.record.keep_text(text, &to).await?,
        })
    }

    /// Keeps what a customer says in its own case; of others it learns not even that they are.
    ///
    /// # Errors
    /// It is no case of theirs, nobody could read it, or the record failed.
    pub async fn keep_answer(
        &self,
        papers: &Papers,
        customer: &CustomerId,
        case: &CaseId,
        text: &[u8],
        at: Moment,
    ) -> Result<Text, Error> {
        own(&streams::case(&self.record, case).await?.case, customer)?;
        self.keep(papers, None, Some(case), &BTreeSet::new(), text, at).await
    }

    /// Tells the provider's own people what was decided in a case: keeps what they are told, reads whether it names the
    /// customer, and records that they were told.
    ///
    /// # Errors
    /// It names a report or somebody with a part in the case, or what else is against it.
    pub async fn tell_employees(&self, papers: &Papers, sent: &Sent, case: &CaseId, text: &str) -> Result<Done, Error> {
        let file = streams::case(&self.record, case).await?;
        let names_customer = for_employees(&file.case, text).map_err(|fault| Error::Wrong(fault.to_string()))?;
        let by = match &sent.by {
            Sender::Person(name) => Some(self.person(name).await?),
            Sender::Customer(_) | Sender::System => None,
        };
        let text = self.keep(papers, by.as_ref(), Some(case), &BTreeSet::new(), text.as_bytes(), sent.at).await?;
        self.enact_with(sent, case, Act::TellEmployees { text, names_customer }, &[]).await
    }

    async fn confine(&self, confined: Confined, at: Moment) -> Result<(), Error> {
        loop {
            let stream = streams::read::<Confined>(&self.record, streams::CONFINED).await?;
            if stream.events.contains(&confined) {
                return Ok(());
            }
            if self.append(&[streams::append(streams::CONFINED, stream.length, at, &confined)?]).await? {
                return Ok(());
            }
        }
    }

    /// A private text, read by somebody with their own identity, for a purpose that is in the record first.
    ///
    /// # Errors
    /// They may not, it is not for them, or it is not there.
    pub async fn read_text(
        &self,
        who: &str,
        case: &CaseId,
        text: Text,
        identity: &Identity,
        purpose: &str,
        at: Moment,
    ) -> Result<Vec<u8>, Error> {
        let file = self.look(&Sender::Person(who.to_owned()), case, purpose, at).await?;
        let roster = self.roster().await?;
        let by = person(&roster, who)?;
        if let Some(only) = self.confined(case).await?.get(&text) {
            let roles = file.case.parts.get(&by).map(|part| part.roles.clone()).unwrap_or_default();
            if roles.is_disjoint(only) {
                return Err(Error::Wrong("it is confined to roles that you do not have in this case".to_owned()));
            }
        }
        self.note_look(Look { at, by, what: format!("text {text}"), purpose: purpose.to_owned() }).await?;
        Ok(self.record.text(text, identity).await?)
    }

    /// What some private texts of a case say to somebody who has looked at it, each a look of its own that is in the
    /// record first. Without an identity, or where one is not theirs, how many it is sealed to.
    ///
    /// # Errors
    /// The record failed.
    pub async fn read_texts(
        &self,
        who: &str,
        file: &streams::File,
        texts: &BTreeSet<Text>,
        identity: Option<&Identity>,
        purpose: &str,
        at: Moment,
    ) -> Result<BTreeMap<Text, Sealed>, Error> {
        let roster = self.roster().await?;
        let by = person(&roster, who)?;
        apart(&roster, &by, &file.case.opening.customer)?;
        // What was sealed to somebody before they declared a conflict, or went, is not opened to them here any more.
        let part = file.case.parts.get(&by);
        let gone = part.is_some_and(|part| part.released || part.declared.flatten().is_some());
        let identity = identity.filter(|_| !gone);
        let roles = part.map(|part| part.roles.clone()).unwrap_or_default();
        let confined = self.confined(&file.case.id).await?;
        let (mut read, mut looks) = (BTreeMap::new(), Vec::new());
        for text in texts {
            let Some(ciphertext) = self.record.ciphertext(*text).await? else {
                read.insert(*text, Sealed::Elsewhere);
                continue;
            };
            let confined = confined.get(text).is_some_and(|only| roles.is_disjoint(only));
            let opened = match identity.filter(|_| !confined) {
                Some(identity) => self.record.text(*text, identity).await.ok(),
                None => None,
            };
            if opened.is_some() {
                looks.push(Look { at, by: by.clone(), what: format!("text {text}"), purpose: purpose.to_owned() });
            }
            let sealed = Sealed::To { people: sealed_to(&ciphertext), confined };
            read.insert(*text, opened.map_or(sealed, Sealed::Opened));
        }
        self.note_looks(looks).await?;
        Ok(read)
    }

    /// Encrypts every private text of a case anew to those who may read it now. Gives how many were, and how many this
    /// identity could not open.
    ///
    /// # Errors
    /// They may not, or the record failed.
    pub async fn rewrap(
        &self,
        papers: &Papers,
        who: &str,
        case: &CaseId,
        identity: &Identity,
        at: Moment,
    ) -> Result<(usize, usize), Error> {
        let purpose = "encrypting the texts of the case anew to those who may read them now";
        let file = self.look(&Sender::Person(who.to_owned()), case, purpose, at).await?;
        let roster = self.roster().await?;
        let confined = self.confined(case).await?;
        let addressed = addressed(&file);
        let (mut done, mut shut) = (0, 0);
        for text in texts_of(&file)? {
            if self.record.ciphertext(text).await?.is_none() {
                continue;
            }
            if self.record.text(text, identity).await.is_err() {
                shut += 1;
                continue;
            }
            let only = confined.get(&text).cloned().unwrap_or_default();
            let mut to = readers(&roster, Some(&file.case), &only, at)?;
            to.extend(papers.recovery.iter().cloned());
            if to.is_empty() {
                return Err(Error::Wrong("nobody could read the texts any more; assign somebody first".to_owned()));
            }
            let customers = papers.customers.as_ref().filter(|_| addressed.contains(&text));
            to.extend(customers.map(|identity| identity.to_public()));
            self.record.rewrap(&[text], identity, &to).await?;
            done += 1;
        }
        Ok((done, shut))
    }

    /// Private texts that cases name and that are gone although nobody erased them, each with the case that names it.
    ///
    /// # Errors
    /// The record failed.
    pub async fn lost_texts(&self) -> Result<BTreeSet<(CaseId, Text)>, Error> {
        let erasures = streams::read::<Erasure>(&self.record, ERASURES).await?;
        let erased: BTreeSet<Digest> = erasures.events.into_iter().flat_map(|one| one.texts).collect();
        let mut lost = BTreeSet::new();
        for file in self.cases().await? {
            let named: BTreeSet<Text> = file.events.iter().flat_map(|event| event.command.act.texts()).collect();
            for text in named.difference(&erased) {
                if self.record.ciphertext(*text).await?.is_none() {
                    lost.insert((file.case.id.clone(), *text));
                }
            }
        }
        Ok(lost)
    }

    async fn confined(&self, case: &CaseId) -> Result<BTreeMap<Text, BTreeSet<Role>>, Error> {
        let stream = streams::read::<Confined>(&self.record, streams::CONFINED).await?;
        let of_case = stream.events.into_iter().filter(|confined| confined.case == *case);
        Ok(of_case.map(|confined| (confined.text, confined.only)).collect())
    }
}

/// The digests that a case's events name. Which of them are texts that are kept is known to the record.
pub(crate) fn texts_of(file: &streams::File) -> Result<BTreeSet<Digest>, Error> {
    let text = serde_json::to_string(&file.events).map_err(|error| Error::Defect(error.to_string()))?;
    Ok(text.split('"').filter_map(|word| word.parse().ok()).collect())
}

/// Those who may read a text of a case, or without one the intake officers.
fn readers(roster: &Roster, case: Option<&Case>, only: &BTreeSet<Role>, at: Moment) -> Result<Vec<Recipient>, Error> {
    let people: Vec<&PersonId> = match case {
        Some(case) => {
            let parts = case.parts.iter().filter(|(person, part)| {
                let clean = !part.released && part.declared == Some(None);
                let close = roster.closeness(person, &case.opening.customer).is_some();
                clean && !close && (only.is_empty() || !part.roles.is_disjoint(only))
            });
            parts.map(|(person, _)| person).collect()
        }
        None => roster.members.keys().filter(|person| roster.is(person, Role::IntakeOfficer, at)).collect(),
    };
    let there = people.into_iter().filter(|person| roster.present(person, at).is_some());
    let keys = there.map(|person| keys_of(roster, person)).collect::<Result<Vec<_>, _>>()?;
    Ok(keys.concat())
}

pub(crate) fn keys_of(roster: &Roster, person: &PersonId) -> Result<Vec<Recipient>, Error> {
    let keys = roster.members.get(person).into_iter().flat_map(|member| &member.reads_with);
    keys.map(|key| {
        key.parse().map_err(|why| Error::Wrong(format!("`{key}`, by which {person} reads, is no age recipient: {why}")))
    })
    .collect()
}
