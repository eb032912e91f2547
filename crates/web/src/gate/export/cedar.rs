//! Cedar: a `forbid` for each restriction, two where reading passes for longer than writing.
//!
//! Principal, action and resource are those of the AuthZEN interface (an account, an operation, a service with the region
//! as its attribute); the time is `context.at`, in seconds since 1970. Each attribute is guarded by `has`: a `forbid` that
//! errors is skipped, and would take what else it says with it. So a request without region meets no restriction of one
//! region, as at a gate; one without time meets none that begins or ends: validate requests against the schema, which wants
//! it. Nothing is permitted here: that is for the policies beside these.

use super::{Export, Span, operations, standing};
use gate::{Restriction, Scope, Set};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

pub(super) fn export(set: &Set, at: i64) -> Export {
    let (mut export, mut text, mut of) = (Export::default(), String::new(), BTreeSet::new());
    for (restriction, scope) in standing(set, at) {
        let mut spans: BTreeMap<Span, Vec<&str>> = BTreeMap::new();
        for operation in operations() {
            if let Some(span) = Span::of(&scope, operation, at) {
                spans.entry(span).or_default().push(operation);
            }
        }
        for (span, operations) in &spans {
            text.push_str(&forbid(&restriction, &scope, *span, operations));
        }
        of.insert(restriction.id());
    }
    export.put("restrictions.cedar".to_owned(), text, of);
    export.put("restrictions.cedarschema".to_owned(), schema(), BTreeSet::new());
    export
}

fn forbid(restriction: &Restriction<'_>, scope: &Scope<'_>, span: Span, operations: &[&str]) -> String {
    let actions: Vec<String> = operations.iter().map(|operation| format!("Action::{}", quoted(operation))).collect();
    let (statement, sentence) = restriction.source().map_or(("", ""), |source| (&*source.statement, &*source.sentence));
    let mut when = Vec::new();
    if let Some(region) = scope.region {
        when.push(format!("resource has region && resource.region == {}", quoted(region)));
    }
    if span.from != i64::MIN {
        when.push(format!("context has at && context.at >= {}", span.from));
    }
    if span.until != i64::MAX {
        when.push(format!("context has at && context.at < {}", span.until));
    }
    let mut text = format!(
        "@restriction({})\n@statement({})\n@sentence({})\nforbid (\n    principal == Account::{},\n    action in [{}],\n    \
         resource == Service::{}\n)",
        quoted(&restriction.id()),
        quoted(statement),
        quoted(sentence),
        quoted(scope.account),
        actions.join(", "),
        quoted(scope.service),
    );
    if !when.is_empty() {
        let _ = write!(text, " when {{ {} }}", when.join(" && "));
    }
    text.push_str(";\n\n");
    text
}

/// A text of Cedar's. Whatever could end it, or be taken for an end of a line, stands by its number.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for one in text.chars() {
        match one {
            '"' | '\\' => quoted.extend(['\\', one]),
            one if one.is_control() || matches!(one, '\u{2028}' | '\u{2029}') => {
                let _ = write!(quoted, "\\u{{{:x}}}", u32::from(one));
            }
            one => quoted.push(one),
        }
    }
    quoted.push('"');
    quoted
}

fn schema() -> String {
    let actions: Vec<String> = operations().map(quoted).collect();
    format!(
        "entity Account;\nentity Service = {{ region?: String }};\naction {} appliesTo {{\n    principal: [Account],\n    \
         resource: [Service],\n    context: {{ at: Long }},\n}};\n",
        actions.join(", ")
    )
}
