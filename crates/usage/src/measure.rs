//! The canonical quantities that every provider's meters map to, and the integers they are counted in.
//!
//! It is not the mapping: that is a meter catalogue ([`crate::catalogue`]).

use serde::{Deserialize, Serialize};

macro_rules! measures {
    ($($variant:ident $name:literal $unit:literal $grain:literal $doc:literal;)*) => {
        /// A canonical quantity. The order is fixed: it is part of the digest of the records.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[repr(u8)]
        pub enum Measure { $(#[doc = $doc] $variant,)* }

        impl Measure {
            /// All of them, in their order.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The name in catalogues, relations and JSON: `objects_written`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The unit a person reads: `objects`, `bytes`, `seconds`.
            pub const fn unit(self) -> &'static str {
                match self { $(Self::$variant => $unit),* }
            }

            /// How many integer steps make one [unit](Self::unit), as a fraction `(steps, per units)`: counts and times
            /// are kept in millionths, bytes whole, byte-hours in thousands, so that exabytes still fit an `i64`.
            pub const fn grain(self) -> f64 {
                match self { $(Self::$variant => $grain),* }
            }
        }
    };
}

measures! {
    ObjectsWritten "objects_written" "objects" 1e6 "Objects or blocks written to object storage.";
    ObjectsRead "objects_read" "objects" 1e6 "Objects read.";
    ObjectsDeleted "objects_deleted" "objects" 1e6 "Objects deleted.";
    BytesIn "bytes_in" "bytes" 1.0 "Bytes written to storage from anywhere.";
    BytesOut "bytes_out" "bytes" 1.0 "Bytes read from storage by the customer's own services or users.";
    BytesExported "bytes_exported" "bytes" 1.0 "Bytes moved in bulk to outside the provider.";
    ByteHoursStored "byte_hours_stored" "byte-hours" 1e-3 "Bytes kept, times the hours they were kept.";
    AudioSecondsTranscribed "audio_seconds_transcribed" "seconds" 1e6 "Seconds of audio turned into text.";
    SpeakersIdentified "speakers_identified" "requests" 1e6 "Requests to tell who speaks.";
    CharactersTranslated "characters_translated" "characters" 1e6 "Characters translated.";
    TokensProcessed "tokens_processed" "tokens" 1e6 "Tokens through a language model.";
    TokensEmbedded "tokens_embedded" "tokens" 1e6 "Tokens turned into embeddings.";
    ImagesAnalysed "images_analysed" "images" 1e6 "Images analysed.";
    FacesIdentified "faces_identified" "requests" 1e6 "Requests to tell whose face it is.";
    DocumentsIndexed "documents_indexed" "documents" 1e6 "Documents put into a search index.";
    VcpuHours "vcpu_hours" "hours" 1e6 "Hours of virtual processors.";
    GpuHours "gpu_hours" "hours" 1e6 "Hours of accelerators.";
    BytesPrivateLink "bytes_private_link" "bytes" 1.0 "Bytes over dedicated links.";
    BytesCdn "bytes_cdn" "bytes" 1.0 "Bytes through a content delivery network.";
    TelephonyMinutes "telephony_minutes" "minutes" 1e6 "Minutes of telephony.";
    MessagesSent "messages_sent" "requests" 1e6 "Messages sent.";
    DatabaseRequests "database_requests" "requests" 1e6 "Requests to databases.";
    IotMessages "iot_messages" "requests" 1e6 "Messages from devices.";
    BytesLogged "bytes_logged" "bytes" 1.0 "Bytes of logs taken in.";
    ServiceHours "service_hours" "hours" 1e6 "Hours of the provider's own people.";
}

impl Measure {
    /// How many measures there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The measure of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|measure| measure.name() == name)
    }

    /// So many steps in whole units, rounded away from zero, so that what was used is never nothing.
    pub const fn whole(self, steps: i64) -> i64 {
        let grain = self.grain();
        if grain < 1.0 {
            return steps.saturating_mul((1.0 / grain) as i64);
        }
        let grain = grain as i64;
        let rest = if steps % grain == 0 { 0 } else { steps.signum() };
        steps / grain + rest
    }

    /// The service and the operation, as gates compare them: the reference provider's meters (contract §1).
    pub const fn operation(self) -> (&'static str, &'static str) {
        match self {
            Self::ObjectsWritten => ("object-storage", "storage.write"),
            Self::ObjectsRead => ("object-storage", "storage.read"),
            Self::ObjectsDeleted => ("object-storage", "storage.delete"),
            Self::BytesIn => ("object-storage", "storage.ingress"),
            Self::BytesOut => ("object-storage", "storage.egress"),
            Self::BytesExported => ("object-storage", "storage.export"),
            Self::ByteHoursStored => ("object-storage", "storage.capacity"),
            Self::AudioSecondsTranscribed => ("speech", "speech.transcription"),
            Self::SpeakersIdentified => ("speech", "speech.speaker-id"),
            Self::CharactersTranslated => ("language", "language.translation"),
            Self::TokensProcessed => ("language", "language.tokens"),
            Self::TokensEmbedded => ("language", "language.embedding"),
            Self::ImagesAnalysed => ("vision", "vision.images"),
            Self::FacesIdentified => ("vision", "vision.face-id"),
            Self::DocumentsIndexed => ("search", "search.documents"),
            Self::VcpuHours => ("virtual-machines", "compute.vcpu"),
            Self::GpuHours => ("virtual-machines", "compute.gpu"),
            Self::BytesPrivateLink => ("private-link", "network.private-link"),
            Self::BytesCdn => ("cdn", "cdn.egress"),
            Self::TelephonyMinutes => ("communications", "telephony.minutes"),
            Self::MessagesSent => ("communications", "messaging.requests"),
            Self::DatabaseRequests => ("database", "database.requests"),
            Self::IotMessages => ("iot-hub", "iot.messages"),
            Self::BytesLogged => ("logs", "logs.ingest"),
            Self::ServiceHours => ("professional-services", "services.hours"),
        }
    }

    /// Its place in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl std::fmt::Display for Measure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measure_is_found_by_its_name_and_sits_at_its_index() {
        for (place, measure) in Measure::ALL.into_iter().enumerate() {
            assert_eq!(Measure::from_name(measure.name()), Some(measure));
            assert_eq!(measure.index(), place);
        }
        assert_eq!(Measure::from_name("calls"), None);
    }

    #[test]
    fn steps_become_whole_units_and_what_was_used_is_never_nothing() {
        assert_eq!(Measure::ObjectsWritten.whole(2_000_000), 2);
        assert_eq!(Measure::ObjectsWritten.whole(1), 1);
        assert_eq!(Measure::ObjectsWritten.whole(-1), -1);
        assert_eq!(Measure::ObjectsWritten.whole(0), 0);
        assert_eq!(Measure::BytesIn.whole(7), 7);
        assert_eq!(Measure::ByteHoursStored.whole(3), 3_000);
        assert_eq!(Measure::ByteHoursStored.whole(i64::MAX), i64::MAX);
    }

    /// The catalogue of the reference provider says the same: service and SKU of each measure.
    #[test]
    fn each_measure_is_the_operation_of_the_reference_providers_meter() {
        let catalogue = include_str!("../../../meters/example-cloud.toml");
        for measure in Measure::ALL {
            let (service, operation) = measure.operation();
            assert!(catalogue.contains(&format!("\"{operation}\"")), "{operation}");
            assert!(service.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{service}");
        }
    }
}
