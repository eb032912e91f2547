//! Questions to the usage records from the console: asked for a purpose that is in the record first, answered to whoever
//! asked and to nobody else.

use crate::console::{Office, whole};
use crate::house::{Answer, House};
use crate::looked::policy;
use crate::signing::{Browser, set_roster};
use review::Decibans;
use review::roster::AccountTeam;
use review::words::CaseId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use web::explore::{Backtest, Numbers, Recent, Side, Tried, Usage};
use web::portrait::Explanation;

/// The account of the explanation that is kept beside the tests, and its customer.
pub(crate) const ACCOUNT: &str = "330149793421";
const CUSTOMER: &str = "C-3d6d5f76";

/// What was seen of cases of late.
pub(crate) type Recents = Arc<Mutex<BTreeMap<CaseId, Arc<Recent>>>>;

/// Usage of which one account is known, and of cases what a test says.
pub(crate) struct Known(pub(crate) Recents);

impl Usage for Known {
    fn explain(&self, entity: &str) -> Result<Explanation, String> {
        match entity.strip_prefix("account:") {
            Some(ACCOUNT) => Explanation::read(include_bytes!("explanation.json")).map_err(|why| why.to_string()),
            _ => Err(format!("there is no {entity} in these records; give the id as the records write it")),
        }
    }

    fn backtest(&self, policy: &str, numbers: &Numbers, days: u16) -> Result<Backtest, String> {
        let dropped = Tried {
            customer: "~h4mq2c7wpk3d".to_owned(),
            accounts: 2,
            opened_at: "2026-03-09T00:00:00Z".to_owned(),
            score_db: Decibans::from_tenths(-172),
        };
        Ok(Backtest {
            policy: policy.to_owned(),
            from: format!("{days} days before"),
            to: "2026-03-14T23:00:00Z".to_owned(),
            customers: 142,
            own: Side { floor_db: Decibans::from_tenths(-180), cases: 5, established: 1, cleared: 2 },
            other: Side { floor_db: numbers.floor_db, cases: 4, established: 1, cleared: 1 },
            both: 4,
            only_own: vec![dropped],
            only_other: Vec::new(),
        })
    }

    fn recent(&self, case: &CaseId) -> Option<Arc<Recent>> {
        self.0.lock().unwrap().get(case).cloned()
    }
}

/// Sends a form of exploration as it was shown, with these fields in place of what stands there.
async fn send(browser: &mut Browser<'_>, path: &str, fields: &[(&str, &str)]) -> Answer {
    let shown = browser.get(path).await;
    assert_eq!(shown.status, 200, "{}", shown.text());
    whole(&shown);
    let page = scraper::Html::parse_document(&shown.text());
    let drawn = scraper::Selector::parse("form.deed input").unwrap();
    let standing = page.select(&drawn).filter_map(|field| field.value().attr("name").zip(field.value().attr("value")));
    let standing: Vec<(&str, &str)> =
        standing.filter(|(name, _)| fields.iter().all(|(other, _)| other != name)).collect();
    browser.post(path, &[&standing[..], fields].concat()).await
}

