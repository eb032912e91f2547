//! Exports, read back by the engines they are for: the same requests get the same answers there as at a gate.

use crate::server::tool;
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request, Schema,
    ValidationMode, Validator,
};
use gate::{Builder, Digest, Operation, Scope, Set, Source, Switch, Switches, Verdict};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::str::FromStr as _;
use web::gate::export::{Export, ExportError, Form, export};

/// A restriction as it is drawn: account, service, region, switches, from, window, until, enforced.
type Drawn = (usize, usize, Option<usize>, u8, i64, i64, i64, bool);

fn switches(bits: u8) -> Switches {
    Switch::ALL.into_iter().filter(|switch| bits & 1 << *switch as u8 != 0).collect()
}

/// A set of these, with names from these lists.
fn set(drawn: &[Drawn], accounts: &[&str], services: &[&str], regions: &[&str]) -> Set {
    let mut builder = Builder::new(7);
    for (number, (account, service, region, off, from, window, until, enforced)) in (1..).zip(drawn) {
        builder.source(Source {
            case: format!("c{number}"),
            decision: "d1".to_owned(),
            digest: Digest::of("d1"),
            statement: "https://tribune.example/statements/1".to_owned(),
            sentence: "Switched \"off\" \\ here,\u{2028}for now.".to_owned(),
        });
        let region = region.map(|region| regions[region]);
        let (account, service, switches) = (accounts[*account], services[*service], switches(*off));
        let (from, window, until, enforced) = (*from, *window, *until, *enforced);
        builder.add(1, &Scope { account, service, region, switches, from, window, until, enforced }).unwrap();
    }
    builder.build()
}

fn refuses(set: &Set, request: &gate::Request<'_>) -> bool {
    matches!(set.check(request).verdict, Verdict::Refuse(_))
}

// ---- Cedar ---------------------------------------------------------------------------------------------------------

/// Names that a text could end in.
const ODD: [&str; 5] = ["a\"1", "a\\", "a\\\"); permit(principal, action, resource); //", "Ünï*code", "a\u{2028}b"];
const SERVICES: [&str; 3] = ["object-storage", "database", "is \"not\" known"];
const REGIONS: [&str; 3] = ["north", "so\"uth\\", "*"];
const OPERATIONS: [&str; 8] = [
    "storage.write",
    "storage.list",
    "storage.delete",
    "storage.export",
    "database.requests",
    "speech.transcription",
    "storage.egress",
    "network.private-link",
];

struct Cedar {
    policies: PolicySet,
    schema: Schema,
}

fn cedar(set: &Set, at: i64) -> Cedar {
    let made = export(Form::Cedar, set, at).unwrap();
    assert!(made.unreached.is_empty());
    let permit = "permit (principal, action, resource);\n";
    let policies = PolicySet::from_str(&format!("{permit}{}", made.texts["restrictions.cedar"])).unwrap();
    let (schema, warnings) = Schema::from_cedarschema_str(&made.texts["restrictions.cedarschema"]).unwrap();
    assert_eq!(warnings.count(), 0);
    let validated = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
    assert!(validated.validation_passed(), "{validated}");
    Cedar { policies, schema }
}

fn uid(kind: &str, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(EntityTypeName::from_str(kind).unwrap(), EntityId::new(id))
}

impl Cedar {
    fn refuses(&self, request: &gate::Request<'_>, operation: &str) -> bool {
        let service = uid("Service", request.service);
        let region = request.region.map(|region| ("region".to_owned(), json_string(region)));
        let entity = Entity::new(service.clone(), region.into_iter().collect(), Default::default()).unwrap();
        let entities = Entities::from_entities([entity], Some(&self.schema)).unwrap();
        let context = Context::from_json_value(json!({"at": request.at}), None).unwrap();
        let (account, action) = (uid("Account", request.account), uid("Action", operation));
        let asked = Request::new(account, action, service, context, Some(&self.schema)).unwrap();
        let answer = Authorizer::new().is_authorized(&asked, &self.policies, &entities);
        assert_eq!(answer.diagnostics().errors().count(), 0, "a forbid that errs is skipped");
        answer.decision() == Decision::Deny
    }
}

