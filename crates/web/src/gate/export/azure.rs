//! Azure: policy definitions, to be assigned to the subscription that each file is named after.
//!
//! Azure Policy stands before Azure Resource Manager: `deny` refuses making and changing a resource, `denyAction` deleting
//! one. Requests for data go past it, so that no restriction is reached whole: what remains is said, and a gate before
//! the data is what enforces it. Changing what is there is refused with making anew, since Azure Policy sees no difference.

use super::{Export, ExportError, LATEST, Span, standing};
use crate::gate::operations;
use gate::{Restriction, Scope, Set, time};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How many assignments a subscription has, at most.
const ASSIGNMENTS_MAX: usize = 200;

const PAST: &str = "requests for data do not pass Azure Resource Manager: keep a gate before them";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    service: Vec<Row>,
}

/// A service as resources of Azure.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    types: Vec<String>,
    #[serde(default)]
    kinds: Vec<String>,
    #[serde(default)]
    making: Vec<String>,
    #[serde(default)]
    deleting: Vec<String>,
}

pub(super) fn export(set: &Set, at: i64) -> Result<Export, ExportError> {
    let text = include_str!("../../../../../operations/export/azure.toml");
    let table: Table =
        toml::from_str(text).map_err(|error| ExportError::Table { file: "azure.toml", why: error.to_string() })?;
    let (mut export, mut counts) = (Export::default(), BTreeMap::<&str, usize>::new());
    for (restriction, scope) in standing(set, at) {
        let row = table.service.iter().find(|row| row.id == scope.service && !row.types.is_empty());
        let (subscription, row) = match (subscription(scope.account), row, foreign(&scope)) {
            (Some(subscription), Some(row), None) => (subscription, row),
            (None, ..) => {
                export.unreached(&restriction, &[], "its account is no subscription of Azure's");
                continue;
            }
            (_, None, _) => {
                export.unreached(&restriction, &[], "its service has no resources that Azure Policy sees");
                continue;
            }
            (.., Some(why)) => {
                export.unreached(&restriction, &[], why);
                continue;
            }
        };
        for (effect, operations) in [("deny", &row.making), ("denyAction", &row.deleting)] {
            let span = operations.iter().filter_map(|operation| Span::of(&scope, operation, at)).min();
            let Some(span) = span else { continue };
            let count = counts.entry(subscription).or_default();
            *count += 1;
            let (name, text) =
                (format!("{subscription}-{count}.json"), definition(&restriction, &scope, row, effect, span));
            export.put(name, text, BTreeSet::from([restriction.id()]));
        }
        let all = operations::of_service(scope.service).iter().copied();
        let past: Vec<&str> = all.filter(|operation| Span::of(&scope, operation, at).is_some()).collect();
        export.unreached(&restriction, &past, PAST);
    }
    let most = ASSIGNMENTS_MAX;
    match counts.into_iter().find(|(_, needed)| *needed > most) {
        None => Ok(export),
        Some((of, needed)) => {
            Err(ExportError::Quota { of: format!("the subscription {of}"), what: "assignments", needed, most })
        }
    }
}

/// The GUID of a subscription, which may stand after `/subscriptions/` as in FOCUS exports.
fn subscription(account: &str) -> Option<&str> {
    let guid = account.strip_prefix("/subscriptions/").unwrap_or(account);
    let lengths: Vec<usize> = guid.split('-').map(str::len).collect();
    let digits = guid.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    (lengths == [8, 4, 4, 4, 12] && digits).then_some(guid)
}

fn foreign(scope: &Scope<'_>) -> Option<&'static str> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    match scope.region {
        _ if scope.from > LATEST => Some("it begins in no year that Azure knows"),
        Some(region) if !region.bytes().all(plain) => Some("its region is none of Azure's"),
        _ => None,
    }
}

/// The body of a request that makes a definition.
fn definition(restriction: &Restriction<'_>, scope: &Scope<'_>, row: &Row, effect: &str, span: Span) -> String {
    let mut all = vec![json!({"field": "type", "in": row.types})];
    if !row.kinds.is_empty() {
        all.push(json!({"field": "kind", "in": row.kinds}));
    }
    if let Some(region) = scope.region {
        all.push(json!({"field": "location", "equals": region}));
    }
    if span.from != i64::MIN {
        all.push(json!({"value": "[utcNow()]", "greaterOrEquals": time::text(span.from)}));
    }
    if span.until <= LATEST {
        all.push(json!({"value": "[utcNow()]", "less": time::text(span.until)}));
    }
    let then = match effect {
        "denyAction" => json!({
            "effect": effect,
            "details": {"actionNames": ["delete"], "cascadeBehaviors": {"resourceGroup": "deny"}},
        }),
        _ => json!({"effect": effect}),
    };
    let (statement, sentence) = restriction.source().map_or(("", ""), |source| (&*source.statement, &*source.sentence));
    // Longer is refused.
    let name: String = format!("Restriction {} ({effect})", restriction.id()).chars().take(128).collect();
    let about: String = format!("{sentence} {statement}").chars().take(512).collect();
    let properties: Value = json!({
        "displayName": name, "description": about, "policyType": "Custom", "mode": "All",
        "metadata": {"category": "Tribune", "restriction": restriction.id(), "statement": statement},
        "parameters": {},
        "policyRule": {"if": {"allOf": all}, "then": then},
    });
    format!("{:#}\n", json!({"properties": properties}))
}
