//! A portrait drawn: a piece of a page, for a case in the console, `tribune explain --html` and the demo.

use super::chart::{
    Axis, HEIGHT, HeatMap, Key, MAP, Node, PLOT, Shape, TOP, Table, TimeChart, Waterfall, around, band, bars, heat,
    line, slots, waterfall,
};
use super::{Around, Date, DayRow, Judged, Portrait};
use crate::plain::{bytes, clean_lines, count, thousands};
use askama::Template;
use review::{Decibans, Family};

const ZERO: Decibans = Decibans::ZERO;
/// More circles than this nobody can tell apart; the table has the rest.
const NODES: usize = 24;

/// When a case was opened.
#[derive(Clone, Debug)]
pub struct OpenedAt {
    /// The hour.
    pub at: String,
    /// Its score then.
    pub score: Decibans,
}

/// The drawing.
#[derive(Template)]
#[template(path = "portrait.html")]
pub struct Drawing {
    portrait: Portrait,
    opened: Option<OpenedAt>,
    records: Option<String>,
    heading: String,
    at: String,
    complete: String,
    measure: &'static str,
    usage: TimeChart,
    week: Option<HeatMap>,
    stored: TimeChart,
    written: TimeChart,
    audio: TimeChart,
    nodes: Vec<Node>,
    linked: String,
}

impl Drawing {
    /// Of a portrait; `records` is the digest of what it rests on.
    pub fn new(portrait: Portrait, opened: Option<OpenedAt>, records: Option<String>) -> Self {
        let days = Days::of(&portrait);
        let complete = portrait.policies.first().map_or(0.0, |judged| judged.finding.completeness);
        Self {
            heading: portrait.customer.clone(),
            at: portrait.at.for_people(),
            complete: format!("{:.1} %", complete * 100.0),
            measure: if portrait.by_calls { "calls" } else { "bytes in" },
            usage: days.usage(&portrait),
            week: portrait.hourly.then(|| week(&portrait)),
            stored: days.stored(),
            written: days.written(),
            audio: days.audio(),
            nodes: nodes(&portrait),
            linked: linked(&portrait),
            portrait,
            opened,
            records,
        }
    }

    /// As HTML, with the heading of a page of its own. What acts instead of being read becomes visible.
    ///
    /// # Errors
    /// The template failed, which is a defect.
    pub fn html(&self) -> Result<String, askama::Error> {
        Ok(clean_lines(&self.render()?).into_owned())
    }

    /// What a score means, in a sentence or two.
    fn meaning(&self, judged: &Judged) -> String {
        meaning(judged)
    }

    fn speaks_against(&self, judged: &Judged) -> bool {
        judged.strongest().iter().any(|line| line.evidence_db < ZERO)
    }

    /// The steps from the prior to the score.
    fn sums(&self, judged: &Judged) -> Waterfall {
        let finding = &judged.finding;
        let mut parts = vec![("prior", finding.prior_db)];
        parts.extend(Family::ALL.map(|family| (family.name(), finding.families.get(family))));
        parts.extend([("facts", finding.facts_db), ("score", finding.score_db)]);
        let parts: Vec<_> = parts.iter().map(|(name, part)| (*name, part.hundredths(), part.to_string())).collect();
        waterfall(&parts, (judged.floor_db.hundredths(), format!("floor {}", judged.floor_db)))
    }
}

/// What a score means, in a sentence or two.
pub fn meaning(judged: &Judged) -> String {
    let above = judged.above();
    let place = match (judged.place, judged.within) {
        (Some(1), _) => format!("It ranks first of {} workloads and lies", judged.workloads),
        (Some(place), _) => format!("It ranks {place} of {} workloads and lies", judged.workloads),
        (None, Some(place)) => {
            format!("It shares accounts with the workload that ranks {place} of {}; alone it lies", judged.workloads)
        }
        (None, None) => format!("It is none of the {} workloads that are ranked; it lies", judged.workloads),
    };
    let floor = judged.floor_db;
    let distance = Decibans::from_hundredths(above.hundredths().abs()).to_string();
    let distance = distance.trim_start_matches('+');
    match above.hundredths() {
        0.. if judged.finding.opens_case => {
            format!("{place} {distance} dB above the floor of {floor} dB: a case would be opened for people to review.")
        }
        0.. => format!("{place} {distance} dB above the floor of {floor} dB."),
        _ => format!("{place} {distance} dB below the floor of {floor} dB: no case would be opened."),
    }
}

