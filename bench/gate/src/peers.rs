//! Those that are asked: the gate, a plain hash map, Cedar in three forms, Rego in regorus. Each is given the restrictions
//! in the form that suits it best, and the requests made ready beforehand where it has a form of its own for them.

use crate::Failure;
use crate::questions::{MARCH, Question, Rule, World};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request, RestrictedExpression,
};
use gate::{Builder, Digest, Scope, Switch, Switches, Verdict};
use std::collections::{BTreeMap, HashMap};

/// In this order; the first is what the others are held against.
pub(crate) const NAMES: [&str; 6] =
    ["gate", "hash map", "Cedar, one set", "Cedar, a set per account", "Cedar, one policy with entity data", "regorus"];

/// One of them, with all requests at hand by their place.
pub(crate) struct Peer<'w> {
    pub(crate) name: &'static str,
    ask: Box<dyn FnMut(usize) -> bool + 'w>,
}

impl<'w> Peer<'w> {
    pub(crate) fn build(name: &'static str, world: &'w World) -> Result<Self, Failure> {
        let ask: Box<dyn FnMut(usize) -> bool + 'w> = match name {
            "gate" => Box::new(gate(world)?),
            "hash map" => Box::new(hash_map(world)),
            "Cedar, one set" => Box::new(cedar_one(world)?),
            "Cedar, a set per account" => Box::new(cedar_sliced(world)?),
            "Cedar, one policy with entity data" => Box::new(cedar_data(world)?),
            _ => Box::new(rego(world)?),
        };
        Ok(Self { name, ask })
    }

    pub(crate) fn refuses(&mut self, place: usize) -> bool {
        (self.ask)(place)
    }
}

fn gate(world: &World) -> Result<impl FnMut(usize) -> bool, Failure> {
    let mut builder = Builder::new(1);
    builder.source(gate::Source {
        case: "c1".into(),
        decision: "d1".into(),
        digest: Digest::of("d1"),
        statement: "/statements/1".into(),
        sentence: "Switched off.".into(),
    });
    for (number, Rule { account, service, region, switches, until }) in (1..).zip(&world.rules) {
        let (region, switches, until) = (*region, *switches, *until);
        let scope = Scope { account, service, region, switches, from: 0, window: 0, until, enforced: true };
        builder.add(number, &scope)?;
    }
    let set = builder.build();
    Ok(move |place| {
        let Some(Question { account, service, operation, region, at, .. }) = world.questions.get(place) else {
            return false;
        };
        let request = gate::Request { account, service, operation: *operation, region: Some(region), at: *at };
        matches!(set.check(&request).verdict, Verdict::Refuse(_))
    })
}

type Plain<'w> = HashMap<&'w str, HashMap<&'w str, Vec<(Option<&'w str>, Switches, i64)>>>;

fn hash_map(world: &World) -> impl FnMut(usize) -> bool {
    let mut map: Plain<'_> = HashMap::new();
    for Rule { account, service, region, switches, until } in &world.rules {
        map.entry(account).or_default().entry(service).or_default().push((*region, *switches, *until));
    }
    move |place| {
        let Some(question) = world.questions.get(place) else { return false };
        let rules = map.get(question.account.as_str()).and_then(|of| of.get(question.service));
        rules.is_some_and(|rules| {
            rules.iter().any(|(region, switches, until)| {
                switches.contains(question.switch)
                    && region.is_none_or(|region| region == question.region)
                    && question.at < *until
            })
        })
    }
}

// ---- Cedar ---------------------------------------------------------------------------------------------------------

fn forbid(rule: &Rule) -> String {
    let Rule { account, service, region, switches, until } = rule;
    let actions: Vec<String> = switches.iter().map(|switch| format!("Action::\"{}\"", switch.name())).collect();
    let region = region.map_or_else(String::new, |region| format!(" && context.region == \"{region}\""));
    format!(
        "forbid (principal == Account::\"{account}\", action in [{}], resource == Service::\"{service}\")\n\
         when {{ context.at < {until}{region} }};\n",
        actions.join(", ")
    )
}

const PERMIT: &str = "permit (principal, action, resource);\n";

fn uid(kind: &str, id: &str) -> Result<EntityUid, Failure> {
    Ok(format!("{kind}::\"{id}\"").parse()?)
}

/// Requests made beforehand, with `extra` in their context.
fn cedar_requests(
    world: &World,
    extra: impl Fn(&Question) -> Vec<(String, RestrictedExpression)>,
) -> Result<Vec<Request>, Failure> {
    let request = |question: &Question| -> Result<Request, Failure> {
        let context = extra(question).into_iter().chain([
            ("region".to_owned(), RestrictedExpression::new_string(question.region.to_owned())),
            ("at".to_owned(), RestrictedExpression::new_long(question.at)),
        ]);
        let (account, action) = (uid("Account", &question.account)?, uid("Action", question.switch.name())?);
        let service = uid("Service", question.service)?;
        Ok(Request::new(account, action, service, Context::from_pairs(context)?, None)?)
    };
    world.questions.iter().map(request).collect()
}

