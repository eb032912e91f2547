//! The house of a test: who reads, where the record lies, and chance that is the same in every run.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use clerk::envelope::{Envelope, Purpose, Sending};
use clerk::receipt::{Keys, Receipt};
use clerk::sealed::{Officer, Readers, SealError};
use review::report::{Channel, Report, ReportEvent};
use review::words::{Digest, Moment, PersonId, ReportId};
use store::{Identity, Message, Record};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The end of 2026-03-01.
pub(crate) const MIDNIGHT: Moment = Moment(1_772_323_200 + 86_400);

/// Runs to the end. One runtime for all: connections live on the one they were made on.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    static RUNTIME: LazyLock<Runtime> =
        LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());
    RUNTIME.block_on(future)
}

/// Randomness that is the same in every run: digests of a count.
pub(crate) fn chance(seed: &str) -> impl FnMut(&mut [u8]) + Send + use<> {
    let (seed, mut count) = (seed.to_owned(), 0_u64);
    move |bytes| {
        for chunk in bytes.chunks_mut(32) {
            count += 1;
            chunk.copy_from_slice(&Digest::of(format!("{seed} {count}")).0[..chunk.len()]);
        }
    }
}

pub(crate) fn people(names: &[&str]) -> BTreeSet<PersonId> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

/// A record on SQLite, gone with the test.
pub(crate) struct Place(pub(crate) TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn open(&self) -> Record {
        block_on(Record::open(&format!("sqlite:{}", self.0.path().join("record.db").display()))).unwrap()
    }
}

/// Everybody with a key.
pub(crate) struct House {
    pub(crate) ina: Identity,
    pub(crate) ivo: Identity,
    pub(crate) una: Identity,
    pub(crate) recovery: Identity,
    pub(crate) custodians: [Identity; 2],
}

impl House {
    pub(crate) fn new() -> Self {
        let [ina, ivo, una, recovery, a, b] = [(); 6].map(|()| Identity::generate());
        Self { ina, ivo, una, recovery, custodians: [a, b] }
    }

    pub(crate) fn readers(&self) -> Readers {
        let officer = |person: &str, team: &str, key: &Identity| Officer {
            person: person.parse().unwrap(),
            teams: people(&[team]),
            keys: vec![key.to_public()],
        };
        Readers {
            officers: vec![
                officer("ina", "trust", &self.ina),
                officer("ivo", "law", &self.ivo),
                officer("una", "law", &self.una),
            ],
            recovery: vec![self.recovery.to_public()],
            custodians: self.custodians.each_ref().map(|key| vec![key.to_public()]),
        }
    }

    /// An anonymous report that begins with this text.
    pub(crate) fn begins(&self, keys: &Keys, text: &str, keep_from: &[&str]) -> Envelope {
        let purpose = Purpose::Receive { channel: Channel::Anonymous, mailbox: keys.mailbox(), who: None };
        self.seal(&keys.report, purpose, keep_from, Sending { text, files: &[] }).unwrap()
    }

    pub(crate) fn seal(
        &self,
        report: &ReportId,
        purpose: Purpose<'_>,
        keep_from: &[&str],
        sending: Sending<'_>,
    ) -> Result<Envelope, SealError> {
        let mut random = chance(&format!("{report} {purpose:?} {}", sending.text.len()));
        Envelope::seal(report, purpose, &people(keep_from), sending, &self.readers(), &mut random)
    }
}

pub(crate) fn message(envelope: &Envelope) -> Message {
    envelope.message(&mut chance(&format!("{} {}", envelope.report, envelope.text))).unwrap()
}

/// The keys of a receipt, in earnest.
pub(crate) fn keys(seed: &str) -> Keys {
    Receipt::draw(&mut chance(seed)).keys().unwrap()
}

/// Keys that no receipt leads to, for where there are too many to work for each.
pub(crate) fn quick_keys(number: usize, opening: &Identity) -> Keys {
    let name = Digest::of(format!("report {number}")).0.map(|byte| format!("{byte:02x}")).concat();
    Keys { report: format!("r-{}", &name[..32]).parse().unwrap(), opening: opening.clone() }
}

pub(crate) fn stream(report: &ReportId) -> String {
    format!("report/{report}")
}

/// A report as its events tell it.
pub(crate) fn report(record: &Record, id: &ReportId) -> Report {
    let events = block_on(record.stream(&stream(id), 0)).unwrap();
    let parse = |event: &store::Event| serde_json::from_slice(&event.content.as_ref().unwrap().body).unwrap();
    let events: Vec<ReportEvent> = events.iter().map(parse).collect();
    let mut report = Report::received_by(&events[0]).unwrap();
    events[1..].iter().for_each(|event| report.apply(event));
    report
}

/// Drains what waits; says what was kept out.
pub(crate) fn drain(record: &Record, end: Moment) -> Vec<String> {
    let drained = block_on(clerk::intake::drain(record, end, &mut chance("lots"))).unwrap();
    block_on(record.drain(&drained.draining, &mut chance("salts"))).unwrap();
    drained.kept_out.iter().map(|kept| kept.why.to_string()).collect()
}
