//! How often may be guessed: some tries at once, then one every half minute. Nobody is locked out.
//!
//! Whoever tries from a browser that the account has signed in with before has tries of their own, so that somebody who
//! guesses elsewhere takes none of theirs. Tries are counted in memory, in a table of one size, for names that exist and
//! names that do not alike: a flood of names costs no memory, and what two names share says nothing of either. Each
//! replica counts for itself.

use crate::sign_in::held;
use review::words::Moment;
use std::sync::Mutex;

/// Tries at once.
const TRIES_MAX: i64 = 8;
/// A try comes back after so long.
const BACK_SECONDS: i64 = 30;
/// How many places the table has.
const PLACES: usize = 1 << 14;

/// How many tries are used up, by place.
pub(crate) struct Guesses {
    /// When the last of the tries that are used up will have come back.
    whole_again: Mutex<Vec<i64>>,
}

impl Guesses {
    pub(crate) fn new() -> Self {
        Self { whole_again: Mutex::new(vec![i64::MIN; PLACES]) }
    }

    /// Takes a try for somebody, told by a mark.
    ///
    /// # Errors
    /// None is left: how many seconds until one comes back.
    pub(crate) fn take(&self, mark: &[u8; 32], now: Moment) -> Result<(), i64> {
        let mut places = held(&self.whole_again);
        let Some(place) = places.get_mut(place(mark)) else { return Ok(()) };
        let used_until = (*place).max(now.0);
        let wait = used_until + BACK_SECONDS - (now.0 + TRIES_MAX * BACK_SECONDS);
        if wait > 0 {
            return Err(wait);
        }
        *place = used_until + BACK_SECONDS;
        Ok(())
    }

    /// Gives all tries back: it was no guess.
    pub(crate) fn forgive(&self, mark: &[u8; 32]) {
        if let Some(place) = held(&self.whole_again).get_mut(place(mark)) {
            *place = i64::MIN;
        }
    }
}

fn place(mark: &[u8; 32]) -> usize {
    let [first, second, ..] = *mark;
    (usize::from(first) << 8 | usize::from(second)) % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_run_out_come_back_by_time_and_concern_nobody_else() {
        let guesses = Guesses::new();
        let (ann, ben) = ([1; 32], [2; 32]);
        let at = |second: i64| Moment(1_000 + second);
        for _ in 0..TRIES_MAX {
            assert_eq!(guesses.take(&ann, at(0)), Ok(()));
        }
        assert_eq!(guesses.take(&ann, at(0)), Err(30));
        assert_eq!(guesses.take(&ann, at(20)), Err(10), "a try that is refused takes none");
        assert_eq!(guesses.take(&ben, at(0)), Ok(()));
        assert_eq!(guesses.take(&ann, at(30)), Ok(()));
        assert_eq!(guesses.take(&ann, at(30)), Err(30));
        guesses.forgive(&ann);
        assert_eq!(guesses.take(&ann, at(30)), Ok(()));
        let later = at(100_000);
        assert_eq!((0..20).filter(|_| guesses.take(&ben, later).is_ok()).count(), TRIES_MAX as usize);
    }
}