/// A sentence with a capital and a full stop.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// What a family asks.
pub(crate) fn family_title(family: &Family) -> &'static str {
    match family {
        Family::Scale => "Scale: how much",
        Family::Form => "Form: what the traffic looks like",
        Family::Processing => "Processing: what is done with it",
        Family::Declared => "Declared: how it fits what the customer says",
        Family::Structure => "Structure: how it is laid out over accounts and time",
    }
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "–" } else { text }
}

fn or_unknown(value: &Option<i64>) -> String {
    let Some(value) = value else { return "unknown".to_owned() };
    let sign = if *value < 0 { "−" } else { "" };
    format!("{sign}{}", thousands(value.unsigned_abs()))
}

fn whole_number(value: &i64) -> String {
    count(*value as f64)
}

fn part_of(larger: &Around) -> String {
    let article =
        if larger.what.as_str() == "linked accounts" { "a set of linked accounts" } else { larger.what.as_str() };
    let article = if article.starts_with('a') { article.to_owned() } else { format!("a {article}") };
    format!("{article}, {} accounts together, with {} dB", larger.accounts, larger.score_db)
}

/// The days of a portrait, as charts need them.
struct Days {
    names: Vec<String>,
    dates: Vec<String>,
    rows: Vec<Option<DayRow>>,
}

impl Days {
    fn of(portrait: &Portrait) -> Self {
        let days = || (0..portrait.days.len()).map(|place| portrait.first_day.plus(place));
        Self {
            names: days().map(Date::short).collect(),
            dates: days().map(|day| day.to_string()).collect(),
            rows: portrait.days.clone(),
        }
    }

    fn values(&self, of: impl Fn(&DayRow) -> i64) -> Vec<Option<f64>> {
        self.rows.iter().map(|row| row.as_ref().map(|row| of(row) as f64)).collect()
    }

    /// The last complete day's value, to be told in words.
    fn last(&self, of: impl Fn(&DayRow) -> i64) -> Option<f64> {
        self.rows.iter().rev().flatten().find(|row| row.complete).map(|row| of(row) as f64)
    }

    fn table(&self, heads: &[&str], cell: impl Fn(&DayRow) -> Vec<String>) -> Table {
        let known = self.dates.iter().zip(&self.rows).filter_map(|(date, row)| Some((date, row.as_ref()?)));
        let rows = known.map(|(date, row)| {
            let date = if row.complete { date.clone() } else { format!("{date} (not complete)") };
            std::iter::once(date).chain(cell(row)).collect()
        });
        Table {
            head: std::iter::once("day (UTC)").chain(heads.iter().copied()).map(str::to_owned).collect(),
            rows: rows.collect(),
        }
    }

