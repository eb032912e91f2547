//! The month that everything here is measured on: FOCUS files of Example Cloud, the same bytes on every machine.
//!
//! Accounts, meters, hours and quantities are hashes of their numbers, so that any row can be made again and no row
//! need be kept. It is no provider one could learn from: workloads worth looking at come from `simulate`.

use crate::Failure;
use arrow::array::{
    ArrayRef, DictionaryArray, Float64Array, Int32Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Int32Type;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use usage::{Day, Hour, Measure};

/// Written into a finished folder; another text there means that it is made anew.
const EDITION: &str = "bench month 1\n";
/// How many accounts are active in an outage, in thousandths; under half, so that the hours are not complete.
const OUTAGE_PERMILLE: u64 = 300;
/// How many hourly files follow the month.
pub(crate) const TICKS: i32 = 7;
/// Rows in a row group, a multiple of what DuckDB reads at once.
const GROUP_ROWS: usize = 122_880;
/// Rows that are made at a time.
const BATCH_ROWS: usize = 1 << 14;
/// Meters of one account.
const METERS_EACH: usize = 6;

const REGIONS: [&str; 8] = ["north-1", "north-2", "south-1", "south-2", "east-1", "east-2", "west-1", "west-2"];

/// Category, service, SKU, unit, factor to the measure's unit, measure.
type Meter = (&'static str, &'static str, &'static str, &'static str, f64, Measure);

/// The table of the contract, but for the hours of the provider's own people, which nobody meters by the hour.
const METERS: [Meter; 24] = {
    use Measure as M;
    const AI: &str = "AI and Machine Learning";
    [
        ("Storage", "Object Storage", "storage.write", "Requests", 1.0, M::ObjectsWritten),
        ("Storage", "Object Storage", "storage.ingress", "GB", 1e9, M::BytesIn),
        (AI, "Speech", "speech.transcription", "Seconds", 1.0, M::AudioSecondsTranscribed),
        ("Storage", "Object Storage", "storage.read", "Requests", 1.0, M::ObjectsRead),
        ("Storage", "Object Storage", "storage.delete", "Requests", 1.0, M::ObjectsDeleted),
        ("Storage", "Object Storage", "storage.egress", "GB", 1e9, M::BytesOut),
        ("Storage", "Object Storage", "storage.export", "GB", 1e9, M::BytesExported),
        ("Storage", "Object Storage", "storage.capacity", "GB-Hours", 1e9, M::ByteHoursStored),
        (AI, "Speech", "speech.speaker-id", "Requests", 1.0, M::SpeakersIdentified),
        (AI, "Language", "language.translation", "Characters", 1.0, M::CharactersTranslated),
        (AI, "Language", "language.tokens", "Tokens", 1.0, M::TokensProcessed),
        (AI, "Language", "language.embedding", "Tokens", 1.0, M::TokensEmbedded),
        (AI, "Vision", "vision.images", "Images", 1.0, M::ImagesAnalysed),
        (AI, "Vision", "vision.face-id", "Requests", 1.0, M::FacesIdentified),
        (AI, "Search", "search.documents", "Documents", 1.0, M::DocumentsIndexed),
        ("Compute", "Virtual Machines", "compute.vcpu", "Hours", 1.0, M::VcpuHours),
        ("Compute", "Virtual Machines", "compute.gpu", "Hours", 1.0, M::GpuHours),
        ("Networking", "Private Link", "network.private-link", "GB", 1e9, M::BytesPrivateLink),
        ("Networking", "CDN", "cdn.egress", "GB", 1e9, M::BytesCdn),
        ("Integration", "Communications", "telephony.minutes", "Minutes", 1.0, M::TelephonyMinutes),
        ("Integration", "Communications", "messaging.requests", "Requests", 1.0, M::MessagesSent),
        ("Databases", "Database", "database.requests", "Requests", 1.0, M::DatabaseRequests),
        ("Internet of Things", "IoT Hub", "iot.messages", "Requests", 1.0, M::IotMessages),
        ("Management and Governance", "Logs", "logs.ingest", "GB", 1e9, M::BytesLogged),
    ]
};

/// How much is made, and where it lies.
#[derive(Clone, Debug)]
pub(crate) struct Month {
    pub(crate) accounts: u64,
    pub(crate) days: i32,
    pub(crate) folder: PathBuf,
}

/// One charge; what its row says follows from these.
#[derive(Clone, Copy)]
struct Charge {
    account: u64,
    meter: usize,
    hour: i32,
    /// Some meters charge twice in an hour, with different quantities.
    part: u64,
}

impl Month {
    /// About so many rows a day come from an account.
    pub(crate) const ROWS_PER_ACCOUNT_DAY: f64 = METERS_EACH as f64 * 24.0 * 0.6;

    pub(crate) fn new(dir: &Path, accounts: u64, days: i32) -> Self {
        Self { accounts, days, folder: dir.join(format!("{accounts}x{days}")) }
    }

    /// The folder of FOCUS files and `facts.csv`.
    pub(crate) fn records(&self) -> PathBuf {
        self.folder.join("records")
    }

    /// The hour at which the month is over and all of it known.
    pub(crate) fn end(&self) -> Hour {
        first_day().plus(self.days).start()
    }

    /// The file of the hour that begins `tick` hours after the month.
    pub(crate) fn tick_file(&self, tick: i32) -> PathBuf {
        self.folder.join(format!("ticks/usage-{tick:02}.parquet"))
    }

    /// Writes what is not there yet, two days at a time.
    pub(crate) fn generate(&self) -> Result<(), Failure> {
        let done = self.folder.join("_complete");
        if std::fs::read_to_string(&done).is_ok_and(|text| text == EDITION) {
            return Ok(());
        }
        eprintln!("making {} accounts × {} days in {}", self.accounts, self.days, self.folder.display());
        std::fs::create_dir_all(self.records())?;
        std::fs::create_dir_all(self.folder.join("ticks"))?;
        std::fs::write(self.folder.join("meters.csv"), meters_csv())?;
        self.facts()?;
        let texts = Texts::new(self.accounts);
        let next = AtomicUsize::new(0);
        let work = || -> Result<(), Failure> {
            loop {
                let day = next.fetch_add(1, Ordering::Relaxed) as i32;
                if day >= self.days + TICKS {
                    return Ok(());
                }
                self.file(&texts, day)?;
            }
        };
        std::thread::scope(|scope| {
            let other = scope.spawn(work);
            let own = work();
            other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).and(own)
        })?;
        std::fs::write(done, EDITION)?;
        Ok(())
    }

    /// The file of a day of the month or, counted on from there, of an hour after it.
    fn file(&self, texts: &Texts, place: i32) -> Result<(), Failure> {
        let tick = place - self.days;
        if tick >= 0 {
            let hour = self.end().0 + tick;
            let late = if tick > 0 { hour - 1..hour } else { 0..0 };
            return self.write(texts, &self.tick_file(tick), hour..hour + 1, late, false);
        }
        let day = first_day().plus(place);
        let hours = day.start().0..day.start().0 + 24;
        let late = if place > 0 { hours.start - 24..hours.start } else { 0..0 };
        let path = self.records().join(format!("usage-{day}.parquet"));
        self.write(texts, &path, hours, late, place + 1 == self.days)
    }

    /// Rows of some hours; then those of them that come twice, in this file or, late, in the next.
    fn write(
        &self,
        texts: &Texts,
        path: &Path,
        hours: std::ops::Range<i32>,
        late: std::ops::Range<i32>,
        last: bool,
    ) -> Result<(), Failure> {
        let rows = hours.clone().flat_map(|hour| self.charges(hour));
        let again = hours.flat_map(|hour| self.charges(hour)).filter(|charge| match charge.copies() {
            Copies::One => false,
            Copies::SameFile => true,
            Copies::NextFile => last,
        });
        let late = late.flat_map(|hour| self.charges(hour)).filter(|charge| charge.copies() == Copies::NextFile);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_column_dictionary_enabled("ConsumedQuantity".into(), false)
            .set_column_dictionary_enabled("PricingQuantity".into(), false)
            .build();
        let mut writer = ArrowWriter::try_new(File::create(path)?, texts.batch(&[])?.schema(), Some(properties))?;
        let mut batch = Vec::with_capacity(BATCH_ROWS);
        for charge in rows.chain(again).chain(late) {
            batch.push(charge);
            if batch.len() == BATCH_ROWS {
                writer.write(&texts.batch(&batch)?)?;
                batch.clear();
            }
        }
        writer.write(&texts.batch(&batch)?)?;
        writer.close()?;
        Ok(())
    }

    /// The charges of an hour, in the order of accounts, as a metering pipeline hands them on.
    fn charges(&self, hour: i32) -> impl Iterator<Item = Charge> + use<> {
        let outage = move |account: u64| {
            // The ninth to twelfth hour of every fifth day, in one region.
            let affected = hour.div_euclid(24) % 5 == 2 && (9..13).contains(&hour.rem_euclid(24));
            affected && region(account) == 3 && mix(account, hour as u64, 7) % 1_000 >= OUTAGE_PERMILLE
        };
        (0..self.accounts).filter(move |account| !outage(*account)).flat_map(move |account| {
            let active = meters(account)
                .into_iter()
                .filter(move |meter| mix(account, *meter as u64 + 100, hour as u64) % 1_000 < 600);
            active.flat_map(move |meter| {
                let parts = 1 + u64::from(mix(account, meter as u64 + 200, hour as u64).is_multiple_of(100));
                (0..parts).map(move |part| Charge { account, meter, hour, part })
            })
        })
    }

    fn facts(&self) -> Result<(), Failure> {
        let mut out = std::io::BufWriter::new(File::create(self.records().join("facts.csv"))?);
        writeln!(out, "account,customer,payer,created_on,sector,declared_use,home_regions,valid_from,known_from")?;
        let uses = ["contact_centre", "backup", "web", "iot", "analytics", "media_archive", "", "voicemail"];
        for account in 0..self.accounts {
            let pick = |salt: u64, of: &[&'static str]| {
                of.get((mix(account, salt, 1) % of.len() as u64) as usize).copied().unwrap_or_default()
            };
            let created = first_day().plus(-30 - (mix(account, 3, 1) % 2_000) as i32);
            writeln!(
                out,
                "{},{},p{},{created},{},{},{},2020-01-01,2020-01-01",
                account_name(account),
                customer_name(account),
                customer(account) % 997,
                pick(4, &["health", "retail", "public", "finance"]),
                pick(5, &uses),
                REGIONS.get(region(account)).copied().unwrap_or_default(),
            )?;
        }
        Ok(out.flush()?)
    }
}

