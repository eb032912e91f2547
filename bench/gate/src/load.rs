//! A gate of its own under load: how many questions it answers a second, and how soon, by each interface.
//!
//! The gate runs in a process apart, with the code of `tribune gate`, and follows the snapshots that this process hands
//! out. Each answer is held against the one that is expected, and a wrong one ends the run. Two ways of asking: *again at
//! once*, where each connection asks anew when it is answered, which shows the highest rate; and *at a rate*, where the time
//! of a question counts from when it was due, whether its connection was free or not, so that a gate that stalls is charged
//! with all who waited meanwhile.
//!
//! | module | what it is |
//! |---|---|
//! | `asked` | questions in the words of each interface, and reading the answers |
//! | `drive` | asking again at once, and at a rate |
//! | `apart` | the gate's process, and what processors did meanwhile |

mod apart;
mod asked;
mod drive;

pub(crate) use apart::gate;

use crate::{Failure, quantile, shown, snapshots};
use apart::{Apart, Busy};
use asked::{Interface, Link, Prepared};
use drive::Took;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How many targets each decision has.
const TARGETS: usize = 100;

/// How much is restricted, and for how long it is asked.
struct Size {
    restrictions: usize,
    /// At how many connections it is asked again at once.
    connections: &'static [usize],
    warm: Duration,
    during: Duration,
}

const QUICK: Size = Size {
    restrictions: 1_000,
    connections: &[4],
    warm: Duration::from_millis(50),
    during: Duration::from_millis(200),
};

const WHOLE: Size = Size {
    restrictions: 100_000,
    connections: &[1, 16, 64],
    warm: Duration::from_millis(500),
    during: Duration::from_secs(4),
};

/// Which parts of the highest rate it is asked at.
const PARTS: [f64; 2] = [0.5, 0.75];

/// By how many connections it is asked at a rate.
const CONNECTIONS_AT_A_RATE: usize = 64;

/// Prints a line for each way of asking, by each interface.
pub(crate) fn run(quick: bool) -> Result<(), Failure> {
    let size = if quick { QUICK } else { WHOLE };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let apart = Apart::start(snapshots::snapshot(size.restrictions / TARGETS, TARGETS)?)?;
    println!(
        "| asked by | how | connections | requests/s | questions/s | p50 | p99 | p99.9 | gate, cores | gate, µs a request | generator, cores | others, cores |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for interface in Interface::ALL {
        runtime.block_on(one(interface, &size, &apart))?;
    }
    apart.end()
}

async fn one(interface: Interface, size: &Size, apart: &Apart) -> Result<(), Failure> {
    let prepared = Arc::new(interface.prepared(apart.address, size.restrictions, TARGETS)?);
    let mut highest = 0.0_f64;
    for connections in size.connections {
        let links = links(interface, apart.address, *connections).await?;
        let (links, _) = drive::again(links, &prepared, size.warm).await?;
        let before = Busy::now(apart.process())?;
        let (_, took) = drive::again(links, &prepared, size.during).await?;
        let line = Line { interface, how: "again at once", connections: *connections, took };
        highest = highest.max(line.print(&prepared, Busy::now(apart.process())?.since(&before)));
    }
    for part in PARTS {
        let rate = (highest * part).max(1.0);
        let links = links(interface, apart.address, CONNECTIONS_AT_A_RATE).await?;
        let (links, _) = drive::at(links, &prepared, rate, size.warm).await?;
        let before = Busy::now(apart.process())?;
        let (_, took) = drive::at(links, &prepared, rate, size.during).await?;
        let how = format!("at {rate:.0} a second");
        let line = Line { interface, how: &how, connections: CONNECTIONS_AT_A_RATE, took };
        line.print(&prepared, Busy::now(apart.process())?.since(&before));
    }
    Ok(())
}

async fn links(interface: Interface, address: SocketAddr, count: usize) -> Result<Vec<Link>, Failure> {
    let mut links = Vec::new();
    for _ in 0..count {
        links.push(interface.link(address).await?);
    }
    Ok(links)
}

/// What came of one way of asking.
struct Line<'a> {
    interface: Interface,
    how: &'a str,
    connections: usize,
    took: Took,
}

impl Line<'_> {
    /// Prints it; how many requests a second it was.
    fn print(mut self, prepared: &[Prepared], busy: Busy) -> f64 {
        let (name, how, connections) = (self.interface.name(), self.how, self.connections);
        let rate = self.took.nanoseconds.len() as f64 / busy.seconds;
        let questions = rate * prepared.first().map_or(1, Prepared::questions) as f64;
        let each = busy.gate / self.took.nanoseconds.len() as f64 * 1e6;
        let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|part| shown(quantile(&mut self.took.nanoseconds, part)));
        let [gate, own, others] = [busy.gate, busy.own, busy.others].map(|cores| cores / busy.seconds);
        println!(
            "| {name} | {how} | {connections} | {rate:.0} | {questions:.0} | {p50} | {p99} | {p999} | {gate:.2} | {each:.1} | {own:.2} | {others:.2} |"
        );
        rate
    }
}
