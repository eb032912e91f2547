//! The gate beside its peers: the same restrictions, the same requests, the same answers, then the time of each; what
//! snapshots of 100,000 restrictions weigh; and a gate of its own under load. `bench/README.md` says what is compared and
//! what is not. Nothing here is a test of time.

mod load;
mod peers;
mod questions;
mod snapshots;

use peers::Peer;
use questions::World;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What stops a measurement; said on standard error as it is.
type Failure = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "usage: cargo run --release -p bench-gate [-- [load] [--quick]]";

/// How long one peer may take at one size, about.
const BUDGET: Duration = Duration::from_secs(4);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        [] => run(false),
        ["--quick"] => run(true),
        ["load"] => load::run(false),
        ["load", "--quick"] => load::run(true),
        // What `load` starts, and nobody else.
        ["gate", folder, snapshot] => load::gate(Path::new(folder), snapshot),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-gate: {error}");
            ExitCode::from(1)
        }
    }
}

fn run(quick: bool) -> Result<(), Failure> {
    println!(
        "| restrictions | who | median | of accounts without | of accounts with | p99 | ÷ the gate's median | answers compared |"
    );
    println!("|---:|---|---:|---:|---:|---:|---:|---:|");
    for count in if quick { &[10, 1_000][..] } else { &[10, 1_000, 100_000] } {
        let world = World::new(*count, if quick { 10_000 } else { 200_000 });
        let mut gate_median = None;
        for name in peers::NAMES {
            let mut peer = Peer::build(name, &world)?;
            let compared = compare(&mut peer, &world)?;
            let Times { medians: [free, restricted, median], p99 } = times(&mut peer, &world);
            let ratio = median / *gate_median.get_or_insert(median);
            let [median, free, restricted, p99] = [median, free, restricted, p99].map(shown);
            println!("| {count} | {name} | {median} | {free} | {restricted} | {p99} | {ratio:.1} | {compared} |");
        }
    }
    println!();
    snapshots::run(quick)
}

/// How many answers were the same; an error names the first that was not.
fn compare(peer: &mut Peer, world: &World) -> Result<usize, Failure> {
    let start = now();
    for (place, question) in world.questions.iter().enumerate() {
        if peer.refuses(place) != world.refuses(question) {
            return Err(format!("{} answers otherwise: {question:?}", peer.name).into());
        }
        if start.elapsed() > BUDGET {
            return Ok(place + 1);
        }
    }
    Ok(world.questions.len())
}

/// Checks, in nanoseconds.
struct Times {
    /// The median of those of accounts without any restriction, of those of the others, and of all: each the mean of a
    /// batch, since some clocks tell no finer than 10 ns.
    medians: [f64; 3],
    /// Of single checks, less what the clock takes.
    p99: f64,
}

/// How many checks are timed at once, of accounts of one kind.
const BATCH: usize = 64;

/// A check that takes longer, in nanoseconds, is timed alone: the clock is fine enough for it, and a batch would be so
/// long that others get the processor meanwhile.
const LONG: f64 = 10_000.0;

fn times(peer: &mut Peer, world: &World) -> Times {
    let (free, restricted) = (0..world.questions.len()).partition::<Vec<usize>, _>(|place| {
        world.questions.get(*place).is_some_and(|question| !world.is_restricted(question))
    });
    let mut singles = single(peer, world);
    let batch = if quantile(&mut singles, 0.5) > LONG { 1 } else { BATCH };
    let mut free = batches(peer, world, &free, batch);
    let mut restricted = batches(peer, world, &restricted, batch);
    let mut all = [free.as_slice(), restricted.as_slice()].concat();
    let medians = [&mut free, &mut restricted, &mut all].map(|times| quantile(times, 0.5));
    Times { medians, p99: quantile(&mut singles, 0.99) }
}

/// A request was just read, so its bytes are in the cache; what it is held against is not.
fn batches(peer: &mut Peer, world: &World, places: &[usize], batch: usize) -> Vec<f64> {
    let (start, mut took) = (now(), Vec::new());
    for batch in places.chunks(batch) {
        batch.iter().for_each(|place| world.touch(*place));
        let begun = now();
        for place in batch {
            std::hint::black_box(peer.refuses(std::hint::black_box(*place)));
        }
        took.push(begun.elapsed().as_nanos() as f64 / batch.len() as f64);
        if start.elapsed() > BUDGET / 2 {
            break;
        }
    }
    took
}

/// Single checks, less what the clock takes.
fn single(peer: &mut Peer, world: &World) -> Vec<f64> {
    let (start, mut clock, mut took) = (now(), Vec::new(), Vec::new());
    for place in 0..world.questions.len() {
        world.touch(place);
        let begun = now();
        clock.push(begun.elapsed().as_nanos() as f64);
        let begun = now();
        std::hint::black_box(peer.refuses(place));
        took.push(begun.elapsed().as_nanos() as f64);
        if start.elapsed() > BUDGET {
            break;
        }
    }
    let clock = quantile(&mut clock, 0.5);
    took.into_iter().map(|took| took - clock).collect()
}

fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = ((values.len() as f64 - 1.0) * share).round() as usize;
    values.get(place).copied().unwrap_or(f64::NAN)
}

fn shown(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 100.0 => format!("{ns:.1} ns"),
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.1} µs", ns / 1e3),
        ns => format!("{:.1} ms", ns / 1e6),
    }
}

#[expect(clippy::disallowed_methods, reason = "what takes how long is what this program is for")]
fn now() -> Instant {
    Instant::now()
}
