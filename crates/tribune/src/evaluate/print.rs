//! The figures as tables for people.
//!
//! It computes nothing: every number was in the evaluation.

use super::Evaluation;
use super::figures::{Figures, Recall};
use super::intervals::{Goal, Quartiles, Rate, Share, Verdict};
use super::stability::{Change, Stability};
use crate::common::{Failure, clean, put, say_tally, thousands};
use comfy_table::{Table, TableComponent, presets};
use std::io::Write;

type Done = Result<(), Failure>;

/// Everything.
pub(super) fn table(out: &mut impl Write, evaluation: &Evaluation<'_>) -> Done {
    say_tally(out, evaluation.tally)?;
    let truth = &evaluation.truth;
    put(
        out,
        &format!(
            "policy {}; {} workloads, {} of them forbidden; intervals are of 95 %",
            clean(evaluation.policy),
            thousands(truth.workloads as u64),
            truth.forbidden
        ),
    )?;
    if truth.forbidden_without_usage > 0 {
        put(out, &format!("{} forbidden workloads have no usage and do not count", truth.forbidden_without_usage))?;
    }
    if truth.accounts_unknown > 0 {
        let unknown = thousands(truth.accounts_unknown as u64);
        put(out, &format!("{unknown} accounts are not in truth.csv and count as lawful"))?;
    }
    for figures in &evaluation.feeds {
        feed(out, figures)?;
    }
    stability(out, &evaluation.stability)
}

fn feed(out: &mut impl Write, figures: &Figures) -> Done {
    let records =
        if figures.records == "daily" { "the same provider with daily rows only" } else { "records as they are" };
    put(out, &format!("\n━━ {records} ━━"))?;
    put(
        out,
        &format!(
            "{} ticks, every {} h, over {:.1} days; {} customers, {} forbidden workloads, {} cases",
            thousands(figures.ticks as u64),
            figures.every_hours,
            figures.days,
            thousands(figures.customers as u64),
            figures.offenders,
            figures.cases
        ),
    )?;
    recall(out, &figures.recall)?;
    precision(out, figures)?;
    delays(out, figures)?;
    lone_rank(out, figures)?;
    false_reviews(out, figures)?;
    hiding(out, figures)?;
    rivals(out, figures)?;
    not_found(out, figures)
}

fn grid(out: &mut impl Write, title: &str, header: &[&str], rows: Vec<Vec<String>>) -> Done {
    put(out, &format!("\n{title}"))?;
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_style(TableComponent::HeaderLines, '─');
    table.set_style(TableComponent::MiddleHeaderIntersections, '─');
    table.set_header(header);
    table.add_rows(rows);
    put(out, &table.to_string())
}

fn recall(out: &mut impl Write, rows: &[Recall]) -> Done {
    // JSON has every group in every time; here, those with a goal and the rest of those with anybody in them.
    let shown = |row: &&Recall| row.found.goal.is_some() || row.within_days.is_none() && row.found.n > 0;
    let rows = rows.iter().filter(shown);
    let rows = rows.map(|row| {
        let within = row.within_days.map_or("any time".into(), |days| format!("{days} days"));
        let held = row.accounts_held.map(percent).unwrap_or_default();
        let [counted, share, interval] = parts(&row.found);
        vec![clean(&row.group), within, counted, share, interval, held, goal(row.found.goal, "offenders", "≥")]
    });
    let header = ["found by a case", "within", "found", "share", "interval", "accounts held", "goal"];
    grid(out, "Recall", &header, rows.collect())
}

fn precision(out: &mut impl Write, figures: &Figures) -> Done {
    let of = &figures.precision;
    let row = |what: &str, share: &Share, more: String| {
        let [counted, part, interval] = parts(share);
        vec![what.to_owned(), counted, part, interval, more]
    };
    let per = &figures.cases_per_workload;
    let mean = per.mean.map_or("–".into(), |mean| format!("mean {mean:.2}, most {}; goal 1.00", per.most));
    let rows = vec![
        row(
            "first 20 of the last ranking",
            &of.top_20,
            format!("{} workloads of {} possible", of.top_20_workloads, of.top_20_possible),
        ),
        row("cases opened", &of.cases, String::new()),
        row("accounts in cases", &of.accounts, String::new()),
        row("workloads found that are one case", &per.one, mean),
    ];
    grid(out, "Precision", &["of", "right", "share", "interval", ""], rows)
}

