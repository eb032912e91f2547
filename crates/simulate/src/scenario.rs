//! What a user may order beside what is drawn: a scenario file in TOML.
//!
//! ```toml
//! [population]
//! forbidden = 0          # forbidden workloads that are drawn; left out: 1.2 % of customers, at least 24
//! lookalikes = 0.15      # share of the lawful customers that are not plain web and business
//!
//! [faults]               # shares of rows, except outages and shocks
//! missing = 0.01
//! duplicated = 0.005
//! late = 0.04            # by a median of 3 hours, 1 in 100 of them by 72
//! restated = 0.001
//! outages = 0.3          # for each region, in 30 days
//! shocks = 4.0           # everywhere, in 30 days
//!
//! [[workload]]           # any number of them, each a customer of its own
//! kind = "mass_surveillance"
//! calls_per_hour = 250000
//! accounts = 20
//! start_day = 10         # counted from the first day, 0; negative: before it
//! evasions = ["split", "padding"]
//! declared_use = "backup"
//! ```
//!
//! Of a workload only `kind` is needed; what is left out is drawn. It is not validated against a policy: a scenario
//! knows nothing of how workloads are judged.

use serde::Deserialize;

/// What is ordered beside what is drawn.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// How many of what.
    pub population: Population,
    /// What goes wrong with the records.
    pub faults: Faults,
    /// Workloads that are there whatever the seed.
    #[serde(rename = "workload")]
    pub workloads: Vec<Order>,
}

/// How many of what.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Population {
    /// Forbidden workloads that are drawn; `None` for 1.2 % of the customers, and at least 24 where there is room.
    pub forbidden: Option<u32>,
    /// Share of the lawful customers that are not plain web and business, 0 to 0.9.
    pub lookalikes: f64,
}

impl Default for Population {
    fn default() -> Self {
        Self { forbidden: None, lookalikes: 0.15 }
    }
}

/// What goes wrong with the records. All but `outages` and `shocks` are shares of rows.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// Rows that never appear.
    pub missing: f64,
    /// Rows that appear twice, equal in every column; half of them in another file.
    pub duplicated: f64,
    /// Rows that arrive late.
    pub late: f64,
    /// Rows that were wrong at first and are corrected days later.
    pub restated: f64,
    /// Outages of some hours, for each region, in 30 days.
    pub outages: f64,
    /// Shocks that a country or the world shares, in 30 days.
    pub shocks: f64,
}

impl Default for Faults {
    fn default() -> Self {
        Self { missing: 0.01, duplicated: 0.005, late: 0.04, restated: 0.001, outages: 0.3, shocks: 4.0 }
    }
}

impl Faults {
    /// Records as they should be: nothing missing, repeated, late, restated or down, and no shocks.
    pub const NONE: Self = Self { missing: 0.0, duplicated: 0.0, late: 0.0, restated: 0.0, outages: 0.0, shocks: 0.0 };
}

/// One workload, ordered by name.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// What kind it is.
    pub kind: Kind,
    /// Recorded calls an hour; only for kinds that record calls or the like.
    pub calls_per_hour: Option<f64>,
    /// Over how many accounts it is spread; left out: 1, or 8 if it is split.
    pub accounts: Option<u32>,
    /// The day it starts, counted from the first day of the period; negative for before it.
    pub start_day: Option<i32>,
    /// How it hides; forbidden kinds only.
    pub evasions: Option<Vec<Evasion>>,
    /// What the customer says it is; may be empty.
    pub declared_use: Option<String>,
    /// The customer's sector; may be empty.
    pub sector: Option<String>,
    /// Whether the provider has verified the use, with evidence and two verifiers; lawful kinds only.
    pub verified: Option<bool>,
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// Every one, in a fixed order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// As it is written in files.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

