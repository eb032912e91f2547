//! Is it alive, is it ready, and what did it count: for who runs a gate.
//!
//! Without a verified snapshot it is not ready, and says so to everybody who asks. The metrics are Prometheus's text
//! format; names that others choose are escaped, and bounded where they are counted.

use super::body::{PLAIN, answer};
use super::held::{Ended, Held, Interface, Names};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub(super) const NOT_READY: &str = "this gate has no verified snapshot yet: look at its log for why";

/// `GET /healthz`. Everybody may ask, so that it says which restriction passes and until when, and not who let it and why.
pub(super) async fn alive(State(held): State<Arc<Held>>) -> Response {
    let mut text = "alive\n".to_owned();
    for (what, until) in held.glass().broken((held.settings().clock)()) {
        let _ = writeln!(text, "glass broken: {what} passes until {}", gate::time::text(until));
    }
    answer(StatusCode::OK, PLAIN, text)
}

/// `GET /readyz`.
pub(super) async fn ready(State(held): State<Arc<Held>>) -> Response {
    let wide = held.too_wide().map_or_else(String::new, |too_wide| format!("not taken: {too_wide}\n"));
    match held.gate() {
        Some(gate) => answer(StatusCode::OK, PLAIN, format!("ready, by snapshot {}\n{wide}", gate.version())),
        None => answer(StatusCode::SERVICE_UNAVAILABLE, PLAIN, format!("{NOT_READY}\n{wide}")),
    }
}

pub(super) fn not_ready() -> Response {
    answer(StatusCode::SERVICE_UNAVAILABLE, PLAIN, format!("{NOT_READY}\n"))
}

/// `GET /metrics`.
pub(super) async fn metrics(State(held): State<Arc<Held>>) -> Response {
    answer(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text(&held))
}

fn text(held: &Held) -> String {
    let (counts, mut out) = (&held.counts, Text(String::new()));
    out.head("tribune_gate_checks_total", "counter", "Questions by who asked and how they ended.");
    for (interface, by) in Interface::ALL {
        for (ended, verdict) in Ended::ALL {
            let count = counts.of(interface, ended);
            out.line("tribune_gate_checks_total", &[("interface", by), ("verdict", verdict)], count);
        }
    }
    let names: [(&str, &str, &str, &Names); 3] = [
        (
            "tribune_gate_unmapped_total",
            "operation",
            "Questions about operations that nobody mapped; they passed.",
            &counts.unmapped,
        ),
        (
            "tribune_gate_services_unknown_total",
            "service",
            "Questions about services that are not known.",
            &counts.services,
        ),
        (
            "tribune_gate_regions_unknown_total",
            "region",
            "Questions about regions that the settings do not name.",
            &counts.regions,
        ),
    ];
    for (name, label, help, names) in names {
        out.names(name, label, help, names);
    }
    let load = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
    for (name, help, count) in [
        (
            "tribune_gate_regions_missing_total",
            "Restrictions of one region that did not match since no region was given.",
            load(&counts.regions_missing),
        ),
        (
            "tribune_gate_types_other_total",
            "AuthZEN questions of other types than an account and a service.",
            load(&counts.types_other),
        ),
        (
            "tribune_gate_accounts_missing_total",
            "Questions whose account nobody knows; they passed.",
            load(&counts.accounts_missing),
        ),
        (
            "tribune_gate_snapshots_refused_total",
            "Snapshots that were not believed, or restrict too many.",
            load(&counts.snapshots_refused),
        ),
        ("tribune_gate_fetches_failed_total", "Times the server could not be asked.", load(&counts.fetches_failed)),
    ] {
        out.head(name, "counter", help);
        out.line(name, &[], count);
    }
    held_now(held, &mut out);
    out.0
}

/// What is held, and how old it is.
fn held_now(held: &Held, out: &mut Text) {
    let gate = held.gate();
    let now = (held.settings().clock)();
    out.gauge("tribune_gate_ready", "Whether a verified snapshot is held.", i64::from(gate.is_some()));
    let help =
        "Whether the newest snapshot was not taken since it restricts more accounts than this gate may: alarm on this.";
    out.gauge("tribune_gate_too_wide", help, i64::from(held.too_wide().is_some()));
    let heard = held.counts.heard.load(Ordering::Relaxed);
    if heard != 0 {
        let help = "Seconds since the server last said which snapshot is newest: alarm on this.";
        out.gauge("tribune_gate_server_heard_age_seconds", help, now.saturating_sub(heard));
    }
    let broken = held.glass().broken(now);
    out.gauge(
        "tribune_gate_glass_broken",
        "How many locally let pass what is restricted: alarm on this.",
        broken.len(),
    );
    if !broken.is_empty() {
        let name = "tribune_gate_glass_broken_seconds_left";
        out.head(name, "gauge", "For how long each goes on.");
        for (what, until) in broken {
            out.line(name, &[("restriction", &what)], until.saturating_sub(now));
        }
    }
    let Some(gate) = gate else { return };
    let (version, set) = (gate.version(), gate.set());
    out.gauge(
        "tribune_gate_snapshot_age_seconds",
        "Seconds since the snapshot was made.",
        now.saturating_sub(gate.made()),
    );
    out.gauge("tribune_gate_snapshot_epoch", "Its epoch.", version.epoch);
    out.gauge("tribune_gate_snapshot_sequence", "Its place in the epoch.", version.sequence);
    out.gauge("tribune_gate_restrictions", "How many restrictions it holds.", set.len());
    out.gauge("tribune_gate_set_bytes", "How many bytes they take in memory.", set.bytes());
}

/// Prometheus's text format.
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a text cannot fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.0.push_str(name);
        for (number, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{}{label}=\"{text}\"", if number == 0 { "{" } else { "," });
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, "gauge", help);
        self.line(name, &[], value);
    }

    /// Each name, and all beyond the bound under none.
    fn names(&mut self, name: &str, label: &str, help: &str, names: &Names) {
        let (by_name, others) = names.read();
        self.head(name, "counter", help);
        for (text, count) in &by_name {
            self.line(name, &[(label, text)], count);
        }
        if others > 0 {
            self.line(name, &[(label, "")], others);
        }
    }
}
