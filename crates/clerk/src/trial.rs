//! Whether acts would be admitted as things stand, without carrying any out: what pages offer is asked here, so that they
//! have no rule of their own.

use crate::desk::{Clerk, Sender, Sent};
use crate::error::Error;
use crate::streams::{self, File};
use access::Thing;
use review::act::{Act, Command};
use review::roster::Roster;
use review::rules::{Context, Elsewhere};
use review::words::{Actor, CaseId, Moment};

/// A case, with everything that an act in it is held against.
pub struct Trial<'a> {
    clerk: &'a Clerk,
    file: &'a File,
    roster: Roster,
    elsewhere: Elsewhere,
    by: Actor,
    at: Moment,
}

impl Clerk {
    /// A trial of acts by somebody in a case.
    ///
    /// # Errors
    /// Nobody of that name, or the record failed.
    pub async fn trial<'a>(&'a self, who: &Sender, file: &'a File, at: Moment) -> Result<Trial<'a>, Error> {
        let roster = self.roster().await?;
        let by = self.actor(&roster, who, Some(&file.case))?;
        let (elsewhere, _) = self.elsewhere(&file.law.id, &file.case.id).await?;
        Ok(Trial { clerk: self, file, roster, elsewhere, by, at })
    }

    /// Holds if an act that is sent would be admitted in a case, or was; nothing of the case is shown by it.
    ///
    /// # Errors
    /// What is against it.
    pub async fn would_admit(&self, sent: &Sent, case: &CaseId, act: &Act) -> Result<(), Error> {
        let file = streams::case(&self.record, case).await?;
        if file.case.done.contains(&sent.id) {
            return Ok(());
        }
        self.trial(&sent.by, &file, sent.at).await?.of(act)
    }
}

impl Trial<'_> {
    /// Holds if an act would be admitted.
    ///
    /// # Errors
    /// What is against it: a role, or a rule.
    pub fn of(&self, act: &Act) -> Result<(), Error> {
        let File { case, law, .. } = self.file;
        if let Actor::Person(person) = &self.by {
            let thing = Thing::Case(case.id.clone());
            self.clerk.may(&self.roster, person, access::of_act(act), &thing, Some(case), self.at)?;
        }
        let context = Context::new(&law.procedure, &self.roster, &self.elsewhere);
        let id = "trial".parse()?;
        let command = Command { id, at: self.at, by: self.by.clone(), act: act.clone() };
        case.admit(&context, command)?;
        Ok(())
    }

    /// The people.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }
}
