//! The people of a review: who is who, what each may be, whom they answer to, and with what key they sign.
//!
//! It holds no case and decides nothing; it is what a rule is held against. Who signs in how is not its business: an
//! identity is a person's name elsewhere, and two of them may be one person. It changes by events of its own; whether it
//! may is asked in [`crate::rules`].

use crate::words::{CommandId, CustomerId, Moment, PersonId, Role};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// Somebody of the provider's, or whom it asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// What they may be in a review.
    pub roles: BTreeSet<Role>,
    /// Whom they report to.
    #[serde(default)]
    pub manager: Option<PersonId>,
    /// Not employed by the provider.
    #[serde(default)]
    pub outside: bool,
    /// Their identities where one signs in (OpenID Connect issuer and subject, or a local account).
    #[serde(default)]
    pub identities: BTreeSet<String>,
    /// The public keys (Ed25519) they sign with, each with its form.
    #[serde(default)]
    pub keys: BTreeMap<PublicKey, KeyForm>,
    /// The `age` recipients (`age1…`) that private texts are encrypted to for them.
    #[serde(default)]
    pub reads_with: BTreeSet<String>,
    /// From when on they are no longer there.
    #[serde(default)]
    pub left: Option<Moment>,
}

/// An Ed25519 public key (RFC 8032 §5.1.5). As text `ed25519:` and 64 hexadecimal digits; the line of an OpenSSH public
/// key (RFC 4253 §6.6, RFC 8709 §4) is read as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

/// A text is no public key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no Ed25519 public key: give the line of a `.pub` file that `ssh-keygen -t ed25519` made, or `ed25519:` and 64 hexadecimal digits"
)]
pub struct NotAKey;

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ed25519:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for PublicKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        if let Some(hex) = text.strip_prefix("ed25519:") {
            let digest: crate::words::Digest = format!("sha256:{hex}").parse().map_err(|_| NotAKey)?;
            return Ok(Self(digest.0));
        }
        let body = text.strip_prefix("ssh-ed25519 ").and_then(|rest| rest.split_whitespace().next()).ok_or(NotAKey)?;
        let blob = STANDARD.decode(body).map_err(|_| NotAKey)?;
        let key = blob.strip_prefix(b"\0\0\0\x0bssh-ed25519\0\0\0\x20").ok_or(NotAKey)?;
        key.try_into().map(Self).map_err(|_| NotAKey)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

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
#[serde(deny_unknown_fields)]
pub struct AccountTeam {
    /// The people.
    pub members: BTreeSet<PersonId>,
    /// Who answers for the customer among executives.
    #[serde(default)]
    pub sponsor: Option<PersonId>,
}

/// Everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roster {
    /// The people.
    #[serde(default)]
    pub members: BTreeMap<PersonId, Member>,
    /// Who is close to which customer.
    #[serde(default)]
    pub account_teams: BTreeMap<CustomerId, AccountTeam>,
}

/// One thing that changes in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// Somebody comes, leaves, or is something else than before.
    Member {
        /// Who.
        person: PersonId,
        /// What they are from now on.
        member: Member,
    },
    /// Others are close to a customer.
    AccountTeam {
        /// Which customer.
        customer: CustomerId,
        /// Who, from now on.
        team: AccountTeam,
    },
}

