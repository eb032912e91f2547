//! Texts that are to leave, while they wait for a second person to confirm that they identify no source.
//!
//! What is kept of one is its digest, who wrote it and what it is for; the text is a private text of its case. It confirms
//! nothing: that is an act of the case, and its rule.

use crate::Papers;
use crate::desk::{Clerk, TRIES, person};
use crate::error::Error;
use crate::streams::{self, File};
use access::Thing;
use review::words::{CaseId, DecisionId, Moment, PersonId, Text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a text is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum DraftOf {
    /// A question to the customer.
    Question,
    /// A statement of reasons: the customer's text; `public` is the public's.
    Statement {
        /// Of which decision.
        decision: DecisionId,
        /// The public's text.
        public: Text,
        /// From when on its times count: it is served then, or later.
        served: Moment,
    },
    /// What the public is told of a decision.
    Public {
        /// Of which decision.
        decision: DecisionId,
    },
    /// What takes the place of something that was published.
    Correction,
    /// What the provider's own people are told.
    Employees,
}

/// A text that is to leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftText {
    /// Of which case.
    pub case: CaseId,
    /// The text.
    pub text: Text,
    /// Who wrote it.
    pub by: PersonId,
    /// When.
    pub at: Moment,
    /// What it is to be.
    #[serde(flatten)]
    pub of: DraftOf,
}

impl Clerk {
    /// Keeps texts that are to leave, together; those that were kept before stay as they are.
    ///
    /// # Errors
    /// They may not put such a text forward, nobody could read it, or the record failed.
    pub async fn draft(
        &self,
        papers: &Papers,
        who: &str,
        case: &CaseId,
        drafts: &[(DraftOf, &str)],
        at: Moment,
    ) -> Result<Vec<Text>, Error> {
        let (roster, file) = (self.roster().await?, streams::case(&self.record, case).await?);
        let by = person(&roster, who)?;
        for (of, _) in drafts {
            let action = match of {
                DraftOf::Question => "ask",
                DraftOf::Statement { .. } | DraftOf::Public { .. } => "serve_notice",
                DraftOf::Correction => "correct",
                DraftOf::Employees => "tell_employees",
            };
            self.may(&roster, &by, action, &Thing::Case(case.clone()), Some(&file.case), at)?;
        }
        let mut texts = Vec::with_capacity(drafts.len());
        for (of, text) in drafts {
            let text = text.as_bytes();
            texts.push(match of {
                DraftOf::Question | DraftOf::Statement { .. } => {
                    self.keep_for_customer(papers, Some(&by), Some(case), text, at).await?
                }
                DraftOf::Public { .. } | DraftOf::Correction | DraftOf::Employees => {
                    self.keep(papers, Some(&by), Some(case), &BTreeSet::new(), text, at).await?
                }
            });
        }
        for _ in 0..TRIES {
            let stream = streams::read::<DraftText>(&self.record, streams::DRAFTS).await?;
            let all = drafts.iter().zip(&texts).map(|((of, _), text)| DraftText {
                case: case.clone(),
                text: *text,
                by: by.clone(),
                at,
                of: of.clone(),
            });
            let known = |new: &DraftText| {
                stream.events.iter().any(|old| (&old.case, old.text, &old.of) == (&new.case, new.text, &new.of))
            };
            let new: Vec<DraftText> = all.filter(|draft| !known(draft)).collect();
            let mut append = None;
            for draft in &new {
                let one = streams::append(streams::DRAFTS, stream.length, at, draft)?;
                append
                    .get_or_insert_with(|| store::Append { events: Vec::new(), ..one.clone() })
                    .events
                    .extend(one.events);
            }
            let Some(append) = append else { return Ok(texts) };
            if self.append(&[append]).await? {
                return Ok(texts);
            }
        }
        Err(Error::Busy)
    }

    /// The texts of a case that are to leave, the latest last. Whoever has looked at the case may be shown them.
    ///
    /// # Errors
    /// The record failed.
    pub async fn drafts(&self, file: &File) -> Result<Vec<DraftText>, Error> {
        let drafts = streams::read::<DraftText>(&self.record, streams::DRAFTS).await?.events;
        Ok(drafts.into_iter().filter(|draft| draft.case == file.case.id).collect())
    }
}