fn delays(out: &mut impl Write, figures: &Figures) -> Done {
    let rows = figures.delays.iter().filter(|row| row.hours_from_start.n > 0 || row.goal_hours.is_some()).map(|row| {
        let verdict = row.verdict.map(|verdict| told(verdict, "")).unwrap_or_default();
        let goal = row.goal_hours.map(|hours| format!("median ≤ {hours} after data: {verdict}")).unwrap_or_default();
        let never = format!("{} of {}", row.hours_from_start.never, row.hours_from_start.n);
        vec![clean(&row.group), quartiles(&row.hours_from_start), quartiles(&row.hours_after_data), never, goal]
    });
    let header = ["hours to a case", "from its start", "after data arrives", "never", "goal"];
    grid(out, "Delay: median (quartiles)", &header, rows.collect())
}

fn lone_rank(out: &mut impl Write, figures: &Figures) -> Done {
    let rows = figures.lone_rank.iter().filter(|row| row.rank.n > 0).map(|row| {
        let [counted, share, interval] = parts(&row.among_20);
        vec![clean(&row.group), quartiles(&row.rank), counted, share, interval]
    });
    let header = ["rank among the lawful", "median (quartiles)", "among 20", "share", "interval"];
    grid(out, "A lone offender, at its best midnight", &header, rows.collect())
}

fn false_reviews(out: &mut impl Write, figures: &Figures) -> Done {
    let of = &figures.false_reviews;
    let line = |kind: &str, customers: u64, rate: &Rate, ratio: Option<f64>, goal: String| {
        let interval = rate.low.zip(rate.high).map_or("–".into(), |(low, high)| format!("{low:.1}–{high:.1}"));
        let ratio = ratio.map(|ratio| format!("{ratio:.1} ×")).unwrap_or_default();
        let each = rate.rate.map_or("–".into(), |rate| format!("{rate:.1}"));
        vec![clean(kind), thousands(customers), rate.events.to_string(), each, interval, ratio, goal]
    };
    let worst = format!("≤ {} × the mean: {}", of.worst_goal_ratio, told(of.worst, ""));
    let all = goal(of.all.goal, "months of 10,000 customers", "≤");
    let mut rows = vec![line("all", figures.customers as u64, &of.all, None, all)];
    rows.extend(of.kinds.iter().enumerate().map(|(place, kind)| {
        let goal = if place == 0 { worst.clone() } else { String::new() };
        line(&kind.kind, kind.customers, &kind.rate, kind.ratio, goal)
    }));
    let header = ["kind", "customers", "reviews", "rate", "interval", "to the mean", "goal"];
    grid(out, "False reviews, per 10,000 customers (of the kind) and 30 days", &header, rows)
}

fn hiding(out: &mut impl Write, figures: &Figures) -> Done {
    let rows = figures.hiding.iter().map(|row| {
        let share = |of: &Share| {
            let [counted, share, interval] = parts(of);
            format!("{share} ({counted}; {interval})")
        };
        let score = row.score_db.map_or("–".into(), |db| format!("{db:+.1}"));
        vec![clean(&row.way), share(&row.with), share(&row.without), score]
    });
    let header = ["way of hiding", "found with it", "without it, same scale", "score, dB"];
    grid(out, "What hiding costs the watch", &header, rows.collect())
}

fn rivals(out: &mut impl Write, figures: &Figures) -> Done {
    let rows = figures.rivals.iter().map(|rival| {
        let [counted, share, interval] = parts(&rival.recall);
        let [right, ..] = parts(&rival.top_20);
        let precision = rival.average_precision.map_or("–".into(), |value| format!("{value:.3}"));
        vec![rival.ranking.to_owned(), counted, share, interval, right, precision]
    });
    let title = format!("Rivals at the end of the records, {} reviews each", figures.cases);
    let header = ["ranking", "found", "share", "interval", "right of 20", "average precision"];
    grid(out, &title, &header, rows.collect())
}