/// Changes that were made together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterEvent {
    /// Of this one sending.
    pub id: CommandId,
    /// When.
    pub at: Moment,
    /// The two who made them; nobody where the roster begins.
    pub by: BTreeSet<PersonId>,
    /// What changes.
    pub changes: Vec<Change>,
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
    /// Folds in what changed.
    pub fn apply(&mut self, event: &RosterEvent) {
        for change in event.changes.clone() {
            match change {
                Change::Member { person, member } => drop(self.members.insert(person, member)),
                Change::AccountTeam { customer, team } => drop(self.account_teams.insert(customer, team)),
            }
        }
    }

    /// What must change for this roster to become another. Nobody is forgotten: who is not on the other has left by
    /// `at`.
    pub fn changes_to(&self, other: &Self, at: Moment) -> Vec<Change> {
        let mut changes = Vec::new();
        for (person, member) in &self.members {
            if !other.members.contains_key(person) && member.left.is_none() {
                let member = Member { left: Some(at), ..member.clone() };
                changes.push(Change::Member { person: person.clone(), member });
            }
        }
        let changed = other.members.iter().filter(|(person, member)| self.members.get(*person) != Some(*member));
        changes
            .extend(changed.map(|(person, member)| Change::Member { person: person.clone(), member: member.clone() }));
        let nobody = AccountTeam::default();
        let customers: BTreeSet<_> = self.account_teams.keys().chain(other.account_teams.keys()).collect();
        for customer in customers {
            let team = other.account_teams.get(customer).unwrap_or(&nobody);
            if self.account_teams.get(customer).unwrap_or(&nobody) != team {
                changes.push(Change::AccountTeam { customer: customer.clone(), team: team.clone() });
            }
        }
        changes
    }

    /// An identity or key that two people would have: with it, one could pass for two.
    pub(crate) fn identity_of_two(&self) -> Option<String> {
        let mut seen = BTreeSet::new();
        let names = self
            .members
            .values()
            .flat_map(|member| member.identities.iter().cloned().chain(member.keys.keys().map(ToString::to_string)));
        names.into_iter().find(|name| !seen.insert(name.clone()))
    }

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

    /// Whether one of two answers to the other, however far, or both to the same person directly.
    pub fn answer_to_one(&self, one: &PersonId, other: &PersonId) -> bool {
        let manager = |person| self.members.get(person).and_then(|member: &Member| member.manager.as_ref());
        let same = manager(one).is_some() && manager(one) == manager(other);
        same || self.managers(one).contains(other) || self.managers(other).contains(one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Rule, change_roster};

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
                ..Member::default()
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
        assert!(one("a", "ceo") && one("ceo", "b"), "however far up");
        assert!(!one("a", "c") && !one("top", "free"), "two without a manager answer to nobody");
    }

    fn changed(roster: &Roster, by: &[&str], changes: Vec<Change>) -> Result<(), Rule> {
        let by = by.iter().map(|name| person(name)).collect();
        let event = RosterEvent { id: "c1".parse().unwrap(), at: Moment(1_000), by, changes };
        change_roster(roster, &event).map_err(|refusal| refusal.rule)
    }

    #[test]
    fn two_who_decide_change_the_roster_and_nobody_alone() {
        let now = roster(&[("a", "m"), ("b", "n"), ("c", "n")]);
        let mut wanted = now.clone();
        wanted.members.remove(&person("c"));
        let member = Member { roles: BTreeSet::from([Role::Counsel]), ..Member::default() };
        wanted.members.insert(person("d"), member);
        wanted.account_teams.clear();
        let changes = now.changes_to(&wanted, Moment(900));
        assert_eq!(changes.len(), 3);
        assert_eq!(changed(&now, &["a", "b"], changes.clone()), Ok(()));
        for by in [&["a"][..], &[], &["a", "d"], &["a", "b", "c"]] {
            assert_eq!(changed(&now, by, changes.clone()), Err(Rule::Present), "{by:?}");
        }
        let mut after = now.clone();
        after.apply(&RosterEvent { id: "c1".parse().unwrap(), at: Moment(900), by: BTreeSet::new(), changes });
        assert!(!after.is(&person("c"), Role::Decider, Moment(900)), "who is left out has left");
        assert!(after.closeness(&person("seller"), &"acme".parse().unwrap()).is_none());
        assert_eq!(after.changes_to(&wanted, Moment(901)), [], "it is as wanted");
        assert_eq!(changed(&after, &["a", "b"], Vec::new()), Err(Rule::Known));
    }

    #[test]
    fn a_roster_begins_with_two_who_decide_and_nobody_is_two() {
        let nobody = Roster::default();
        let of = |roster: &Roster| nobody.changes_to(roster, Moment(0));
        assert_eq!(changed(&nobody, &[], of(&roster(&[("a", "m")]))), Err(Rule::Present));
        assert_eq!(changed(&nobody, &[], of(&roster(&[("a", "m"), ("b", "m")]))), Ok(()));
        let mut twice = roster(&[("a", "m"), ("b", "m")]);
        for name in ["a", "b"] {
            twice.members.get_mut(&person(name)).unwrap().keys.insert(PublicKey([7; 32]), KeyForm::Ssh);
        }
        assert_eq!(changed(&nobody, &[], of(&twice)), Err(Rule::Known));
    }

    #[test]
    fn keys_are_read_from_what_ssh_keygen_writes_and_from_hexadecimal() {
        let key = PublicKey([7; 32]);
        assert_eq!(key.to_string().parse(), Ok(key));
        let blob = [&b"\0\0\0\x0bssh-ed25519\0\0\0\x20"[..], &[7; 32]].concat();
        assert_eq!(format!("ssh-ed25519 {} ann@desk", STANDARD.encode(&blob)).parse(), Ok(key));
        for text in ["", "ed25519:07", "ssh-rsa AAAA", "ssh-ed25519 AAAA", "ssh-ed25519"] {
            assert_eq!(text.parse::<PublicKey>(), Err(NotAKey), "{text}");
        }
        let json = serde_json::to_string(&roster(&[("a", "m")])).unwrap();
        assert_eq!(serde_json::from_str::<Roster>(&json).unwrap(), roster(&[("a", "m")]));
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
