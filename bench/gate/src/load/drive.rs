//! Asking again at once, and asking at a rate. Times only; what is asked and what is right is `asked`'s.

use super::asked::{Link, Prepared};
use crate::{Failure, now};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

/// How long each request took.
#[derive(Default)]
pub(super) struct Took {
    pub(super) nanoseconds: Vec<f64>,
}

type Done = Result<(Link, Vec<f64>), Failure>;

/// Each connection asks anew when it is answered.
pub(super) async fn again(
    links: Vec<Link>,
    prepared: &Arc<Vec<Prepared>>,
    during: Duration,
) -> Result<(Vec<Link>, Took), Failure> {
    let (until, step) = (now() + during, links.len());
    let mut asking = JoinSet::new();
    for (first, link) in links.into_iter().enumerate() {
        asking.spawn(ask_again(link, Arc::clone(prepared), (first, step), until));
    }
    joined(asking).await
}

async fn ask_again(
    mut link: Link,
    prepared: Arc<Vec<Prepared>>,
    (first, step): (usize, usize),
    until: Instant,
) -> Done {
    let mut took = Vec::new();
    for one in prepared.iter().cycle().skip(first % prepared.len().max(1)).step_by(step) {
        let begun = now();
        if begun >= until {
            break;
        }
        link.ask(one).await?;
        took.push(begun.elapsed().as_nanos() as f64);
    }
    Ok((link, took))
}

/// So many are due a second, each on the next connection. A question's time begins when it is due.
pub(super) async fn at(
    links: Vec<Link>,
    prepared: &Arc<Vec<Prepared>>,
    rate: f64,
    during: Duration,
) -> Result<(Vec<Link>, Took), Failure> {
    let (mut asking, mut due) = (JoinSet::new(), Vec::new());
    for (first, link) in links.into_iter().enumerate() {
        let (send, receive) = unbounded_channel();
        asking.spawn(ask_when_due(link, Arc::clone(prepared), first, receive));
        due.push(send);
    }
    // A thread of its own: tokio's clock is no finer than a millisecond.
    let pace = std::thread::spawn(move || pace(&due, rate, during));
    let done = joined(asking).await;
    pace.join().map_err(|_| "whoever says when a question is due ended early")?;
    done
}

fn pace(connections: &[UnboundedSender<Instant>], rate: f64, during: Duration) {
    let (start, count) = (now(), (rate * during.as_secs_f64()) as u64);
    for (number, connection) in (0..count).zip(connections.iter().cycle()) {
        let due = start + Duration::from_secs_f64(number as f64 / rate);
        if let Some(left) = due.checked_duration_since(now()) {
            std::thread::sleep(left);
        }
        if connection.send(due).is_err() {
            return;
        }
    }
}

async fn ask_when_due(
    mut link: Link,
    prepared: Arc<Vec<Prepared>>,
    first: usize,
    mut due: UnboundedReceiver<Instant>,
) -> Done {
    let mut took = Vec::new();
    let mut questions = prepared.iter().cycle().skip(first % prepared.len().max(1));
    while let Some((due, one)) = due.recv().await.zip(questions.next()) {
        link.ask(one).await?;
        took.push(due.elapsed().as_nanos() as f64);
    }
    Ok((link, took))
}

async fn joined(mut asking: JoinSet<Done>) -> Result<(Vec<Link>, Took), Failure> {
    let (mut links, mut all) = (Vec::new(), Took::default());
    while let Some(done) = asking.join_next().await {
        let (link, took) = done??;
        links.push(link);
        all.nanoseconds.extend(took);
    }
    Ok((links, all))
}