fn not_found(out: &mut impl Write, figures: &Figures) -> Done {
    if figures.not_found.is_empty() {
        return Ok(());
    }
    let rows = figures.not_found.iter().take(30).map(|one| {
        vec![
            clean(&one.workload),
            one.calls_per_hour.map_or("–".into(), |calls| thousands(calls.max(0) as u64)),
            one.accounts.to_string(),
            clean(&one.evasions.join(", ")),
            one.score_db.map_or("–".into(), |db| format!("{db:.1}")),
            one.rank.map_or("–".into(), |rank| rank.to_string()),
            clean(&one.cause),
        ]
    });
    let header = ["workload", "calls/h", "accounts", "hides by", "score", "rank", "why not"];
    grid(out, "Forbidden workloads that no case holds", &header, rows.collect())?;
    match figures.not_found.len() {
        0..=30 => Ok(()),
        all => put(out, &format!("and {} more; --format json lists them", all - 30)),
    }
}

fn stability(out: &mut impl Write, of: &Stability) -> Done {
    let row = |what: &str, change: &Change, goal: String| {
        let db = |value: Option<f64>| value.map_or("–".into(), |db| format!("{db:.2}"));
        let beyond = format!("{} of {}", thousands(change.beyond_goal), thousands(change.scores));
        vec![what.to_owned(), beyond, db(change.p99_db), db(change.max_db), goal]
    };
    let met = if of.goal_met { "met" } else { "missed" };
    let rows = vec![
        row("settled: all known, at the end", &of.settled, format!("≤ {} dB: {met}", of.goal_db)),
        row("on the way: accounts at midnights", &of.unsettled, String::new()),
        row("of these, within 10 dB of the floor or above", &of.unsettled_near_floor, String::new()),
    ];
    let header = ["scores", "changed by > 0.1 dB", "99 % within, dB", "largest, dB", "goal"];
    let title = format!(
        "━━ Change of score by late and restated rows ({} duplicates were taken out in reading) ━━",
        thousands(of.duplicates)
    );
    grid(out, &title, &header, rows)?;
    match of.settled_in_one_only {
        0 => Ok(()),
        some => put(out, &format!("{some} groups of accounts are linked with the delays or without them only")),
    }
}

/// `k of n`, the share and its interval.
fn parts(share: &Share) -> [String; 3] {
    let interval = share.low.zip(share.high).map(|(low, high)| format!("{}–{}", percent(low), percent(high)));
    let each = share.share.map_or("–".into(), percent);
    [format!("{} of {}", share.k, share.n), each, interval.unwrap_or("–".into())]
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn quartiles(of: &Quartiles) -> String {
    let each = |value: Option<f64>| value.map_or("never".into(), |value| format!("{value:.0}"));
    if of.n == 0 { "–".into() } else { format!("{} ({}–{})", each(of.median), each(of.first), each(of.third)) }
}

fn goal(goal: Option<Goal>, unit: &str, sign: &str) -> String {
    let Some(goal) = goal else { return String::new() };
    let least = match goal.least_size {
        whole if whole.fract() == 0.0 => format!("{whole:.0}"),
        part => format!("{part:.2}"),
    };
    format!("{sign} {}: {}", goal.value, told(goal.verdict, &format!(": needs ≥ {least} {unit}")))
}

/// A verdict in words; `needs` says what size would do.
fn told(verdict: Verdict, needs: &str) -> String {
    match verdict {
        Verdict::Met => "met".into(),
        Verdict::Missed => "missed".into(),
        Verdict::Undecided => "undecided at this size".into(),
        Verdict::TooFew => format!("cannot be measured at this size{needs}"),
        Verdict::NothingToMeasure => "nothing to measure".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_size_cannot_show_is_printed_as_such() {
        let share = Share::new(11, 11).at_least(0.99);
        assert_eq!(
            goal(share.goal, "offenders", "≥"),
            "≥ 0.99: cannot be measured at this size: needs ≥ 381 offenders"
        );
        assert_eq!(parts(&share), ["11 of 11", "100.0 %", "74.1 %–100.0 %"]);
        assert_eq!(goal(Share::new(400, 400).at_least(0.99).goal, "", "≥"), "≥ 0.99: met");
        assert_eq!(parts(&Share::new(0, 0)), ["0 of 0", "–", "–"]);
        assert_eq!(quartiles(&Quartiles::of([Some(4.0), None, None])), "never (4–never)");
        let rate = Rate::new(0, 0.25).at_most(3.0);
        assert!(goal(rate.goal, "months", "≤").ends_with("needs ≥ 1.23 months"));
    }
}
