//! AWS: service control policies, to be attached to the account that each file is named after.
//!
//! A policy of an account stands between what its users and roles are permitted and what they may do. An account of ours is
//! the owner of what is used, so that a statement asks three things: the request is made by the account that is restricted
//! (`aws:PrincipalAccount`, so that a policy attached elsewhere by mistake refuses nobody), for a resource of that
//! account where AWS says whose it is (`aws:ResourceAccount`), and in the region that is restricted (`aws:RequestedRegion`).
//!
//! Such policies do not reach users of other accounts, service-linked roles, and the management account of an organisation.
//! AWS measures each at up to 5,120 characters and takes five a target, of which one is the permission that every account
//! keeps.

use super::{Export, ExportError, LATEST, Span, standing};
use gate::{Restriction, Scope, Set, time};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How many characters a policy has, at most.
const CHARACTERS_MAX: usize = 5_120;

/// How many of ours an account has, at most: one of the five is `FullAWSAccess` or what stands in its place.
const POLICIES_MAX: usize = 4;

const FILE: &str = "aws.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    operation: Vec<Row>,
}

/// An operation as actions of AWS.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    service: String,
    operation: String,
    #[serde(default)]
    actions: Vec<String>,
    /// It is the same requests as those of this operation.
    with: Option<String>,
    /// Why it has no actions of its own.
    #[serde(default)]
    unreached: String,
    /// What of it its actions do not reach.
    in_part: Option<String>,
}

/// Actions that are refused over one span in some regions; everywhere if none are named.
#[derive(Clone, Debug)]
struct Statement {
    span: Span,
    actions: Vec<String>,
    regions: Vec<String>,
    of: BTreeSet<String>,
}

/// By account; of each service, span and actions the regions.
type Accounts<'s> =
    BTreeMap<&'s str, BTreeMap<(&'s str, Span, Vec<String>), BTreeMap<Option<&'s str>, BTreeSet<String>>>>;

pub(super) fn export(set: &Set, at: i64) -> Result<Export, ExportError> {
    let table = table()?;
    let (mut export, mut accounts) = (Export::default(), Accounts::new());
    for (restriction, scope) in standing(set, at) {
        if let Some(why) = foreign(&scope) {
            export.unreached(&restriction, &[], why);
            continue;
        }
        for (span, actions) in actions(&table, &restriction, &scope, at, &mut export) {
            let own = accounts.entry(scope.account).or_default();
            let regions = own.entry((scope.service, span, actions.into_iter().collect())).or_default();
            regions.entry(scope.region).or_default().insert(restriction.id());
        }
    }
    for (account, groups) in accounts {
        let statements =
            groups.into_iter().flat_map(|((_, span, actions), regions)| statements(span, &actions, regions));
        let policies = packed(account, statements.collect());
        let (needed, most) = (policies.len(), POLICIES_MAX);
        if needed > most {
            let what = "service control policies besides the one that permits";
            return Err(ExportError::Quota { of: format!("the account {account}"), what, needed, most });
        }
        for (statements, number) in policies.iter().zip(1..) {
            let of = statements.iter().flat_map(|statement| statement.of.iter().cloned()).collect();
            export.put(format!("{account}-{number}.json"), policy(account, statements), of);
        }
    }
    Ok(export)
}

fn table() -> Result<Table, ExportError> {
    let text = include_str!("../../../../../operations/export/aws.toml");
    toml::from_str(text).map_err(|error| ExportError::Table { file: FILE, why: error.to_string() })
}