words! {
    /// What a workload is for.
    Kind {
        /// The forbidden one: a population's calls, recorded, transcribed and searched.
        MassSurveillance = "mass_surveillance",
        /// A company's own contact centre.
        ContactCentre = "contact_centre",
        /// A vendor who runs contact centres for many companies, in many time zones.
        ContactCentreVendor = "contact_centre_vendor",
        /// A carrier's voicemail.
        Voicemail = "voicemail",
        /// Recorded video meetings.
        Meetings = "meetings",
        /// A podcast host.
        Podcast = "podcast",
        /// Recorded emergency calls of a country.
        EmergencyCalls = "emergency_calls",
        /// Trading desks, recorded as the law asks.
        FinancialRecording = "financial_recording",
        /// Calls that advertisements bring, recorded and counted.
        CallTracking = "call_tracking",
        /// An archive of films and broadcasts.
        MediaArchive = "media_archive",
        /// Backups.
        Backup = "backup",
        /// Cameras on the customer's own premises.
        VideoSecurity = "video_security",
        /// Cameras in vehicles.
        Dashcam = "dashcam",
        /// Sensors that report.
        Iot = "iot",
        /// Learners' spoken exercises.
        LanguageLearning = "language_learning",
        /// Doctors' dictation.
        MedicalDictation = "medical_dictation",
        /// Assistants that are spoken to.
        VoiceAssistant = "voice_assistant",
        /// Training of models.
        MlTraining = "ml_training",
        /// Documents of a court case.
        Ediscovery = "ediscovery",
        /// Everything else: web sites, applications, analytics, tests.
        Web = "web",
    }
}

words! {
    /// A way of hiding.
    Evasion {
        /// Spread over many accounts.
        Split = "split",
        /// Grown by 1–5 % a day.
        SlowRamp = "slow_ramp",
        /// Objects that are written only to be deleted within a day.
        Padding = "padding",
        /// Transcribed on rented GPUs, so that no speech meter runs.
        OwnTranscription = "own_transcription",
        /// 100–1,000 calls in one object.
        Bundling = "bundling",
        /// Moved to another region.
        MovingRegion = "moving_region",
        /// Everything taken out within 3–30 days, once noticed.
        ExportWhenNoticed = "export_when_noticed",
        /// Encoded at a fraction of the bit rate.
        ReEncoding = "re_encoding",
    }
}

/// A scenario that cannot be used: which key, what is wrong, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// Not TOML, an unknown key, or a value of the wrong type.
    #[error("the scenario cannot be read: {0}")]
    Form(String),
    /// A value that makes no sense.
    #[error("`{key}` in the scenario {problem}; {mend}")]
    Value {
        /// The key, with its table.
        key: String,
        /// What is wrong with it.
        problem: String,
        /// What to write instead.
        mend: &'static str,
    },
}

impl Scenario {
    /// Reads and checks a scenario file's text.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text).map_err(|error| ScenarioError::Form(error.to_string()))?;
        scenario.check()?;
        Ok(scenario)
    }

    /// Whether every value makes sense.
    pub(crate) fn check(&self) -> Result<(), ScenarioError> {
        let faults = &self.faults;
        for (key, value, limit, mend) in [
            ("population.lookalikes", self.population.lookalikes, 0.9, "write a share from 0 to 0.9"),
            ("faults.missing", faults.missing, 0.5, "write a share from 0 to 0.5"),
            ("faults.duplicated", faults.duplicated, 0.5, "write a share from 0 to 0.5"),
            ("faults.late", faults.late, 0.5, "write a share from 0 to 0.5"),
            ("faults.restated", faults.restated, 0.5, "write a share from 0 to 0.5"),
            ("faults.outages", faults.outages, 100.0, "write a number in 30 days, 0 to 100"),
            ("faults.shocks", faults.shocks, 100.0, "write a number in 30 days, 0 to 100"),
        ] {
            if !(0.0..=limit).contains(&value) {
                return Err(ScenarioError::Value { key: key.to_owned(), problem: format!("is {value}"), mend });
            }
        }
        self.workloads.iter().enumerate().try_for_each(|(index, order)| order.check(index))
    }
}

impl Order {
    /// Over how many accounts it is spread: as it says, else 1, or 8 if it is split.
    pub(crate) fn account_count(&self) -> u32 {
        let split = self.evasions.as_ref().is_some_and(|all| all.contains(&Evasion::Split));
        self.accounts.unwrap_or(if split { 8 } else { 1 })
    }