#[derive(PartialEq)]
enum Copies {
    One,
    SameFile,
    NextFile,
}

impl Charge {
    fn salt(&self) -> u64 {
        (self.meter as u64) << 40 | (self.hour as u64) << 8 | self.part
    }

    /// One row in two hundred comes twice.
    fn copies(&self) -> Copies {
        match mix(self.account, self.salt(), 11) % 400 {
            0 => Copies::SameFile,
            1 => Copies::NextFile,
            _ => Copies::One,
        }
    }

    /// In the meter's unit.
    fn quantity(&self) -> f64 {
        let noise = 500 + mix(self.account, self.salt(), 13) % 1_000;
        // From one to some hundred thousand an hour, every power of two as likely as the next.
        let power = 1_u64 << (mix(self.account, 1, 17) % 18);
        let scale = power + mix(self.account, 2, 17) % power;
        let calls = scale * noise / 1_000 + 1;
        let spread = 600 + mix(self.account, self.salt(), 19) % 900;
        match METERS.get(self.meter).map(|meter| meter.3) {
            // Whole bytes, some 1.9 MB a call.
            Some("GB") => (calls * 1_900 * spread) as f64 / 1e9,
            Some("GB-Hours") => (scale * 100 + noise) as f64 / 1e3,
            // Milliseconds, some two minutes a call.
            Some("Seconds") => (calls * 120 * spread) as f64 / 1e3,
            Some("Hours" | "Minutes") => (scale * noise) as f64 / 1e3,
            _ => calls as f64,
        }
    }
}