/// Why AWS has no such account or region.
fn foreign(scope: &Scope<'_>) -> Option<&'static str> {
    let account = scope.account.len() == 12 && scope.account.bytes().all(|byte| byte.is_ascii_digit());
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let region = |region: &str| region.contains('-') && region.bytes().all(plain);
    match scope.region {
        _ if scope.from > LATEST => Some("it begins in no year that AWS knows"),
        _ if !account => Some("its account is no account of AWS's, which have twelve digits"),
        Some(own) if !region(own) => Some("its region is none of AWS's"),
        _ => None,
    }
}

/// The actions that a restriction refuses, by when. What has none is said.
fn actions(
    table: &Table,
    restriction: &Restriction<'_>,
    scope: &Scope<'_>,
    at: i64,
    export: &mut Export,
) -> BTreeMap<Span, BTreeSet<String>> {
    let mut actions: BTreeMap<Span, BTreeSet<String>> = BTreeMap::new();
    let own: Vec<(&Row, Span)> = table
        .operation
        .iter()
        .filter(|row| row.service == scope.service)
        .filter_map(|row| Some((row, Span::of(scope, &row.operation, at)?)))
        .collect();
    for (row, span) in &own {
        let reached = |with: &String| own.iter().any(|(row, other)| row.operation == *with && other == span);
        if let Some(why) = &row.in_part {
            export.unreached(restriction, &[&row.operation], why);
        }
        if row.actions.is_empty() {
            if !row.with.as_ref().is_some_and(reached) {
                export.unreached(restriction, &[&row.operation], &row.unreached);
            }
        } else {
            actions.entry(*span).or_default().extend(row.actions.iter().cloned());
        }
    }
    if own.is_empty() {
        export.unreached(restriction, &[], "nothing that it switches off is known to be a request to AWS");
    }
    actions
}

/// One for everywhere, and one for all regions.
fn statements(
    span: Span,
    actions: &[String],
    regions: BTreeMap<Option<&str>, BTreeSet<String>>,
) -> impl Iterator<Item = Statement> + use<> {
    let blank = Statement { span, actions: actions.to_vec(), regions: Vec::new(), of: BTreeSet::new() };
    let (mut everywhere, mut some) = (None, None);
    for (region, of) in regions {
        let statement = if region.is_some() { &mut some } else { &mut everywhere };
        let statement = statement.get_or_insert_with(|| blank.clone());
        statement.regions.extend(region.map(str::to_owned));
        statement.of.extend(of);
    }
    [everywhere, some].into_iter().flatten()
}

/// Statements in policies, one filled after the other. A statement that is too long for any is halved.
fn packed(account: &str, statements: Vec<Statement>) -> Vec<Vec<Statement>> {
    let fits = |statements: &[Statement]| policy(account, statements).chars().count() <= CHARACTERS_MAX;
    let mut policies: Vec<Vec<Statement>> = Vec::new();
    let mut open: Vec<Statement> = statements.into_iter().rev().collect();
    while let Some(next) = open.pop() {
        if !fits(std::slice::from_ref(&next))
            && let Some((one, other)) = next.halves()
        {
            open.extend([other, one]);
            continue;
        }
        match policies.last_mut() {
            Some(last) if fits(&[last.as_slice(), std::slice::from_ref(&next)].concat()) => last.push(next),
            _ => policies.push(vec![next]),
        }
    }
    policies
}

impl Statement {
    /// Two that say together what it says; none if it is as short as can be.
    fn halves(&self) -> Option<(Self, Self)> {
        let (mut one, mut other) = (self.clone(), self.clone());
        let by_regions = self.regions.len() > self.actions.len();
        let (kept, moved) = match by_regions {
            true => (&mut one.regions, &mut other.regions),
            false => (&mut one.actions, &mut other.actions),
        };
        *moved = kept.split_off(kept.len().div_ceil(2));
        (!moved.is_empty()).then_some((one, other))
    }

    fn json(&self, account: &str) -> Value {
        let mut asked = Map::from_iter([("aws:PrincipalAccount".to_owned(), json!(account))]);
        if !self.regions.is_empty() {
            asked.insert("aws:RequestedRegion".to_owned(), json!(self.regions));
        }
        let mut condition = Map::from_iter([
            ("StringEquals".to_owned(), Value::Object(asked)),
            ("StringEqualsIfExists".to_owned(), json!({"aws:ResourceAccount": account})),
        ]);
        let clock = |at| json!({"aws:CurrentTime": time::text(at)});
        if self.span.from != i64::MIN {
            condition.insert("DateGreaterThanEquals".to_owned(), clock(self.span.from));
        }
        if self.span.until <= LATEST {
            condition.insert("DateLessThan".to_owned(), clock(self.span.until));
        }
        json!({"Effect": "Deny", "Action": self.actions, "Resource": "*", "Condition": condition})
    }
}

fn policy(account: &str, statements: &[Statement]) -> String {
    let statements: Vec<Value> = statements.iter().map(|statement| statement.json(account)).collect();
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}