fn json_string(text: &str) -> cedar_policy::RestrictedExpression {
    cedar_policy::RestrictedExpression::new_string(text.to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn cedar_refuses_what_a_gate_refuses(
        drawn in prop::collection::vec(
            (0..5_usize, 0..3_usize, prop::option::of(0..3_usize), 0..16_u8, 0..8_i64, 0..8_i64, 0..10_i64, any::<bool>()),
            0..24),
        asked in prop::collection::vec((0..5_usize, 0..3_usize, prop::option::of(0..3_usize), 0..8_usize, 0..10_i64), 40),
        since in 0..3_i64,
    ) {
        let set = set(&drawn, &ODD, &SERVICES, &REGIONS);
        let cedar = cedar(&set, since);
        for (account, service, region, operation, later) in asked {
            let request = gate::Request {
                account: ODD[account], service: SERVICES[service], operation: Operation::named(OPERATIONS[operation]),
                region: region.map(|region| REGIONS[region]), at: since + later,
            };
            prop_assert_eq!(cedar.refuses(&request, OPERATIONS[operation]), refuses(&set, &request), "{:?}", request);
        }
    }
}

/// Whatever is missing from a request, no policy errs; and what begins or ends does not meet a request without time.
#[test]
fn cedar_errs_on_no_request_that_lacks_something() {
    let drawn = [(0, 0, Some(0), 15, 5, 5, 9, true), (3, 1, None, 15, 0, 0, i64::MAX, true)];
    let cedar = cedar(&set(&drawn, &ODD, &SERVICES, &REGIONS), 1);
    for (account, service, operation, refused) in
        [(ODD[0], SERVICES[0], "storage.write", false), (ODD[3], SERVICES[1], "database.requests", true)]
    {
        let request = Request::new(
            uid("Account", account),
            uid("Action", operation),
            uid("Service", service),
            Context::empty(),
            None,
        );
        let answer = Authorizer::new().is_authorized(&request.unwrap(), &cedar.policies, &Entities::empty());
        assert_eq!(answer.diagnostics().errors().count(), 0);
        assert_eq!(answer.decision() == Decision::Deny, refused);
    }
}

// ---- AWS -----------------------------------------------------------------------------------------------------------

const ACCOUNTS: [&str; 2] = ["111122223333", "444455556666"];
const AWS_REGIONS: [&str; 3] = ["eu-north-1", "eu-south-1", "us-gov-west-1"];
const AWS_SERVICES: [&str; 5] = ["object-storage", "speech", "vision", "database", "logs"];
/// A service, an operation, an action that it is, and a resource that it is done to.
const ACTIONS: [(usize, &str, &str, &str); 10] = [
    (0, "storage.write", "s3:PutObject", "arn:aws:s3:::bucket/key"),
    (0, "storage.read", "s3:GetObject", "arn:aws:s3:::bucket/key"),
    (0, "storage.list", "s3:ListBucket", "arn:aws:s3:::bucket"),
    (0, "storage.delete", "s3:DeleteObject", "arn:aws:s3:::bucket/key"),
    (1, "speech.transcription", "transcribe:StartStreamTranscription", "*"),
    (2, "vision.images", "rekognition:DetectLabels", "*"),
    (2, "vision.face-id", "rekognition:CompareFaces", "*"),
    (3, "database.requests", "dynamodb:GetItem", "arn:aws:dynamodb:eu-north-1:ACCOUNT:table/t"),
    (3, "database.requests", "dynamodb:PutItem", "arn:aws:dynamodb:eu-north-1:ACCOUNT:table/t"),
    (4, "logs.ingest", "logs:PutLogEvents", "arn:aws:logs:eu-north-1:ACCOUNT:log-group:g:log-stream:s"),
];
/// 2026-03-01T00:00:00Z.
const MARCH: i64 = 1_772_323_200;

/// What an engine of others says of requests under policies, which it also validates.
fn simulated(asked: &Value) -> Option<Vec<String>> {
    let (node, module) = (tool("TRIBUNE_NODE")?, tool("TRIBUNE_IAM_SIMULATE")?);
    let script = "tests/it/iam.mjs";
    let mut command = Command::new(node);
    let piped = command.arg(script).arg(module).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// The policies of each account.
fn policies(made: &Export) -> Value {
    let of = |account: &&str| -> Vec<Value> {
        let own = made.texts.iter().filter(|(name, _)| name.starts_with(*account));
        own.map(|(_, text)| serde_json::from_str(text).unwrap()).collect()
    };
    ACCOUNTS
        .iter()
        .map(|account| ((*account).to_owned(), Value::from(of(account))))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[test]
fn aws_refuses_what_a_gate_refuses() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let restrictions = prop::collection::vec(
        (0..2_usize, 0..5_usize, prop::option::of(0..3_usize), 1..16_u8, 0..4_i64, 0..6_i64, 3..12_i64, any::<bool>()),
        8..30,
    );
    let requests = prop::collection::vec((0..2_usize, 0..10_usize, 0..3_usize, 0..10_i64), 40);
    let (mut worlds, mut expected) = (Vec::new(), Vec::new());
    for _ in 0..40 {
        let mut drawn = restrictions.new_tree(&mut runner).unwrap().current();
        for (.., from, window, until, _) in &mut drawn {
            [from, window, until].into_iter().for_each(|hour| *hour = MARCH + *hour * 3_600);
        }
        let set = set(&drawn, &ACCOUNTS, &AWS_SERVICES, &AWS_REGIONS);
        let made = export(Form::Aws, &set, MARCH).unwrap();
        let mut asked = Vec::new();
        for (account, action, region, hour) in requests.new_tree(&mut runner).unwrap().current() {
            let (service, operation, action, resource) = ACTIONS[action];
            let (account, region, at) = (ACCOUNTS[account], AWS_REGIONS[region], MARCH + hour * 3_600 + 1_800);
            let (service, operation) = (AWS_SERVICES[service], Operation::named(operation));
            let request = gate::Request { account, service, operation, region: Some(region), at };
            expected.push((refuses(&set, &request), format!("{request:?} under {made:?}")));
            let resource = resource.replace("ACCOUNT", account);
            asked.push(json!({
                "account": account, "action": action, "resource": resource, "region": region, "at": gate::time::text(at),
            }));
        }
        worlds.push(json!({"policies": policies(&made), "asked": asked}));
    }
    let Some(answers) = simulated(&Value::from(worlds)) else { return };
    assert_eq!(answers.len(), expected.len());
    for (answer, (refused, request)) in answers.iter().zip(&expected) {
        assert_eq!(answer, if *refused { "refused" } else { "passed" }, "{request}");
    }
    let refused = expected.iter().filter(|(refused, _)| *refused).count();
    assert!((100..expected.len() - 100).contains(&refused), "{refused} of {}", expected.len());
}

/// A policy of an account refuses nobody else, wherever it is attached, and nothing of others that the account uses.
#[test]
fn a_policy_of_aws_is_about_one_account_and_what_is_its_own() {
    let set = set(&[(0, 0, None, 15, 0, 0, i64::MAX, true)], &ACCOUNTS, &AWS_SERVICES, &AWS_REGIONS);
    let mut own = policies(&export(Form::Aws, &set, MARCH).unwrap());
    let of_the_first = own[ACCOUNTS[0]].clone();
    own[ACCOUNTS[1]] = of_the_first;
    let put = |account: &str, owner: &str| {
        json!({"account": account, "owner": owner, "action": "s3:PutObject", "resource": "arn:aws:s3:::bucket/key",
            "region": "eu-north-1", "at": "2026-03-02T00:00:00Z"})
    };
    let [one, other] = ACCOUNTS;
    let asked =
        json!([{"policies": own, "asked": [put(one, one), put(other, other), put(one, other), put(other, one)]}]);
    let Some(answers) = simulated(&asked) else { return };
    assert_eq!(answers, ["refused", "passed", "passed", "passed"]);
}

/// Every action of the table is one of AWS's, and none falls under two switches.
#[test]
fn every_action_of_the_table_is_one_of_awss() {
    let table = include_str!("../../../../operations/export/aws.toml");
    let table: toml::Table = table.parse().unwrap();
    let rows = table["operation"].as_array().unwrap();
    let asked: Vec<Value> = rows
        .iter()
        .filter_map(|row| {
            let needed = gate::Operation::named(row["operation"].as_str().unwrap()).switches().unwrap().to_string();
            Some(json!({"operation": row["operation"].as_str(), "switches": needed, "actions": row.get("actions")?.clone()}))
        })
        .collect();
    let Some(wrong) = simulated(&json!({ "table": asked })) else { return };
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn what_aws_cannot_say_is_named_and_what_is_too_much_is_refused() {
    let accounts = ["111122223333", "acme-1"];
    let services = ["object-storage", "cdn", "professional-services", "unheard-of"];
    let regions = ["eu-north-1", "north"];
    let drawn = [
        // Only export, which S3 does not tell from reading; with reading it is said.
        (0, 0, None, 8, 0, 0, i64::MAX, true),
        (0, 0, None, 10, 0, 0, i64::MAX, true),
        (0, 1, None, 15, 0, 0, i64::MAX, true),
        (0, 2, None, 15, 0, 0, i64::MAX, true),
        (0, 3, None, 15, 0, 0, i64::MAX, true),
        (1, 0, None, 15, 0, 0, i64::MAX, true),
        (0, 0, Some(1), 15, 0, 0, i64::MAX, true),
        // In shadow, and over: nothing of them is to be said.
        (1, 0, None, 15, 0, 0, i64::MAX, false),
        (1, 0, None, 15, 0, 0, MARCH, true),
    ];
    let made = export(Form::Aws, &set(&drawn, &accounts, &services, &regions), MARCH).unwrap();
    let named: Vec<(&str, &str)> =
        made.unreached.iter().map(|one| (one.restriction.as_str(), one.why.split(',').next().unwrap())).collect();
    assert_eq!(
        named,
        [
            ("c1/d1/1", "S3 tells taking out in bulk from reading by nothing"),
            ("c3/d1/1", "CloudFront answers the public"),
            ("c4/d1/1", "nothing that it switches off is known to be a request to AWS"),
            ("c5/d1/1", "nothing that it switches off is known to be a request to AWS"),
            ("c6/d1/1", "its account is no account of AWS's"),
            ("c7/d1/1", "its region is none of AWS's"),
        ]
    );
    assert_eq!(made.texts.keys().collect::<Vec<_>>(), ["111122223333-1.json"]);
    assert!(made.files["111122223333-1.json"].contains("c2/d1/1"));
    // As many hours as it takes until no account has room for them.
    let hours = |count: i64| -> Vec<Drawn> {
        (0..count).map(|hour| (0, 0, Some(0), 15, MARCH + 1 + hour, MARCH + 1 + hour, MARCH + 9_999, true)).collect()
    };
    let of = |count| export(Form::Aws, &set(&hours(count), &accounts, &services, &regions), MARCH);
    let some = of(12).unwrap();
    assert!(some.texts.len() > 1 && some.texts.len() <= 4, "{}", some.texts.len());
    assert!(some.texts.values().all(|text| text.chars().count() <= 5_120));
    let error = of(60).unwrap_err();
    assert!(matches!(error, ExportError::Quota { most: 4, .. }), "{error}");
}

// ---- Azure ---------------------------------------------------------------------------------------------------------

#[test]
fn azure_is_told_what_it_can_see_and_the_rest_is_said() {
    let accounts = ["/subscriptions/0b1f6471-1bf0-4dda-aec3-111122223333", "acme-1"];
    let services = ["object-storage", "speech", "cdn"];
    let regions = ["norwayeast"];
    let drawn = [
        (0, 0, Some(0), 7, MARCH + 60, MARCH + 120, MARCH + 3_600, true),
        (0, 1, None, 1, 0, 0, i64::MAX, true),
        (0, 2, None, 15, 0, 0, i64::MAX, true),
        (1, 0, None, 15, 0, 0, i64::MAX, true),
        (0, 0, None, 2, 0, 0, i64::MAX, true),
    ];
    let made = export(Form::Azure, &set(&drawn, &accounts, &services, &regions), MARCH).unwrap();
    let names: Vec<&str> = made.texts.keys().map(|name| name.rsplit_once('-').unwrap().1).collect();
    assert_eq!(names, ["1.json", "2.json", "3.json"]);
    let rules: Vec<Value> = made
        .texts
        .values()
        .map(|text| serde_json::from_str::<Value>(text).unwrap()["properties"]["policyRule"].clone())
        .collect();
    let clock = json!([
        {"value": "[utcNow()]", "greaterOrEquals": "2026-03-01T00:01:00Z"},
        {"value": "[utcNow()]", "less": "2026-03-01T01:00:00Z"},
    ]);
    let storage = json!({"field": "type", "in": ["Microsoft.Storage/storageAccounts", "Microsoft.Storage/storageAccounts/blobServices/containers"]});
    let place = json!({"field": "location", "equals": "norwayeast"});
    assert_eq!(rules[0]["if"], json!({"allOf": [storage, place, clock[0], clock[1]]}));
    assert_eq!(rules[0]["then"], json!({"effect": "deny"}));
    assert_eq!(rules[1]["then"]["details"]["actionNames"], json!(["delete"]));
    assert_eq!(rules[2]["if"]["allOf"][1], json!({"field": "kind", "in": ["SpeechServices"]}));
    let named: Vec<(&str, String)> =
        made.unreached.iter().map(|one| (one.restriction.as_str(), one.operations.join(" "))).collect();
    assert_eq!(
        named,
        [
            (
                "c1/d1/1",
                "storage.write storage.read storage.list storage.delete storage.ingress storage.egress".to_owned()
            ),
            ("c2/d1/1", "speech.transcription speech.speaker-id".to_owned()),
            ("c3/d1/1", String::new()),
            ("c4/d1/1", String::new()),
            ("c5/d1/1", "storage.read storage.list storage.egress".to_owned()),
        ]
    );
    read_back_by_azures_library(&made);
}

/// Azure's own library for Python takes each definition, knows every field, and writes the same again.
fn read_back_by_azures_library(made: &Export) {
    let Some(python) = tool("TRIBUNE_PYTHON") else { return };
    let script = "tests/it/definition.py";
    for text in made.texts.values() {
        let mut command = Command::new(&python);
        let mut child = command.arg(script).env_remove("PYTHONPATH").stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "{text}");
    }
}
