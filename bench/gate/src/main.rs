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

/// Single checks, in nanoseconds, less what the clock takes.
struct Times {
    /// The median of those of accounts without any restriction, of those of the others, and of all.
    medians: [f64; 3],
    p99: f64,
}

/// A request was just read, so its bytes are in the cache; what it is held against is not.
fn times(peer: &mut Peer, world: &World) -> Times {
    let (mut clock, mut free, mut restricted) = (Vec::new(), Vec::new(), Vec::new());
    let start = now();
    for (place, question) in world.questions.iter().enumerate() {
        world.touch(place);
        let begun = now();
        clock.push(begun.elapsed().as_nanos() as f64);
        let begun = now();
        std::hint::black_box(peer.refuses(place));
        let took = begun.elapsed().as_nanos() as f64;
        if world.is_restricted(question) {
            restricted.push(took)
        } else {
            free.push(took)
        }
        if start.elapsed() > BUDGET {
            break;
        }
    }
    let clock = quantile(&mut clock, 0.5);
    let mut all = [free.as_slice(), restricted.as_slice()].concat();
    let p99 = quantile(&mut all, 0.99) - clock;
    Times { medians: [&mut free, &mut restricted, &mut all].map(|times| quantile(times, 0.5) - clock), p99 }
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
