//! The price list of Example Cloud: what it meters, in which unit, under which names.
//!
//! It is not a meter catalogue for a reader: nothing here says what a meter means to anybody who judges usage.

/// A meter of Example Cloud; the number is its place in [`METERS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Meter {
    Write,
    Read,
    Delete,
    Ingress,
    Egress,
    Export,
    Capacity,
    Transcription,
    SpeakerId,
    Translation,
    Tokens,
    Embedding,
    Images,
    FaceId,
    Documents,
    Vcpu,
    Gpu,
    PrivateLink,
    Cdn,
    Telephony,
    Messaging,
    Database,
    Iot,
    Logs,
    Services,
}

/// What an invoice says of a meter.
pub(crate) struct Sku {
    pub(crate) meter: Meter,
    /// FOCUS ServiceCategory.
    pub(crate) category: &'static str,
    /// FOCUS ServiceSubcategory.
    pub(crate) subcategory: &'static str,
    /// FOCUS ServiceName.
    pub(crate) service: &'static str,
    /// FOCUS SkuId and SkuMeter.
    pub(crate) id: &'static str,
    /// FOCUS ConsumedUnit.
    pub(crate) unit: &'static str,
    /// Whether only whole units are counted.
    pub(crate) whole: bool,
    /// Dollars for a million units.
    pub(crate) price: f64,
}

const fn sku(
    meter: Meter,
    [category, subcategory, service]: [&'static str; 3],
    id: &'static str,
    unit: &'static str,
    price: f64,
) -> Sku {
    let whole = matches!(unit.as_bytes(), b"Requests" | b"Characters" | b"Tokens" | b"Images" | b"Documents");
    Sku { meter, category, subcategory, service, id, unit, whole, price }
}

const STORAGE: [&str; 3] = ["Storage", "Object Storage", "Object Storage"];
const SPEECH: [&str; 3] = ["AI and Machine Learning", "Machine Learning", "Speech"];
const LANGUAGE: [&str; 3] = ["AI and Machine Learning", "Natural Language Processing", "Language"];
const VISION: [&str; 3] = ["AI and Machine Learning", "Machine Learning", "Vision"];
const SEARCH: [&str; 3] = ["AI and Machine Learning", "Machine Learning", "Search"];
const COMPUTE: [&str; 3] = ["Compute", "Virtual Machines", "Virtual Machines"];
const COMMUNICATIONS: [&str; 3] = ["Integration", "Messaging", "Communications"];

/// Every meter, in the order of [`Meter`].
pub(crate) const METERS: [Sku; 25] = [
    sku(Meter::Write, STORAGE, "storage.write", "Requests", 5.0),
    sku(Meter::Read, STORAGE, "storage.read", "Requests", 0.4),
    sku(Meter::Delete, STORAGE, "storage.delete", "Requests", 0.0),
    sku(Meter::Ingress, STORAGE, "storage.ingress", "GB", 0.0),
    sku(Meter::Egress, STORAGE, "storage.egress", "GB", 80_000.0),
    sku(Meter::Export, STORAGE, "storage.export", "GB", 50_000.0),
    sku(Meter::Capacity, STORAGE, "storage.capacity", "GB-Hours", 28.0),
    sku(Meter::Transcription, SPEECH, "speech.transcription", "Seconds", 100.0),
    sku(Meter::SpeakerId, SPEECH, "speech.speaker-id", "Requests", 5_000.0),
    sku(Meter::Translation, LANGUAGE, "language.translation", "Characters", 10.0),
    sku(Meter::Tokens, LANGUAGE, "language.tokens", "Tokens", 1.5),
    sku(Meter::Embedding, LANGUAGE, "language.embedding", "Tokens", 0.05),
    sku(Meter::Images, VISION, "vision.images", "Images", 1_000.0),
    sku(Meter::FaceId, VISION, "vision.face-id", "Requests", 1_000.0),
    sku(Meter::Documents, SEARCH, "search.documents", "Documents", 20.0),
    sku(Meter::Vcpu, COMPUTE, "compute.vcpu", "Hours", 40_000.0),
    sku(Meter::Gpu, COMPUTE, "compute.gpu", "Hours", 2_500_000.0),
    sku(
        Meter::PrivateLink,
        ["Networking", "Network Connectivity", "Private Link"],
        "network.private-link",
        "GB",
        10_000.0,
    ),
    sku(Meter::Cdn, ["Networking", "Content Delivery", "CDN"], "cdn.egress", "GB", 40_000.0),
    sku(Meter::Telephony, COMMUNICATIONS, "telephony.minutes", "Minutes", 8_000.0),
    sku(Meter::Messaging, COMMUNICATIONS, "messaging.requests", "Requests", 600.0),
    sku(Meter::Database, ["Databases", "Relational Databases", "Database"], "database.requests", "Requests", 0.25),
    sku(Meter::Iot, ["Internet of Things", "IoT Platforms", "IoT Hub"], "iot.messages", "Requests", 0.8),
    sku(Meter::Logs, ["Management and Governance", "Observability", "Logs"], "logs.ingest", "GB", 500_000.0),
    sku(Meter::Services, ["Other", "Other (Other)", "Professional Services"], "services.hours", "Hours", 220_000_000.0),
];

impl Meter {
    /// Its place in [`METERS`].
    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    /// Whether only whole units are counted.
    #[expect(clippy::indexing_slicing, reason = "METERS has a row for every meter, in order; a test says so")]
    pub(crate) fn whole(self) -> bool {
        METERS[self.index()].whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_meter_stands_at_its_place() {
        for (index, row) in METERS.iter().enumerate() {
            assert_eq!(row.meter.index(), index, "{}", row.id);
        }
        assert!(Meter::Write.whole() && !Meter::Ingress.whole() && !Meter::Telephony.whole());
    }
}