    fn usage(&self, portrait: &Portrait) -> TimeChart {
        let calls = portrait.by_calls;
        let own = self.values(|row| if calls { row.calls } else { row.bytes_in });
        let (told, name): (fn(f64) -> String, _) = if calls { (count, "calls") } else { (bytes, "bytes in") };
        let spread = |low: usize, high: usize| -> Vec<Option<(f64, f64)>> {
            let of = |row: &Option<DayRow>, place: usize| Some(*row.as_ref()?.peers?.get(place)? as f64);
            self.rows.iter().map(|row| of(row, low).zip(of(row, high))).collect()
        };
        let compared = self.rows.iter().flatten().any(|row| row.peers.is_some());
        let all = own.iter().flatten().copied().chain(spread(0, 4).into_iter().flatten().flat_map(|(a, b)| [a, b]));
        let axis = Axis::logarithmic(all.collect::<Vec<_>>().into_iter());
        let (settled, open) = self.split(&own);
        let middle: Vec<Option<f64>> = spread(2, 2).iter().map(|bound| bound.map(|(middle, _)| middle)).collect();
        let mut shapes = vec![
            Shape { class: "most", d: band(&axis, &spread(0, 4)) },
            Shape { class: "half", d: band(&axis, &spread(1, 3)) },
            Shape { class: "median", d: line(&axis, &middle) },
        ];
        shapes.push(Shape { class: "own", d: line(&axis, &settled) });
        shapes.push(Shape { class: "open", d: line(&axis, &open) });
        shapes.retain(|shape| !shape.d.is_empty());
        let mut keys = vec![Key { class: "own", text: "this entity".into() }];
        if open.iter().any(Option::is_some) {
            keys.push(Key { class: "open", text: "not complete yet".into() });
        }
        if compared {
            keys.extend([
                Key { class: "half", text: "half of the peers".into() },
                Key { class: "most", text: "nine in ten of them".into() },
                Key { class: "median", text: "their median".into() },
            ]);
        }
        let last = self.rows.iter().rev().flatten().find(|row| row.complete);
        let says = last.map_or_else(
            || "No complete day is known yet.".to_owned(),
            |row| {
                let own = if calls { row.calls } else { row.bytes_in };
                let peers = row.peers.map_or_else(
                    || "; there are too few peers to compare with".to_owned(),
                    |peers| {
                        let [.., high] = peers;
                        format!("; 19 in 20 peers stay below {}", told(high as f64))
                    },
                );
                format!("{} {name} on {}{peers}.", told(own as f64), row.day.short())
            },
        );
        TimeChart {
            id: "usage",
            title: "Usage over time".into(),
            unit: format!("{name} a day, logarithmic"),
            says,
            y: axis.labels(told),
            x: slots(&self.names),
            mark: None,
            shapes,
            keys,
            table: self.table(&[name, "peers’ 5 %", "25 %", "median", "75 %", "95 %"], |row| {
                let own = told(if calls { row.calls } else { row.bytes_in } as f64);
                let peers = (0..5).map(|place| row.peers.and_then(|peers| peers.get(place).map(|v| told(*v as f64))));
                std::iter::once(own).chain(peers.map(|peer| peer.unwrap_or_else(|| "–".into()))).collect()
            }),
        }
    }

    /// Values of complete days, and of those that are not, with the day before them so that the line goes on.
    fn split(&self, values: &[Option<f64>]) -> (Vec<Option<f64>>, Vec<Option<f64>>) {
        let complete: Vec<bool> = self.rows.iter().map(|row| row.as_ref().is_some_and(|row| row.complete)).collect();
        let at = |place: usize| complete.get(place).copied().unwrap_or(true);
        let mut settled = values.to_vec();
        let mut open = values.to_vec();
        for (place, (settled, open)) in settled.iter_mut().zip(&mut open).enumerate() {
            if !at(place) {
                *settled = None;
            }
            if at(place) && at(place + 1) {
                *open = None;
            }
        }
        (settled, open)
    }

    fn stored(&self) -> TimeChart {
        let values = self.values(|row| row.bytes_stored);
        let axis = Axis::linear(values.iter().flatten().copied());
        let ground: Vec<_> = values.iter().map(|value| value.map(|value| (0.0, value))).collect();
        let first = self.rows.iter().flatten().next().map(|row| row.bytes_stored as f64);
        let says = match (first, self.last(|row| row.bytes_stored)) {
            (_, None | Some(0.0)) => "Nothing is kept.".to_owned(),
            (Some(first), Some(last)) => format!("{} kept at last, {} at first.", bytes(last), bytes(first)),
            (None, Some(last)) => format!("{} kept.", bytes(last)),
        };
        TimeChart {
            id: "stored",
            title: "Stored".into(),
            unit: "bytes kept, the day’s mean".into(),
            says,
            y: axis.labels(bytes),
            x: slots(&self.names),
            mark: None,
            shapes: vec![
                Shape { class: "area", d: band(&axis, &ground) },
                Shape { class: "own", d: line(&axis, &values) },
            ],
            keys: vec![Key { class: "own", text: "kept".into() }],
            table: self.table(&["bytes kept"], |row| vec![bytes(row.bytes_stored as f64)]),
        }
    }