    fn check(&self, index: usize) -> Result<(), ScenarioError> {
        let wrong = |key: &str, problem: String, mend| {
            Err(ScenarioError::Value { key: format!("workload[{index}].{key}"), problem, mend })
        };
        let forbidden = self.kind == Kind::MassSurveillance;
        if let Some(calls) = self.calls_per_hour {
            if !(1.0..=1e8).contains(&calls) {
                return wrong("calls_per_hour", format!("is {calls}"), "write a number from 1 to 100000000");
            }
            if !self.kind.records_calls() {
                let problem = format!("is given, but {} records no calls", self.kind.word());
                return wrong("calls_per_hour", problem, "leave it out");
            }
        }
        match self.accounts {
            Some(0) => return wrong("accounts", "is 0".to_owned(), "write 1 or more"),
            Some(1) if self.evasions.as_ref().is_some_and(|all| all.contains(&Evasion::Split)) => {
                return wrong("accounts", "is 1 beside the evasion `split`".to_owned(), "write 2 or more");
            }
            _ => {}
        }
        if self.start_day.is_some_and(|day| !(-4_000..=4_000).contains(&day)) {
            return wrong("start_day", "is more than 4000 days off".to_owned(), "write a day nearer to the first");
        }
        if !forbidden && self.evasions.as_ref().is_some_and(|all| !all.is_empty()) {
            let problem = format!("is given, but {} has nothing to hide", self.kind.word());
            return wrong("evasions", problem, "leave it out, or write kind = \"mass_surveillance\"");
        }
        if forbidden && self.verified == Some(true) {
            let problem = "is true for a forbidden workload".to_owned();
            return wrong("verified", problem, "leave it out, or choose a lawful kind");
        }
        Ok(())
    }
}

impl Kind {
    /// Whether `calls_per_hour` means anything for it.
    pub const fn records_calls(self) -> bool {
        matches!(
            self,
            Self::MassSurveillance
                | Self::ContactCentre
                | Self::ContactCentreVendor
                | Self::Voicemail
                | Self::EmergencyCalls
                | Self::FinancialRecording
                | Self::CallTracking
                | Self::MedicalDictation
                | Self::LanguageLearning
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_in_the_header_reads() {
        let text: String = include_str!("scenario.rs")
            .lines()
            .skip_while(|line| !line.contains("```toml"))
            .skip(1)
            .take_while(|line| !line.contains("```"))
            .map(|line| format!("{}\n", line.trim_start_matches("//!")))
            .collect();
        let scenario = Scenario::parse(&text).unwrap();
        assert_eq!(scenario.faults, Faults::default());
        assert_eq!(scenario.workloads[0].evasions, Some(vec![Evasion::Split, Evasion::Padding]));
    }

    #[test]
    fn what_is_wrong_is_named_with_how_to_mend_it() {
        for (text, names) in [
            ("[faults]\nlate = 2", ["faults.late", "0 to 0.5"]),
            ("[faults]\nlate = nan", ["faults.late", "0 to 0.5"]),
            ("[faults]\nlte = 0.1", ["lte", "late"]),
            ("[[workload]]\naccounts = 2", ["workload", "kind"]),
            ("[[workload]]\nkind = \"bakup\"", ["bakup", "backup"]),
            ("[[workload]]\nkind = \"backup\"\ncalls_per_hour = 5", ["workload[0].calls_per_hour", "leave it out"]),
            ("[[workload]]\nkind = \"web\"\nevasions = [\"split\"]", ["workload[0].evasions", "mass_surveillance"]),
            ("[[workload]]\nkind = \"mass_surveillance\"\nverified = true", ["workload[0].verified", "lawful kind"]),
            ("[[workload]]\nkind = \"web\"\naccounts = 0", ["workload[0].accounts", "1 or more"]),
            ("[population]\nforbidden = -1", ["forbidden", "u32"]),
        ] {
            let error = Scenario::parse(text).unwrap_err().to_string();
            assert!(names.iter().all(|name| error.contains(name)), "{text}\n{error}");
        }
    }
}
