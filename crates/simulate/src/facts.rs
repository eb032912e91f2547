//! What the provider knows of an account by contract or by checking: `facts.csv`.
//!
//! Not all of it is right: a few declarations are wrong, a few are missing, some verifications lack a verifier or
//! have run out. It does not say what is true (`truth.csv` does).

use std::ops::Range;

use serde::Serialize;

use crate::draw::Draw;
use crate::scenario::{Kind, Order};
use crate::time::Date;
use crate::world::REGIONS;

/// What a customer says of a workload, and what the provider has verified of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claim {
    declared_use: String,
    declared_calls: Option<f64>,
    population: Option<f64>,
    /// From which day (counted from 1970) it is verified, and until when; `None` if never.
    verified: Option<Verified>,
    sector: Option<String>,
}

#[derive(Clone, Debug)]
struct Verified {
    word: &'static str,
    from: Option<i32>,
    until: i32,
    calls: f64,
    evidence: String,
    verifiers: [String; 2],
}

/// Everything about one account, before it becomes rows.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) unit: String,
    pub(crate) customer: String,
    pub(crate) payer: String,
    pub(crate) created: i32,
    pub(crate) sector: String,
    pub(crate) country: &'static str,
    pub(crate) home_region: u8,
    pub(crate) isolated: bool,
    pub(crate) dedicated_link: bool,
    pub(crate) claim: Claim,
}

/// One row of `facts.csv`; what is empty is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Known {
    pub(crate) account: String,
    pub(crate) unit: String,
    pub(crate) customer: String,
    pub(crate) payer: String,
    pub(crate) created_on: String,
    pub(crate) sector: String,
    pub(crate) declared_use: String,
    pub(crate) customer_country: String,
    pub(crate) home_regions: String,
    pub(crate) declared_calls_per_hour: String,
    pub(crate) population_served: String,
    pub(crate) verified_use: String,
    pub(crate) verified_calls_per_hour: String,
    pub(crate) verified_until: String,
    pub(crate) verified_evidence: String,
    pub(crate) verified_by_1: String,
    pub(crate) verified_by_2: String,
    pub(crate) isolated: String,
    pub(crate) dedicated_link: String,
    pub(crate) valid_from: String,
    pub(crate) known_from: String,
}

impl Claim {
    /// What is said of a forbidden workload: something lawful or nothing, and little of it.
    pub(crate) fn forbidden(draw: &mut Draw, order: Option<&Order>) -> Self {
        let said = draw.pick([
            "backup",
            "media_archive",
            "analytics",
            "research",
            "contact_centre",
            "government",
            "defence",
            "other",
            "",
        ]);
        let calls = draw.chance(0.4).then(|| draw.log_range(20.0, 2_000.0).round());
        Self {
            declared_use: order.and_then(|order| order.declared_use.clone()).unwrap_or_else(|| said.to_owned()),
            declared_calls: calls,
            sector: order.and_then(|order| order.sector.clone()),
            ..Self::default()
        }
    }

    /// What is said of a lawful one, mostly the truth, and what of that was verified.
    pub(crate) fn lawful(
        kind: Kind,
        calls: f64,
        busy: f64,
        period: &Range<i32>,
        draw: &mut Draw,
        order: Option<&Order>,
    ) -> Self {
        let peak = calls * busy;
        let understated = draw.chance(0.05);
        let stated = peak * if understated { draw.range(0.1, 0.5) } else { draw.range(1.0, 1.7) };
        let declared_calls = (calls > 0.0 && draw.chance(0.7)).then_some(stated.ceil());
        let served = peak * draw.log_range(30.0, 3_000.0);
        let population = (calls > 0.0 && draw.chance(0.5)).then_some(served.ceil());
        let right = draw.pick(words(kind));
        let wrong = draw.chance(0.03);
        let said = if wrong { draw.pick(["other", "web", "analytics", "backup", ""]) } else { right };
        let share = match kind {
            Kind::Web => 0.02,
            Kind::EmergencyCalls => 0.7,
            _ => 0.5,
        };
        let check = draw.chance(share);
        let wanted = order.and_then(|order| order.verified);
        let verified = wanted.unwrap_or(check).then(|| Verified::draw(right, peak, period, wanted.is_some(), draw));
        Self {
            declared_use: order.and_then(|order| order.declared_use.clone()).unwrap_or_else(|| said.to_owned()),
            declared_calls,
            population,
            verified,
            sector: order.and_then(|order| order.sector.clone()),
        }
    }

    /// The sector of a customer who is there for a kind.
    pub(crate) fn sector(kind: Kind, draw: &mut Draw) -> &'static str {
        if kind != Kind::Web && draw.chance(0.12) {
            return draw.pick(["government", "government", "defence", ""]);
        }
        match kind {
            Kind::EmergencyCalls => "public_safety",
            Kind::FinancialRecording => "finance",
            Kind::MedicalDictation => "health",
            Kind::Podcast | Kind::MediaArchive => "media",
            Kind::Voicemail => "telecom",
            Kind::LanguageLearning => "education",
            Kind::Dashcam => "transport",
            Kind::Ediscovery => "legal",
            _ if draw.chance(0.06) => "government",
            _ if draw.chance(0.02) => "defence",
            _ => draw.pick([
                "technology",
                "retail",
                "finance",
                "manufacturing",
                "media",
                "health",
                "energy",
                "telecom",
                "education",
                "",
            ]),
        }
    }
}