    fn written(&self) -> TimeChart {
        let (written, deleted) = (self.values(|row| row.objects_written), self.values(|row| row.objects_deleted));
        let axis = Axis::linear(written.iter().chain(&deleted).flatten().copied());
        let sum = |values: &[Option<f64>]| values.iter().flatten().sum::<f64>();
        let says = match (sum(&written), sum(&deleted)) {
            (0.0, _) => "Nothing was written.".to_owned(),
            (written, deleted) => format!(
                "{} objects written in all, {} deleted: {:.0} for every hundred written.",
                count(written),
                count(deleted),
                deleted / written * 100.0
            ),
        };
        TimeChart {
            id: "written",
            title: "Written and deleted".into(),
            unit: "objects a day".into(),
            says,
            y: axis.labels(count),
            x: slots(&self.names),
            mark: None,
            shapes: vec![
                Shape { class: "bars", d: bars(&axis, &written) },
                Shape { class: "implied", d: line(&axis, &deleted) },
            ],
            keys: vec![Key { class: "bars", text: "written".into() }, Key { class: "implied", text: "deleted".into() }],
            table: self.table(&["written", "deleted"], |row| {
                [row.objects_written, row.objects_deleted].map(|value| count(value as f64)).into()
            }),
        }
    }

    fn audio(&self) -> TimeChart {
        let hours = |seconds: i64| seconds as f64 / 3_600.0;
        let of = |of: fn(&DayRow) -> i64| -> Vec<Option<f64>> {
            self.rows.iter().map(|row| row.as_ref().map(|row| hours(of(row)))).collect()
        };
        let (implied, transcribed) = (of(|row| row.audio_seconds_implied), of(|row| row.audio_seconds_transcribed));
        let axis = Axis::linear(implied.iter().chain(&transcribed).flatten().copied());
        let sum = |values: &[Option<f64>]| values.iter().flatten().sum::<f64>();
        let says = match (sum(&implied), sum(&transcribed)) {
            (_, 0.0) => "No audio was transcribed by the provider’s own service.".to_owned(),
            (implied, transcribed) if implied > 0.0 && transcribed <= implied => {
                format!(
                    "{} hours were transcribed: {} of what the bytes would be as calls.",
                    count(transcribed),
                    share(transcribed / implied)
                )
            }
            (_, transcribed) => {
                format!("{} hours were transcribed: more than the bytes would be as calls.", count(transcribed))
            }
        };
        TimeChart {
            id: "audio",
            title: "Audio and transcribed".into(),
            unit: "hours of audio a day".into(),
            says,
            y: axis.labels(count),
            x: slots(&self.names),
            mark: None,
            shapes: vec![
                Shape { class: "bars second", d: bars(&axis, &transcribed) },
                Shape { class: "implied", d: line(&axis, &implied) },
            ],
            keys: vec![
                Key { class: "implied", text: "implied, if the bytes in were calls (1.9 MB for 2 minutes)".into() },
                Key { class: "bars second", text: "transcribed".into() },
            ],
            table: self.table(&["implied hours", "transcribed hours"], |row| {
                [row.audio_seconds_implied, row.audio_seconds_transcribed].map(|value| count(hours(value))).into()
            }),
        }
    }
}

/// A share in per cent, with a decimal where it is small.
fn share(part: f64) -> String {
    let percent = part * 100.0;
    if percent >= 10.0 { format!("{percent:.0} %") } else { format!("{percent:.1} %") }
}

fn week(portrait: &Portrait) -> HeatMap {
    let values: Vec<Option<f64>> = portrait.hours.iter().map(|value| value.map(|value| value as f64)).collect();
    let (told, unit): (fn(f64) -> String, _) = if portrait.by_calls { (count, "calls") } else { (bytes, "in") };
    let mean = |inside: &dyn Fn(usize) -> bool| {
        let part: Vec<f64> =
            values.iter().enumerate().filter(|(place, _)| inside(*place)).filter_map(|(_, value)| *value).collect();
        (!part.is_empty()).then(|| part.iter().sum::<f64>() / part.len() as f64)
    };
    let all = values.iter().enumerate().filter_map(|(place, value)| Some((place, (*value)?)));
    let busiest = all.max_by(|a, b| a.1.total_cmp(&b.1));
    let weekend = mean(&|place| place >= 120).zip(mean(&|place| place < 120)).filter(|(_, week)| *week > 0.0);
    let mut says = busiest.map_or_else(
        || "No hour is complete yet.".to_owned(),
        |(place, value)| {
            let day = super::chart::WEEK.get(place / 24).copied().unwrap_or_default();
            format!("Busiest on {day} at {:02}:00 UTC with {} {unit}.", place % 24, told(value))
        },
    );
    if let Some((weekend, week)) = weekend {
        says.push_str(&format!(
            " An hour of the weekend brings {} of an hour of the working week.",
            share(weekend / week)
        ));
    }
    heat(&values, says, told, unit)
}