fn cedar_one(world: &World) -> Result<impl FnMut(usize) -> bool, Failure> {
    let text = world.rules.iter().fold(PERMIT.to_owned(), |text, rule| text + &forbid(rule));
    let policies: PolicySet = text.parse()?;
    let requests = cedar_requests(world, |_| Vec::new())?;
    let (authorizer, entities) = (Authorizer::new(), Entities::empty());
    Ok(move |place| denied(&authorizer, requests.get(place), Some(&policies), &entities))
}

fn cedar_sliced(world: &World) -> Result<impl FnMut(usize) -> bool, Failure> {
    let mut texts: BTreeMap<&str, String> = BTreeMap::new();
    for rule in &world.rules {
        texts.entry(&rule.account).or_insert_with(|| PERMIT.to_owned()).push_str(&forbid(rule));
    }
    let mut sets: HashMap<&str, PolicySet> = HashMap::new();
    for (account, text) in texts {
        sets.insert(account, text.parse()?);
    }
    let everybody: PolicySet = PERMIT.parse()?;
    let requests = cedar_requests(world, |_| Vec::new())?;
    let (authorizer, entities) = (Authorizer::new(), Entities::empty());
    Ok(move |place| {
        let account = world.questions.get(place).map_or("", |question: &Question| question.account.as_str());
        let policies = sets.get(account).unwrap_or(&everybody);
        denied(&authorizer, requests.get(place), Some(policies), &entities)
    })
}

/// The restrictions are tags of the account: service, switch and region to when it ends. The two keys that may be there
/// are in the request.
fn cedar_data(world: &World) -> Result<impl FnMut(usize) -> bool, Failure> {
    let policies: PolicySet = format!(
        "{PERMIT}forbid (principal, action, resource) when {{\n\
         (principal.hasTag(context.anywhere) && context.at < principal.getTag(context.anywhere)) ||\n\
         (principal.hasTag(context.here) && context.at < principal.getTag(context.here)) }};"
    )
    .parse()?;
    let key = |service: &str, switch: Switch, region: &str| format!("{service}/{}/{region}", switch.name());
    let mut tags: BTreeMap<&str, BTreeMap<String, i64>> = BTreeMap::new();
    for Rule { account, service, region, switches, until } in &world.rules {
        for switch in switches.iter() {
            let ends = tags.entry(account).or_default().entry(key(service, switch, region.unwrap_or_default()));
            let ends = ends.or_insert(MARCH - 1);
            *ends = (*ends).max(*until);
        }
    }
    let mut entities = Vec::new();
    for question in &world.questions {
        tags.entry(&question.account).or_default();
    }
    for (account, tags) in tags {
        let tags = tags.into_iter().map(|(key, until)| (key, RestrictedExpression::new_long(until)));
        entities.push(Entity::new_with_tags(uid("Account", account)?, [], [], tags)?);
    }
    let entities = Entities::from_entities(entities, None)?;
    let requests = cedar_requests(world, |question| {
        let text = |region| RestrictedExpression::new_string(key(question.service, question.switch, region));
        vec![("anywhere".to_owned(), text("")), ("here".to_owned(), text(question.region))]
    })?;
    let authorizer = Authorizer::new();
    Ok(move |place| denied(&authorizer, requests.get(place), Some(&policies), &entities))
}

fn denied(
    authorizer: &Authorizer,
    request: Option<&Request>,
    policies: Option<&PolicySet>,
    entities: &Entities,
) -> bool {
    let Some((request, policies)) = request.zip(policies) else { return false };
    authorizer.is_authorized(request, policies, entities).decision() == Decision::Deny
}

// ---- Rego ----------------------------------------------------------------------------------------------------------

const REGO: &str = r#"
package gate
import rego.v1
default refuse := false
refuse if {
    some rule in data.restrictions[input.account][input.service][input.switch]
    input.at < rule.until
    rule.region in {"", input.region}
}
"#;

fn rego(world: &World) -> Result<impl FnMut(usize) -> bool, Failure> {
    let mut engine = regorus::Engine::new();
    engine.add_policy("gate.rego".to_owned(), REGO.to_owned()).map_err(|error| error.to_string())?;
    let mut data: BTreeMap<&str, BTreeMap<&str, BTreeMap<&str, Vec<serde_json::Value>>>> = BTreeMap::new();
    for Rule { account, service, region, switches, until } in &world.rules {
        for switch in switches.iter() {
            let of_account = data.entry(account).or_default();
            let rules = of_account.entry(service).or_default().entry(switch.name()).or_default();
            rules.push(serde_json::json!({"region": region.unwrap_or_default(), "until": until}));
        }
    }
    let data = serde_json::json!({"restrictions": data}).to_string();
    engine.add_data_json(&data).map_err(|error| error.to_string())?;
    let mut inputs = Vec::new();
    for Question { account, service, switch, region, at, .. } in &world.questions {
        let input = serde_json::json!({
            "account": account, "service": service, "switch": switch.name(), "region": region, "at": at
        });
        inputs.push(regorus::Value::from_json_str(&input.to_string()).map_err(|error| error.to_string())?);
    }
    Ok(move |place: usize| {
        let Some(input) = inputs.get(place) else { return false };
        engine.set_input(input.clone());
        engine.eval_rule("data.gate.refuse".to_owned()).is_ok_and(|value| value == regorus::Value::from(true))
    })
}