/// The words under which a kind is declared.
fn words(kind: Kind) -> [&'static str; 4] {
    match kind {
        Kind::ContactCentreVendor => ["contact_centre"; 4],
        Kind::EmergencyCalls => ["emergency_calls", "emergency_calls", "emergency_calls", "government"],
        Kind::MlTraining => ["ml_training", "ml_training", "ml_training", "research"],
        Kind::Web => ["web", "web", "analytics", "other"],
        _ => [kind.word(); 4],
    }
}

impl Verified {
    /// A verification; unless it must be good, one in ten lacks a verifier and one in ten has run out.
    fn draw(word: &'static str, peak: f64, period: &Range<i32>, good: bool, draw: &mut Draw) -> Self {
        let length = period.end - period.start;
        let limit = if draw.chance(0.08) { draw.range(0.3, 0.9) } else { draw.range(1.1, 2.0) };
        let mut verifiers = [draw.whole(1, 30), draw.whole(31, 60)].map(|number| format!("V-{number:02}"));
        let mut until = period.end + draw.whole(30, 700);
        if !good {
            match draw.unit() {
                one if one < 0.1 => verifiers = [verifiers.into_iter().next().unwrap_or_default(), String::new()],
                out if out < 0.2 => until = period.start + draw.whole(-90, length * 2 / 3),
                _ => {}
            }
        }
        let late = !good && draw.chance(0.25);
        Self {
            word,
            from: late.then(|| period.start + draw.whole(2, (length * 2 / 3).max(2))),
            until,
            calls: if good { 2.0 * peak } else { limit * peak }.ceil(),
            evidence: format!("EV-{:08x}", draw.bits() as u32),
            verifiers,
        }
    }
}

/// The rows of an account: none for a few, one for most, two where something became known later.
pub(crate) fn facts(state: State, period: &Range<i32>, draw: &mut Draw) -> Vec<Known> {
    if draw.chance(0.01) {
        return Vec::new();
    }
    let claim = &state.claim;
    let mut row = Known {
        unit: state.unit,
        customer: state.customer,
        payer: state.payer,
        created_on: date(state.created),
        sector: claim.sector.clone().unwrap_or(state.sector),
        declared_use: claim.declared_use.clone(),
        customer_country: state.country.to_owned(),
        home_regions: regions(state.home_region, draw),
        declared_calls_per_hour: number(claim.declared_calls),
        population_served: number(claim.population),
        isolated: state.isolated.to_string(),
        dedicated_link: state.dedicated_link.to_string(),
        valid_from: date(state.created),
        known_from: date(state.created),
        ..Known::default()
    };
    forget(&mut row, draw);
    let mut second = None;
    if let Some(verified) = &claim.verified {
        let mut checked = row.clone();
        verified.word.clone_into(&mut checked.verified_use);
        checked.verified_calls_per_hour =
            if verified.calls > 0.0 { number(Some(verified.calls)) } else { String::new() };
        checked.verified_until = date(verified.until);
        checked.verified_evidence.clone_from(&verified.evidence);
        let [one, two] = verified.verifiers.clone();
        (checked.verified_by_1, checked.verified_by_2) = (one, two);
        match verified.from {
            Some(from) if from > state.created => second = Some(later(checked, from, draw)),
            _ => row = checked,
        }
    } else if draw.chance(0.02) {
        let day = period.start + draw.whole(1, (period.end - period.start - 1).max(1));
        let declared_use = draw.pick(["analytics", "other", "web", "research"]).to_owned();
        second = (day > state.created).then(|| later(Known { declared_use, ..row.clone() }, day, draw));
    }
    std::iter::once(row).chain(second).collect()
}

/// The same account from a day on, known up to three days after.
fn later(mut row: Known, day: i32, draw: &mut Draw) -> Known {
    row.valid_from = date(day);
    row.known_from = date(day + draw.whole(0, 3));
    row
}

/// A few per cent of accounts have gaps.
fn forget(row: &mut Known, draw: &mut Draw) {
    for field in [
        &mut row.unit,
        &mut row.payer,
        &mut row.sector,
        &mut row.declared_use,
        &mut row.customer_country,
        &mut row.home_regions,
        &mut row.isolated,
        &mut row.dedicated_link,
    ] {
        if draw.chance(0.02) {
            field.clear();
        }
    }
}

/// The home region, and now and then a second one.
fn regions(home: u8, draw: &mut Draw) -> String {
    let other = (usize::from(home) + draw.whole(1, REGIONS.len() as i32 - 1) as usize) % REGIONS.len();
    let name = |index: usize| REGIONS.get(index).map_or("", |region| region.0);
    if draw.chance(0.2) { format!("{};{}", name(home.into()), name(other)) } else { name(home.into()).to_owned() }
}

fn date(days: i32) -> String {
    Date::from_days(days).to_string()
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| format!("{value:.0}"))
}