fn nodes(portrait: &Portrait) -> Vec<Node> {
    let kept = portrait.policies.first().map(|judged| judged.finding.accounts.as_slice()).unwrap_or_default();
    let accounts = portrait.accounts.iter().take(NODES).map(|account| {
        let title = format!("{} of {}: {} %", account.account, account.customer, account.share);
        (account.share as f64 / 100.0, kept.contains(&account.account), title)
    });
    around(&accounts.collect::<Vec<_>>())
}

/// What links the accounts, in a sentence.
pub fn linked(portrait: &Portrait) -> String {
    let link = |name: &str| portrait.link(name);
    if portrait.accounts.len() < 2 {
        return match portrait.around.is_empty() {
            true => "One account; nothing in its usage links another to it.".to_owned(),
            false => "One account; the larger sets that hold it are named below.".to_owned(),
        };
    }
    if link("linked_accounts") == 0 {
        return format!("{} accounts; nothing but who holds them links them.", portrait.accounts.len());
    }
    let mut reasons = Vec::new();
    for (number, reason) in [
        (link("moving_together"), "move together hour by hour"),
        (link("alike"), "have a mix of meters like another’s"),
        (link("siblings"), "were created within 30 days of another with the same mix"),
    ] {
        if number > 0 {
            reasons.push(format!("{number} {reason}"));
        }
    }
    let hidden = portrait.accounts.len().saturating_sub(NODES);
    let more = if hidden > 0 {
        format!(" The map shows the {NODES} largest; the table has {hidden} more.")
    } else {
        String::new()
    };
    let customers = if link("customers") > 1 { format!(" of {} customers", link("customers")) } else { String::new() };
    format!("{} accounts{customers} are linked: {}.{more}", link("linked_accounts"), reasons.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::Explanation;
    use super::*;
    use review::{Families, Finding};

    const HOSTILE: &str = "<script>alert(1)</script>\"'&\u{202e}\u{1b}[31m";

    fn portrait() -> Portrait {
        let day = |place: i32| DayRow {
            day: Date(20_500 + place),
            complete: place < 9,
            calls: 1_000_000,
            bytes_in: 1_900_000_000_000,
            bytes_stored: 1_000_000_000_000 * i64::from(place),
            objects_written: 1_000_000,
            objects_deleted: 10,
            audio_seconds_implied: 120_000_000,
            audio_seconds_transcribed: 3_600,
            bytes_moved_out: None,
            peers: (place > 3).then_some([0, 10, 100, 1_000, 10_000]),
        };
        let finding = Finding {
            rank: 1,
            policy: HOSTILE.into(),
            customer: HOSTILE.into(),
            unit: HOSTILE.into(),
            accounts: vec![HOSTILE.into()],
            score_db: Decibans::from_tenths(-68),
            prior_db: Decibans::from_tenths(-500),
            facts_db: ZERO,
            completeness: 0.98,
            opens_case: true,
            families: Families::default(),
            facts: vec![HOSTILE.into()],
            signals: vec![],
        };
        let judged = Judged {
            title: HOSTILE.into(),
            version: HOSTILE.into(),
            digest: HOSTILE.into(),
            finding,
            floor_db: Decibans::from_tenths(-160),
            place: Some(1),
            within: None,
            workloads: 300,
            ledger: vec![],
            silent: vec![(HOSTILE.into(), HOSTILE.into())],
        };
        let column = |name: &str| super::super::Column {
            relation: "links".into(),
            name: name.into(),
            meaning: HOSTILE.into(),
            value: Some(2),
        };
        let account = super::super::AccountPart {
            account: HOSTILE.into(),
            customer: HOSTILE.into(),
            unit: HOSTILE.into(),
            calls_per_hour: 5,
            share: 50,
            created_on: String::new(),
            declared_use: HOSTILE.into(),
            regions: HOSTILE.into(),
        };
        Portrait {
            at: super::super::Hour(20_510 * 24),
            kind: "linked accounts".into(),
            customer: HOSTILE.into(),
            unit: HOSTILE.into(),
            policies: vec![judged],
            accounts: vec![account.clone(), account],
            around: vec![],
            peers: HOSTILE.into(),
            by_calls: true,
            days: (0..10).map(|place| Some(day(place))).collect(),
            first_day: Date(20_500),
            hours: vec![Some(5); 168],
            hourly: true,
            unseen: vec![HOSTILE.into()],
            columns: ["linked_accounts", "moving_together"].map(column).into(),
        }
    }

    #[test]
    fn hostile_names_reach_the_page_as_text_only() {
        let html = Drawing::new(portrait(), None, Some(HOSTILE.into())).html().unwrap();
        assert!(!html.contains("<script"), "markup");
        assert!(!html.contains(['\u{202e}', '\u{1b}']), "what acts");
        assert!(html.contains("alert(1)") && html.contains("\\u{202e}"));
        assert!(!html.contains(" style=") && !html.contains("onload"), "the policy of the site allows no such thing");
    }

    #[test]
    fn an_explanation_is_read_as_it_was_written_and_a_doctored_one_is_not() {
        let mut whole = portrait();
        whole.policies.iter_mut().for_each(|judged| judged.finding.score_db = judged.finding.prior_db);
        let records = super::super::Records { digest: "sha256:00".into() };
        let mut explanation = Explanation { schema: super::super::SCHEMA.into(), records, explanation: whole };
        let json = serde_json::to_vec(&explanation).unwrap();
        assert_eq!(Explanation::read(&json).unwrap(), explanation);
        let text = String::from_utf8(json).unwrap();
        for doctored in [
            text.replace("explanation/1", "explanation/2"),
            text.replace("\"score_db\":-50.0", "\"score_db\":-5.0"),
            text.replace("2026-02-16", "2026-02-30"),
            text[..text.len() - 1].to_owned(),
        ] {
            assert_ne!(doctored, text);
            assert!(Explanation::read(doctored.as_bytes()).is_err());
        }
        explanation.explanation.days.clear();
        assert!(Drawing::new(explanation.explanation, None, None).html().is_ok(), "nothing is known yet");
    }

    #[test]
    fn every_chart_says_itself_in_words_and_as_a_table() {
        let html = Drawing::new(portrait(), None, None).html().unwrap();
        let count = |what: &str| html.matches(what).count();
        assert_eq!(count("role=\"img\""), count("<desc"));
        assert_eq!(
            count("<svg class=\"plot"),
            count("<summary>The same as a table</summary>") + 1,
            "the ledger is one"
        );
        assert!(html.contains("1 million calls on 24 Feb; 19 in 20 peers stay below 10,000."));
    }

    #[test]
    fn a_score_is_told_with_its_place_and_the_floor() {
        let mut judged = portrait().policies.remove(0);
        assert_eq!(
            meaning(&judged),
            "It ranks first of 300 workloads and lies 9.2 dB above the floor of −16.0 dB: a case would be opened for people to review."
        );
        judged.finding.score_db = Decibans::from_tenths(-300);
        judged.place = None;
        judged.within = Some(4);
        assert_eq!(
            meaning(&judged),
            "It shares accounts with the workload that ranks 4 of 300; alone it lies 14.0 dB below the floor of −16.0 dB: no case would be opened."
        );
    }

    #[test]
    fn a_day_that_is_not_complete_goes_on_as_another_line() {
        let days = Days::of(&portrait());
        let (settled, open) = days.split(&days.values(|row| row.calls));
        assert_eq!(settled.iter().flatten().count(), 9);
        assert_eq!(open.iter().flatten().count(), 2, "with the day before it");
    }
}
