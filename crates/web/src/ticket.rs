//! Tickets: what a public form carries in the place of a session, so that it can be sent once and not at once.
//!
//! A ticket is chance, the time from which it is good, and a signature over both and what it is for. A used one is
//! remembered until it would be over anyway. What was answered to it is kept for a few minutes, because an answer may be
//! lost on its way: the same form sent again is carried out once and answered the same. It knows nobody: no address, no
//! browser, no cookie. The key is this process's own, so that after a restart a form is shown again with a new ticket.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use review::words::Moment;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

/// How long a form may be filled in.
const GOOD_SECONDS: i64 = 24 * 3_600;

/// How long an answer is kept for who sends the same form again.
const KEPT_SECONDS: i64 = 600;

/// Used tickets that are remembered. Where there are more, the oldest answers go first.
const USED_MAX: usize = 200_000;

/// Why a ticket is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketError {
    /// Not before these seconds are over.
    Early(u64),
    /// It is too old.
    Over,
    /// Not one of ours, or of another form.
    Strange,
}

/// A ticket that is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    chance: [u8; 16],
    over: Moment,
}

type Answer = Arc<OnceCell<Zeroizing<String>>>;

struct Used {
    over: Moment,
    /// Until when it is kept, and what was answered.
    answer: Option<(Moment, Answer)>,
}

/// The tickets of this process.
pub struct Tickets {
    key: Zeroizing<[u8; 32]>,
    used: Mutex<BTreeMap<[u8; 16], Used>>,
}

impl Tickets {
    /// With a key drawn by chance.
    pub fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self { key, used: Mutex::default() }
    }

    /// A ticket for a form, good from some seconds on.
    pub fn issue(&self, form: &str, chance: [u8; 16], now: Moment, wait: u64) -> String {
        let from = now.0.saturating_add(i64::try_from(wait).unwrap_or(i64::MAX));
        let body = [&chance[..], &from.to_be_bytes()].concat();
        let signature = self.mac(form, &body).map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default();
        text(&[body, signature].concat())
    }

    /// A ticket, read.
    ///
    /// # Errors
    /// It is not good, or not yet.
    pub fn read(&self, form: &str, ticket: &str, now: Moment) -> Result<Ticket, TicketError> {
        let bytes = bytes(ticket).ok_or(TicketError::Strange)?;
        let (body, signature) = bytes.split_at_checked(24).ok_or(TicketError::Strange)?;
        let mac = self.mac(form, body).ok_or(TicketError::Strange)?;
        mac.verify_slice(signature).map_err(|_| TicketError::Strange)?;
        let (chance, from) = body.split_first_chunk::<16>().ok_or(TicketError::Strange)?;
        let from = i64::from_be_bytes(from.try_into().map_err(|_| TicketError::Strange)?);
        if now.0 < from {
            return Err(TicketError::Early(from.abs_diff(now.0)));
        }
        let over = Moment(from.saturating_add(GOOD_SECONDS));
        if now > over { Err(TicketError::Over) } else { Ok(Ticket { chance: *chance, over }) }
    }

    /// Does what a form asks for, once for its ticket; whoever sends it again meanwhile waits, and is given the same
    /// answer. None if it was done, and its answer is kept no more.
    ///
    /// # Errors
    /// It failed; the ticket is good again.
    pub async fn once<E>(
        &self,
        ticket: Ticket,
        now: Moment,
        work: impl Future<Output = Result<Zeroizing<String>, E>>,
    ) -> Result<Option<Zeroizing<String>>, E> {
        let Some(answer) = self.answer(ticket, now) else { return Ok(None) };
        answer.get_or_try_init(|| work).await.map(|answer| Some(answer.clone()))
    }

    fn answer(&self, ticket: Ticket, now: Moment) -> Option<Answer> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, used| used.over >= now);
        let full = used.len() >= USED_MAX;
        for used in used.values_mut() {
            used.answer.take_if(|(until, answer)| answer.initialized() && (*until < now || full));
        }
        let fresh = || Used { over: ticket.over, answer: Some((Moment(now.0 + KEPT_SECONDS), Answer::default())) };
        used.entry(ticket.chance).or_insert_with(fresh).answer.as_ref().map(|(_, answer)| Arc::clone(answer))
    }

    fn mac(&self, form: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
        // A key of any length is taken.
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.key).ok()?;
        for part in [b"tribune ticket 1\n", form.as_bytes(), b"\n", body] {
            mac.update(part);
        }
        Some(mac)
    }
}

/// Bytes as a form's field has them.
pub(crate) fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A form's field as bytes.
pub(crate) fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() <= 128)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(1_772_323_200);

    fn tickets() -> Tickets {
        Tickets::new(Zeroizing::new([7; 32]))
    }

    #[test]
    fn a_ticket_is_good_for_its_form_from_then_until_a_day_later() {
        let tickets = tickets();
        let issued = tickets.issue("report", [1; 16], NOW, 3);
        let read = |form: &str, text: &str, at: i64| tickets.read(form, text, Moment(NOW.0 + at));
        assert_eq!(read("report", &issued, 0), Err(TicketError::Early(3)));
        assert!(read("report", &issued, 3).is_ok() && read("report", &issued, 3 + GOOD_SECONDS).is_ok());
        assert_eq!(read("report", &issued, 4 + GOOD_SECONDS), Err(TicketError::Over));
        assert_eq!(read("mailbox", &issued, 3), Err(TicketError::Strange));
        let other = Tickets::new(Zeroizing::new([8; 32])).read("report", &issued, Moment(NOW.0 + 3));
        assert_eq!(other, Err(TicketError::Strange));
        for place in 0..issued.len() {
            let mut forged = issued.clone().into_bytes();
            forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
            // The last digit holds bits that are no part of it, and those are not taken either.
            assert_eq!(read("report", std::str::from_utf8(&forged).unwrap(), 3), Err(TicketError::Strange), "{place}");
        }
        for strange in ["", "A", "===", &"A".repeat(100_000), "é"] {
            assert_eq!(read("report", strange, 3), Err(TicketError::Strange));
        }
    }

    #[tokio::test]
    async fn a_form_sent_twice_is_carried_out_once_and_answered_the_same() {
        let tickets = tickets();
        let ticket = tickets.read("report", &tickets.issue("report", [1; 16], NOW, 0), NOW).unwrap();
        let answer = |text: &str| Ok::<_, ()>(Zeroizing::new(text.to_owned()));
        // What failed is tried again.
        assert_eq!(tickets.once(ticket, NOW, async { Err(()) }).await, Err(()));
        let slow = tickets.once(ticket, NOW, async {
            tokio::task::yield_now().await;
            answer("first")
        });
        let (first, second) = tokio::join!(slow, tickets.once(ticket, NOW, async { answer("second") }));
        assert_eq!((first.unwrap().unwrap().as_str(), second.unwrap().unwrap().as_str()), ("first", "first"));
        let later = Moment(NOW.0 + KEPT_SECONDS);
        assert_eq!(tickets.once(ticket, later, async { answer("third") }).await.unwrap().unwrap().as_str(), "first");
        // Then it is forgotten, and still not carried out again.
        let forgotten = Moment(later.0 + 1);
        assert_eq!(tickets.once(ticket, forgotten, async { answer("fourth") }).await, Ok(None));
        assert_eq!(tickets.once(ticket, Moment(NOW.0 + GOOD_SECONDS), async { answer("fifth") }).await, Ok(None));
    }
}
