//! What the console asks of the usage that the server watches: a workload's portrait, a policy with other numbers.
//!
//! Who may ask, and for what, is the console's and in the record before anything is read here.

use crate::backtest::{self, Outcomes};
use crate::common::{self, Failure, Sources};
use crate::explain::Wanted;
use crate::page::portrait::{Naming, Scene};
use crate::watching::Recents;
use clerk::Clerk;
use review::words::CaseId;
use signals::watch::Watch;
use std::sync::Arc;
use web::explore::{Backtest, Numbers, Recent, Usage};
use web::portrait::{Explanation, Records, SCHEMA};

/// The usage of an office's configuration.
pub(crate) struct Watched {
    /// Where the records are.
    pub sources: Sources,
    /// Whose cases tell what people found.
    pub clerk: Arc<Clerk>,
    /// What the watch saw last of open cases.
    pub recents: Arc<Recents>,
}

impl Usage for Watched {
    fn explain(&self, entity: &str) -> Result<Explanation, String> {
        apart(|| {
            let wanted: Wanted = entity.parse().map_err(Failure::Refused)?;
            let opened = self.sources.open()?;
            let at = opened.as_of(None)?;
            let digest = usage::records_digest(&opened.usage, at)?;
            let mut watch = Watch::new(opened.policies.clone(), opened.facts.clone(), opened.threads)?;
            let rankings = common::scan(&opened, &mut watch, at, Vec::new())?;
            let entity = wanted.find(&watch)?;
            let scene = Scene { watch: &watch, docket: &rankings.docket, last: &rankings.last };
            let portrait = scene.portrait(entity, Naming::Names);
            let explanation = portrait.ok_or_else(|| Failure::Defect("an entity without a row".into()))?;
            Ok(Explanation { schema: SCHEMA.to_owned(), records: Records { digest }, explanation })
        })
    }

    fn backtest(&self, policy: &str, numbers: &Numbers, days: u16) -> Result<Backtest, String> {
        // Pages ask from a thread that may wait for the record.
        let files =
            tokio::runtime::Handle::current().block_on(self.clerk.cases()).map_err(|error| error.to_string())?;
        apart(|| {
            let opened = self.sources.open()?;
            let own = backtest::own(&opened, policy)?;
            let other = backtest::with_numbers(own.clone(), numbers);
            // Drawn each time: whoever sees the answer may look at none of these by name.
            let salt = crate::office::drawn(16);
            backtest::backtest(&opened, own, other, days, &Outcomes::of(&files, policy), &salt)
        })
    }

    fn recent(&self, case: &CaseId) -> Option<Arc<Recent>> {
        self.recents.of(case)
    }
}

/// On a thread that has no runtime: files are read by waiting for them.
fn apart<T: Send>(work: impl FnOnce() -> Result<T, Failure> + Send) -> Result<T, String> {
    let done = std::thread::scope(|scope| scope.spawn(work).join());
    done.unwrap_or_else(|_| Err(Failure::Defect("reading usage ended in a panic".to_owned())))
        .map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use review::Decibans;

    const HEADER: &str = "BillingAccountId,SubAccountId,ServiceCategory,ServiceName,RegionId,SkuId,SkuMeter,ConsumedQuantity,\
                          ConsumedUnit,PricingQuantity,PricingUnit,ChargeCategory,ChargeClass,ChargeFrequency,\
                          ChargePeriodStart,ChargePeriodEnd,BillingPeriodStart,ProviderName,ChargeDescription,ResourceId";

    #[tokio::test(flavor = "multi_thread")]
    async fn a_workload_is_explained_and_a_policy_tried_from_the_watched_usage() {
        let folder = tempfile::tempdir().unwrap();
        let mut csv = format!("{HEADER}\n");
        for hour in 0..72 {
            let at = usage::Hour(490_000 + hour);
            let (from, to) = (at.to_string(), at.plus(1).to_string());
            csv += &format!(
                "acme,a1,Storage,Object Storage,north,storage.write,storage.write,400000,Requests,,,Usage,,Usage-Based,\
                 {from},{to},2025-11-01T00:00:00Z,Example Cloud,,\n"
            );
        }
        let records = folder.path().join("usage.csv");
        std::fs::write(&records, csv).unwrap();
        let record = format!("sqlite:{}", folder.path().join("record.db").display());
        let record = store::Record::open(&record).await.unwrap();
        let clerk = Arc::new(Clerk::new(record, crate::office::chance).unwrap());
        let records = vec![records.display().to_string()];
        let (state, facts, policy, meters, threads) = (None, None, Vec::new(), None, Some(1));
        let scratch = Some(folder.path().to_owned());
        let sources = Sources { records, state, facts, policy, meters, threads, scratch };
        let watched = Arc::new(Watched { sources, clerk, recents: Arc::default() });
        let asked = tokio::task::spawn_blocking(move || {
            let explained = watched.explain("account:a1").unwrap();
            let near = watched.explain("account:a2").unwrap_err();
            let mut numbers = Numbers { families: 0, fast_lane: 1, cases_per_week: 20, ..Numbers::default() };
            numbers.floor_db = Decibans::from_tenths(-900);
            let tried = watched.backtest("mass-surveillance", &numbers, 2).unwrap();
            let none = watched.backtest("another", &numbers, 2).unwrap_err();
            (explained, near, tried, none)
        });
        let (explained, near, tried, none) = asked.await.unwrap();
        assert_eq!((explained.explanation.customer.as_str(), explained.explanation.accounts.len()), ("acme", 1));
        let read = Explanation::read(&serde_json::to_vec(&explained).unwrap()).unwrap();
        assert_eq!(read, explained, "its ledger adds up");
        assert!(near.contains("there is no account a2"), "{near}");
        assert_eq!((tried.other.cases, tried.customers), (1, 1), "{tried:?}");
        assert!(none.contains("no policy another"), "{none}");
    }
}