/// The answer at an address, once it is worked out.
async fn answered(browser: &mut Browser<'_>, led: &Answer) -> Answer {
    assert_eq!(led.status, 303, "{}", led.text());
    for _ in 0..200 {
        let answer = browser.get(led.header("location")).await;
        whole(&answer);
        if answer.header("refresh").is_empty() {
            return answer;
        }
        assert!(answer.text().contains("It is being worked out."), "{}", answer.text());
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it is never worked out");
}

async fn office() -> Office {
    let house = House::over("https://tribune.example", None, vec![policy()], None).await;
    let office = Office::of(house, "Acme").await;
    let mut roster = office.house.clerk.roster().await.unwrap();
    let team = AccountTeam { members: BTreeSet::from(["ivy".parse().unwrap()]), ..AccountTeam::default() };
    roster.account_teams.insert(CUSTOMER.parse().unwrap(), team);
    set_roster(&office.house, "team", &["ben", "cleo"], &roster).await;
    office
}

#[tokio::test]
async fn a_workload_is_looked_at_for_a_purpose_and_shown_to_nobody_else() {
    let office = office().await;
    let mut ann = Browser::new(&office.house);
    ann.sign_in(&office.accounts["ann"]).await;
    let (path, asked) = ("/console/explore/workload", [("kind", "account"), ("id", ACCOUNT)]);
    let refused = send(&mut ann, path, &asked).await;
    assert!(refused.status == 422 && refused.text().contains(ACCOUNT), "what was typed stays");
    let looks = async || {
        let looks = office.house.clerk.looks("ada", office.house.now()).await.unwrap();
        let usage = looks.into_iter().filter(|look| look.what.starts_with("usage:"));
        usage.map(|look| format!("{} {} {}", look.by, look.what, look.purpose)).collect::<Vec<_>>()
    };
    assert!(looks().await.is_empty());
    let led = send(&mut ann, path, &[&asked[..], &[("purpose", "a report names it")]].concat()).await;
    let answer = answered(&mut ann, &led).await;
    assert!(answer.text().contains(CUSTOMER) && answer.text().contains("a report names it"), "{}", answer.text());
    assert_eq!(looks().await, [format!("ann usage: account:{ACCOUNT} a report names it")]);
    // Another's answer is nobody's; who is close to the customer gets none.
    let mut ivy = Browser::new(&office.house);
    ivy.sign_in(&office.accounts["ivy"]).await;
    assert_eq!(ivy.get(led.header("location")).await.status, 410);
    let led = send(&mut ivy, path, &[&asked[..], &[("purpose", "curious")]].concat()).await;
    let answer = answered(&mut ivy, &led).await;
    assert!(answer.text().contains("too close") && !answer.text().contains(CUSTOMER), "{}", answer.text());
    assert_eq!(looks().await.len(), 2, "that she looked is in the record");
    let hostile = [("kind", "unit"), ("id", "<script>\u{202e}/x"), ("purpose", "to try")];
    let led = send(&mut ann, path, &hostile).await;
    assert!(answered(&mut ann, &led).await.text().contains("in these records"));
    // An hour later it is gone.
    let led = send(&mut ann, path, &[&asked[..], &[("purpose", "again")]].concat()).await;
    answered(&mut ann, &led).await;
    office.house.pass(3_601);
    let later = ann.get(led.header("location")).await.status.as_u16();
    assert!([303, 410].contains(&later), "{later}");
}

#[tokio::test]
async fn other_numbers_are_tried_within_what_a_pack_may_say_and_nobody_is_named() {
    let office = office().await;
    let mut ann = Browser::new(&office.house);
    ann.sign_in(&office.accounts["ann"]).await;
    let path = "/console/explore/policy/mass-surveillance";
    let purpose = ("purpose", "fewer cases");
    let same = send(&mut ann, path, &[purpose]).await;
    assert!(same.status == 422 && same.text().contains("change at least one"), "{}", same.text());
    for (field, typed) in
        [("floor", "31"), ("floor", "x"), ("families", "6"), ("weight-calls-per-hour", "301"), ("days", "0")]
    {
        let wrong = send(&mut ann, path, &[(field, typed), purpose]).await;
        assert!(wrong.status == 422 && wrong.text().contains(&format!("{field}-fault")), "{field} {typed}");
    }
    let tried = [("floor", "−12.5"), ("weight-calls-per-hour", "0"), purpose];
    let led = send(&mut ann, path, &tried).await;
    let text = answered(&mut ann, &led).await.text();
    for said in
        ["4 cases with these numbers, 5 cases", "−12.5 dB", "calls-per-hour", "0 %", "~h4mq2c7wpk3d", "142 customers"]
    {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains("weight-") && !text.contains("families that must speak"), "only what was changed");
    assert_eq!(ann.get("/console/explore/policy/another").await.status, 404);
}