fn first_day() -> Day {
    // 2026-06-01, a Monday.
    Day(20_605)
}

/// Six different meters; the three that calls are estimated from come up as often as any others.
fn meters(account: u64) -> [usize; METERS_EACH] {
    let mut order: [usize; METERS.len()] = std::array::from_fn(|place| place);
    for place in 0..METERS_EACH {
        let other = place + (mix(account, place as u64, 23) % (METERS.len() - place) as u64) as usize;
        order.swap(place, other);
    }
    let mut own = [0; METERS_EACH];
    own.iter_mut().zip(order).for_each(|(own, meter)| *own = meter);
    own
}

fn region(account: u64) -> usize {
    (mix(account, 29, 1) % REGIONS.len() as u64) as usize
}

/// Of eight accounts four are customers of one account, and four belong to one customer.
fn customer(account: u64) -> u64 {
    if account % 8 < 4 { account } else { account - account % 8 + 4 }
}

fn account_name(account: u64) -> String {
    // Twelve digits, as large clouds have; spread, so that names are not in the order of the files.
    format!("{:012}", mix(account, 31, 1) % 1_000_000 * 1_000_000 + account)
}

fn customer_name(account: u64) -> String {
    format!("customer-{:06}", customer(account))
}

/// Three rounds of splitmix64's finaliser.
fn mix(a: u64, b: u64, c: u64) -> u64 {
    let round = |state: u64, word: u64| {
        let mut bits = (state ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    };
    round(round(round(0, a), b), c)
}

/// What DuckDB maps by: SKU, unit, measure, its name, steps for each unit.
fn meters_csv() -> String {
    let mut text = String::from("sku,unit,measure,name,steps\n");
    for (_, _, sku, unit, factor, measure) in METERS {
        text += &format!("{sku},{unit},{},{},{}\n", measure.index(), measure.name(), factor * measure.grain());
    }
    text
}

/// The texts that rows refer to.
struct Texts {
    accounts: ArrayRef,
    customers: ArrayRef,
    regions: ArrayRef,
    region_of: Vec<i32>,
    meters: [ArrayRef; 4],
}

impl Texts {
    fn new(accounts: u64) -> Self {
        let texts =
            |all: &mut dyn Iterator<Item = String>| -> ArrayRef { Arc::new(StringArray::from_iter_values(all)) };
        let meter = |part: fn(&Meter) -> String| texts(&mut METERS.iter().map(part));
        Self {
            accounts: texts(&mut (0..accounts).map(account_name)),
            customers: texts(&mut (0..accounts).map(customer_name)),
            regions: texts(&mut REGIONS.iter().map(|name| (*name).to_owned())),
            region_of: (0..accounts).map(|account| region(account) as i32).collect(),
            meters: [
                meter(|meter| meter.0.to_owned()),
                meter(|meter| meter.1.to_owned()),
                meter(|meter| meter.2.to_owned()),
                meter(|meter| meter.3.to_owned()),
            ],
        }
    }

    fn batch(&self, charges: &[Charge]) -> Result<RecordBatch, Failure> {
        let account: Int32Array = charges.iter().map(|charge| Some(charge.account as i32)).collect();
        let meter: Int32Array = charges.iter().map(|charge| Some(charge.meter as i32)).collect();
        let region: Int32Array =
            charges.iter().map(|charge| self.region_of.get(charge.account as usize).copied()).collect();
        let first: Int32Array = charges.iter().map(|_| Some(0)).collect();
        let none: Int32Array = charges.iter().map(|_| None).collect();
        let words = |keys: &Int32Array, values: &ArrayRef| -> Result<ArrayRef, Failure> {
            Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys.clone(), values.clone())?))
        };
        let constant = |text: &str| words(&first, &(Arc::new(StringArray::from(vec![text])) as ArrayRef));
        let time = |hour: fn(&Charge) -> i32| -> ArrayRef {
            let micros = charges.iter().map(|charge| i64::from(hour(charge)) * 3_600_000_000);
            Arc::new(TimestampMicrosecondArray::from_iter_values(micros).with_timezone("UTC"))
        };
        let quantity: ArrayRef = Arc::new(Float64Array::from_iter_values(charges.iter().map(Charge::quantity)));
        let [category, service, sku, unit] = &self.meters;
        Ok(RecordBatch::try_from_iter_with_nullable([
            ("BillingAccountId", words(&account, &self.customers)?, true),
            ("BillingPeriodStart", time(|_| first_day().start().0), true),
            ("ChargeCategory", constant("Usage")?, true),
            ("ChargeClass", words(&none, &(Arc::new(StringArray::from(vec!["Correction"])) as ArrayRef))?, true),
            ("ChargeFrequency", constant("Usage-Based")?, true),
            ("ChargePeriodEnd", time(|charge| charge.hour + 1), true),
            ("ChargePeriodStart", time(|charge| charge.hour), true),
            ("ConsumedQuantity", quantity.clone(), true),
            ("ConsumedUnit", words(&meter, unit)?, true),
            ("PricingQuantity", quantity, true),
            ("PricingUnit", words(&meter, unit)?, true),
            ("ProviderName", constant("Example Cloud")?, true),
            ("RegionId", words(&region, &self.regions)?, true),
            ("ServiceCategory", words(&meter, category)?, true),
            ("ServiceName", words(&meter, service)?, true),
            ("SkuId", words(&meter, sku)?, true),
            ("SkuMeter", words(&meter, sku)?, true),
            ("SubAccountId", words(&account, &self.accounts)?, true),
        ])?)
    }
}
