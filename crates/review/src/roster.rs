//! The people of a review: who is who, what each may be, whom they answer to, and with what key they sign.
//!
//! It holds no case and decides nothing; it is what a rule is held against. Who signs in how is not its business: an
//! identity is a person's name elsewhere, and two of them may be one person.

use crate::words::{CustomerId, Moment, PersonId, Role};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Somebody of the provider's, or whom it asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// What they may be in a review.
    pub roles: BTreeSet<Role>,
    /// Whom they report to.
    pub manager: Option<PersonId>,
    /// Not employed by the provider.
    pub outside: bool,
    /// Their identities where one signs in (OpenID Connect issuer and subject, or a local account).
    pub identities: BTreeSet<String>,
    /// The public keys (Ed25519) they sign with, each with its form.
    pub keys: BTreeMap<PublicKey, KeyForm>,
    /// From when on they are no longer there.
    pub left: Option<Moment>,
}

/// An Ed25519 public key (RFC 8032 §5.1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKey(pub [u8; 32]);

/// How a key is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyForm {
    /// On the person's own machine or token, as an SSH key: the server never sees it.
    Ssh,
    /// With the server, unlocked by the person's passphrase when they approve: the weaker form.
    Passphrase,
}

/// Who sells to a customer and looks after it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountTeam {
    /// The people.
    pub members: BTreeSet<PersonId>,
    /// Who answers for the customer among executives.
    pub sponsor: Option<PersonId>,
}

/// Everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// The people.
    pub members: BTreeMap<PersonId, Member>,
    /// Who is close to which customer.
    pub account_teams: BTreeMap<CustomerId, AccountTeam>,
}

/// Why somebody is conflicted by rule, whatever they declare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closeness {
    /// They are of the customer's account team.
    AccountTeam,
    /// They are its sponsor.
    Sponsor,
    /// Somebody of the account team, or the sponsor, answers to them.
    Manager,
}

impl Roster {
    /// Whether somebody is there at this time and may be this.
    pub fn is(&self, person: &PersonId, role: Role, at: Moment) -> bool {
        self.present(person, at).is_some_and(|member| member.roles.contains(&role))
    }

    /// Somebody, if they have not left.
    pub fn present(&self, person: &PersonId, at: Moment) -> Option<&Member> {
        self.members.get(person).filter(|member| member.left.is_none_or(|left| at < left))
    }

    /// The person behind an identity.
    pub fn identified(&self, identity: &str) -> Option<&PersonId> {
        self.members.iter().find(|(_, member)| member.identities.contains(identity)).map(|(person, _)| person)
    }

    /// Whether, and why, somebody is too close to a customer to have a hand in its case.
    pub fn closeness(&self, person: &PersonId, customer: &CustomerId) -> Option<Closeness> {
        let team = self.account_teams.get(customer)?;
        if team.members.contains(person) {
            return Some(Closeness::AccountTeam);
        }
        if team.sponsor.as_ref() == Some(person) {
            return Some(Closeness::Sponsor);
        }
        let close = team.members.iter().chain(&team.sponsor);
        close.into_iter().any(|close| self.managers(close).contains(person)).then_some(Closeness::Manager)
    }

    /// Everybody that somebody answers to, directly or not. A roster that goes round in a circle ends.
    pub fn managers(&self, person: &PersonId) -> BTreeSet<PersonId> {
        let mut above = BTreeSet::new();
        let mut next = self.members.get(person).and_then(|member| member.manager.clone());
        while let Some(manager) = next.filter(|manager| above.insert(manager.clone())) {
            next = self.members.get(&manager).and_then(|member| member.manager.clone());
        }
        above
    }

    /// Whether one of two answers to the other, or both to the same person directly.
    pub fn answer_to_one(&self, one: &PersonId, other: &PersonId) -> bool {
        let manager = |person| self.members.get(person).and_then(|member: &Member| member.manager.as_ref());
        let same = manager(one).is_some() && manager(one) == manager(other);
        same || manager(one) == Some(other) || manager(other) == Some(one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str) -> PersonId {
        name.parse().unwrap()
    }

    fn roster(managers: &[(&str, &str)]) -> Roster {
        let mut roster = Roster::default();
        for (name, manager) in managers {
            let member = Member {
                roles: BTreeSet::from([Role::Decider]),
                manager: (!manager.is_empty()).then(|| person(manager)),
                outside: false,
                identities: BTreeSet::from([format!("idp|{name}")]),
                keys: BTreeMap::new(),
                left: None,
            };
            roster.members.insert(person(name), member);
        }
        let team = AccountTeam { members: BTreeSet::from([person("seller")]), sponsor: Some(person("vp")) };
        roster.account_teams.insert("acme".parse().unwrap(), team);
        roster
    }

    #[test]
    fn whoever_is_near_the_customer_or_above_those_is_close() {
        let roster = roster(&[("seller", "lead"), ("lead", "ceo"), ("vp", "ceo"), ("ann", "lead"), ("ceo", "")]);
        let close = |name: &str, customer: &str| roster.closeness(&person(name), &customer.parse().unwrap());
        assert_eq!(close("seller", "acme"), Some(Closeness::AccountTeam));
        assert_eq!(close("vp", "acme"), Some(Closeness::Sponsor));
        assert_eq!(close("lead", "acme"), Some(Closeness::Manager));
        assert_eq!(close("ceo", "acme"), Some(Closeness::Manager));
        assert_eq!(close("ann", "acme"), None, "who has the same manager is not close");
        assert_eq!(close("seller", "other"), None);
    }

    #[test]
    fn two_answer_to_one_by_a_common_manager_or_each_other() {
        let roster = roster(&[("a", "m"), ("b", "m"), ("m", "ceo"), ("c", "n"), ("top", ""), ("free", "")]);
        let one = |a: &str, b: &str| roster.answer_to_one(&person(a), &person(b));
        assert!(one("a", "b") && one("a", "m") && one("m", "a"));
        assert!(!one("a", "c") && !one("top", "free"), "two without a manager answer to nobody");
    }

    #[test]
    fn a_circle_of_managers_ends_and_who_left_is_not_there() {
        let mut roster = roster(&[("a", "b"), ("b", "a")]);
        assert_eq!(roster.managers(&person("a")), BTreeSet::from([person("a"), person("b")]));
        let at = Moment(1_000);
        assert!(roster.is(&person("a"), Role::Decider, at) && !roster.is(&person("a"), Role::Counsel, at));
        roster.members.get_mut(&person("a")).unwrap().left = Some(at);
        assert!(!roster.is(&person("a"), Role::Decider, at) && roster.is(&person("a"), Role::Decider, Moment(999)));
        assert_eq!(roster.identified("idp|b"), Some(&person("b")));
    }
}
