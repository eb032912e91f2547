//! Writes a simulated provider: `provider OUT ACCOUNTS DAYS SEED [--daily]`.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let daily = arguments.iter().any(|argument| argument == "--daily");
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse().ok());
    let (Some(out), Some(accounts), Some(days), Some(seed)) = (arguments.first(), number(1), number(2), number(3))
    else {
        eprintln!("usage: provider OUT ACCOUNTS DAYS SEED [--daily]");
        return ExitCode::from(2);
    };
    let options = simulate::Options { accounts, days, seed: u64::from(seed), daily, ..simulate::Options::default() };
    match simulate::simulate(Path::new(out), &options, &|_, _| {}) {
        Ok(summary) => {
            println!("{summary:?}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
