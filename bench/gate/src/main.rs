//! The gate beside its peers: the same restrictions, the same requests, the same answers, then the time of each; and what
//! snapshots of 100,000 restrictions weigh. `bench/README.md` says what is compared and what is not. Nothing here is a
//! test of time.

mod peers;
mod questions;
mod snapshots;

use peers::Peer;
use questions::World;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What stops a measurement; said on standard error as it is.
type Failure = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "usage: cargo run --release -p bench-gate [-- --quick]";

/// How long one peer may take at one size, about.
const BUDGET: Duration = Duration::from_secs(4);
/// How many requests are measured together where one takes less than a clock can tell.
const TOGETHER: usize = 64;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let quick = match arguments.as_slice() {
        [] => false,
        [one] if one == "--quick" => true,
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(quick) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-gate: {error}");
            ExitCode::from(1)
        }
    }
}

fn run(quick: bool) -> Result<(), Failure> {
    println!("| restrictions | who | median | p99 | ÷ the gate's median | answers compared |");
    println!("|---:|---|---:|---:|---:|---:|");
    for count in if quick { &[10, 1_000][..] } else { &[10, 1_000, 100_000] } {
        let world = World::new(*count, if quick { 10_000 } else { 200_000 });
        let mut gate_median = None;
        for name in peers::NAMES {
            let mut peer = Peer::build(name, &world)?;
            let compared = compare(&mut peer, &world)?;
            let (median, p99) = times(&mut peer, &world);
            let gate_median = *gate_median.get_or_insert(median);
            let (median_text, p99_text) = (shown(median), shown(p99));
            let ratio = median / gate_median;
            println!("| {count} | {name} | {median_text} | {p99_text} | {ratio:.1} | {compared} |");
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

/// The median and the 99th percentile of one check, in nanoseconds: the median of the means of [`TOGETHER`] checks each, so
/// that the clock does not count; the percentile of single checks, clock and all. A request was just read, so its bytes
/// are in the cache; what it is held against is not.
fn times(peer: &mut Peer, world: &World) -> (f64, f64) {
    let count = world.questions.len();
    let (mut means, mut singles) = (Vec::new(), Vec::new());
    let start = now();
    for first in (0..count - TOGETHER).step_by(TOGETHER) {
        (first..first + TOGETHER).for_each(|place| world.touch(place));
        let begun = now();
        for place in first..first + TOGETHER {
            std::hint::black_box(peer.refuses(place));
        }
        means.push(begun.elapsed().as_nanos() as f64 / TOGETHER as f64);
        if start.elapsed() > BUDGET / 2 {
            break;
        }
    }
    let start = now();
    for place in 0..count {
        world.touch(place);
        let begun = now();
        std::hint::black_box(peer.refuses(place));
        singles.push(begun.elapsed().as_nanos() as f64);
        if start.elapsed() > BUDGET / 2 {
            break;
        }
    }
    (quantile(&mut means, 0.5), quantile(&mut singles, 0.99))
}

fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = ((values.len() as f64 - 1.0) * share).round() as usize;
    values.get(place).copied().unwrap_or(f64::NAN)
}

fn shown(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.1} µs", ns / 1e3),
        ns => format!("{:.1} ms", ns / 1e6),
    }
}

#[expect(clippy::disallowed_methods, reason = "what takes how long is what this program is for")]
fn now() -> Instant {
    Instant::now()
}
