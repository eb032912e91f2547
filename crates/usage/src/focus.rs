//! The columns of a FOCUS file: which there are, what each is for, and what is wrong with a header.
//!
//! It is not the reading of rows ([`crate::read_csv`], [`crate::read_parquet`]), nor what they mean ([`crate::map`]).

use crate::catalogue::Catalogue;
use crate::fingerprint::Fingerprint;
use crate::tally::quoted;

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Time,
}

/// What a column is for. Every column counts in the fingerprint of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Nothing more; its value is gone with the row.
    Dropped,
    /// Decides what a row is: passed over, unmapped, or which measure and region.
    Mapping,
    /// Names the account.
    Account,
    /// Both: the provider.
    Provider,
    Consumed,
    Priced,
    Start,
    End,
    Billing,
}

/// The columns a row is mapped and kept by, in the order of [`Layout::kept`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    ProviderName,
    ServiceProviderName,
    BillingAccountId,
    SubAccountId,
    ServiceName,
    SkuId,
    SkuMeter,
    RegionId,
    ChargeCategory,
    ChargeClass,
    ChargeFrequency,
    CommitmentDiscountStatus,
    ConsumedUnit,
    PricingUnit,
    ConsumedQuantity,
    PricingQuantity,
    ChargePeriodStart,
    ChargePeriodEnd,
    BillingPeriodStart,
}

const KEPT: [(Kept, &str, Role); 19] = [
    (Kept::ProviderName, "ProviderName", Role::Provider),
    (Kept::ServiceProviderName, "ServiceProviderName", Role::Provider),
    (Kept::BillingAccountId, "BillingAccountId", Role::Account),
    (Kept::SubAccountId, "SubAccountId", Role::Account),
    (Kept::ServiceName, "ServiceName", Role::Mapping),
    (Kept::SkuId, "SkuId", Role::Mapping),
    (Kept::SkuMeter, "SkuMeter", Role::Mapping),
    (Kept::RegionId, "RegionId", Role::Mapping),
    (Kept::ChargeCategory, "ChargeCategory", Role::Mapping),
    (Kept::ChargeClass, "ChargeClass", Role::Mapping),
    (Kept::ChargeFrequency, "ChargeFrequency", Role::Mapping),
    (Kept::CommitmentDiscountStatus, "CommitmentDiscountStatus", Role::Mapping),
    (Kept::ConsumedUnit, "ConsumedUnit", Role::Mapping),
    (Kept::PricingUnit, "PricingUnit", Role::Mapping),
    (Kept::ConsumedQuantity, "ConsumedQuantity", Role::Consumed),
    (Kept::PricingQuantity, "PricingQuantity", Role::Priced),
    (Kept::ChargePeriodStart, "ChargePeriodStart", Role::Start),
    (Kept::ChargePeriodEnd, "ChargePeriodEnd", Role::End),
    (Kept::BillingPeriodStart, "BillingPeriodStart", Role::Billing),
];

/// The columns of FOCUS 1.0 to 1.4 that are read for the fingerprint alone: known, so that none is taken for a
/// misspelling of another.
const OTHERS: &str = "AllocatedMethodDetails AllocatedMethodId AllocatedResourceId AllocatedResourceName AllocatedTags \
    AvailabilityZone BilledCost BillingAccountName BillingAccountType BillingCurrency BillingPeriodEnd \
    CapacityReservationId CapacityReservationStatus ChargeDescription CommitmentDiscountCategory CommitmentDiscountId \
    CommitmentDiscountName CommitmentDiscountQuantity CommitmentDiscountType CommitmentDiscountUnit ContractApplied \
    ContractedCost ContractedUnitPrice EffectiveCost HostProviderName Id InvoiceId InvoiceIssuerName InvoiceIssuer \
    ListCost ListUnitPrice PricingCategory PricingCurrency PricingCurrencyContractedUnitPrice \
    PricingCurrencyEffectiveCost PricingCurrencyListUnitPrice PublisherName RegionName ResourceId ResourceName \
    ResourceType ServiceCategory ServiceSubcategory SkuPriceDetails SkuPriceId SubAccountName SubAccountType Tags";

/// One column of a file.
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) role: Role,
    pub(crate) fingerprint: Fingerprint,
}

/// The columns of a file, in its order.
pub(crate) struct Layout {
    pub(crate) columns: Vec<Column>,
    /// The FOCUS version, as far as the columns tell it.
    pub(crate) version: &'static str,
    kept: [Option<usize>; KEPT.len()],
    /// For each column that the catalogue matches on, where it is in this file.
    matched: Vec<Option<usize>>,
}

impl Layout {
    /// Understands a header, or says in one sentence what is wrong with it.
    pub(crate) fn new(names: &[String], catalogue: &Catalogue) -> Result<Self, String> {
        let find = |name: &str| names.iter().position(|column| column.eq_ignore_ascii_case(name));
        let kept = KEPT.map(|(_, name, _)| find(name));
        let layout = Self {
            columns: names.iter().map(|name| Column::new(name, catalogue)).collect(),
            version: version(&|name| find(name).is_some()),
            kept,
            matched: catalogue.columns().iter().map(|name| find(name)).collect(),
        };
        layout.check(names)?;
        Ok(layout)
    }

    /// Where a kept column is in this file.
    pub(crate) fn place(&self, kept: Kept) -> Option<usize> {
        self.kept.get(kept as usize).copied().flatten()
    }

    /// Where the catalogue's matched columns are in this file.
    pub(crate) fn matched(&self) -> &[Option<usize>] {
        &self.matched
    }

    fn check(&self, names: &[String]) -> Result<(), String> {
        let has = |kept| self.place(kept).is_some();
        let choices = [
            (has(Kept::ProviderName) || has(Kept::ServiceProviderName), "ProviderName"),
            (has(Kept::BillingAccountId), "BillingAccountId"),
            (has(Kept::ChargeCategory), "ChargeCategory"),
            (has(Kept::ChargePeriodStart), "ChargePeriodStart"),
            (has(Kept::ChargePeriodEnd), "ChargePeriodEnd"),
            (has(Kept::ServiceName), "ServiceName"),
            (has(Kept::ConsumedQuantity) || has(Kept::PricingQuantity), "ConsumedQuantity"),
            (!has(Kept::ConsumedQuantity) || has(Kept::ConsumedUnit), "ConsumedUnit"),
            (!has(Kept::PricingQuantity) || has(Kept::PricingUnit), "PricingUnit"),
        ];
        if self.kept.iter().flatten().count() < 4 {
            let first: Vec<String> = names.iter().take(3).map(|name| quoted(name)).collect();
            return Err(format!(
                "is not a FOCUS file: it has {} columns, the first {}, and none that FOCUS 1.0 to 1.4 asks for but {}; \
                 export it as FOCUS, with a header",
                names.len(),
                first.join(", "),
                self.kept.iter().flatten().count(),
            ));
        }
        if let Some(twice) = twice(names) {
            return Err(format!("has the column {} twice; keep one of them", quoted(twice)));
        }
        if let Some((found, meant)) = self.misspelt() {
            return Err(format!("has a column {}; did you mean `{meant}`?", quoted(found)));
        }
        match choices.iter().find(|(present, _)| !present) {
            Some((_, name)) => Err(format!("has no column `{name}`; export it with all columns of FOCUS")),
            None => Ok(()),
        }
    }

    /// A column that FOCUS does not have, beside one that is absent and reads nearly alike.
    fn misspelt(&self) -> Option<(&str, &'static str)> {
        let absent = KEPT.iter().filter(|(kept, ..)| self.place(*kept).is_none());
        let closest = absent.flat_map(|(_, meant, _)| {
            let near = move |column: &&Column| column.is_unknown() && distance(&column.name, meant) <= 2;
            self.columns.iter().filter(near).map(move |column| (distance(&column.name, meant), column, *meant))
        });
        closest.min_by_key(|(distance, ..)| *distance).map(|(_, column, meant)| (column.name.as_str(), meant))
    }
}

impl Column {
    fn new(name: &str, catalogue: &Catalogue) -> Self {
        let kept = KEPT.iter().find(|(_, kept, _)| kept.eq_ignore_ascii_case(name));
        let matched = catalogue.columns().iter().any(|column| column.eq_ignore_ascii_case(name));
        let role = match kept {
            Some((.., role)) => *role,
            None if matched => Role::Mapping,
            None => Role::Dropped,
        };
        Self { name: name.to_owned(), kind: kind(name), role, fingerprint: Fingerprint::new(name) }
    }

    fn is_unknown(&self) -> bool {
        let is = |known: &str| known.eq_ignore_ascii_case(&self.name);
        !self.name.to_ascii_lowercase().starts_with("x_")
            && !KEPT.iter().any(|(_, known, _)| is(known))
            && !OTHERS.split_whitespace().any(is)
    }
}

/// By its name, as FOCUS names columns: only so do a CSV and a Parquet file agree on what a value is.
fn kind(name: &str) -> Kind {
    let lower = name.to_ascii_lowercase();
    let ends = |ends: &[&str]| ends.iter().any(|end| lower.ends_with(end));
    if ends(&["periodstart", "periodend"]) {
        Kind::Time
    } else if ends(&["quantity", "cost", "unitprice"]) {
        Kind::Number
    } else {
        Kind::Text
    }
}

fn version(has: &dyn Fn(&str) -> bool) -> &'static str {
    let any = |names: &[&str]| names.iter().any(|name| has(name));
    if any(&["ServiceProviderName"]) && !any(&["ProviderName", "PublisherName"]) {
        "1.4"
    } else if any(&["ServiceProviderName", "HostProviderName", "AllocatedMethodId", "ContractApplied"]) {
        "1.3"
    } else if any(&["BillingAccountType", "InvoiceId", "PricingCurrency", "SubAccountType"]) {
        "1.2"
    } else if any(&["SkuMeter", "SkuPriceDetails", "ServiceSubcategory", "CommitmentDiscountQuantity"]) {
        "1.1"
    } else {
        "1.0"
    }
}

fn twice(names: &[String]) -> Option<&str> {
    let mut sorted: Vec<(String, &str)> =
        names.iter().filter(|name| !name.is_empty()).map(|name| (name.to_ascii_lowercase(), name.as_str())).collect();
    sorted.sort_unstable();
    sorted.windows(2).find_map(|pair| match pair {
        [(first, _), (second, name)] if first == second => Some(*name),
        _ => None,
    })
}

/// How many letters must be put in, left out, changed, or swapped with their neighbour (two) to make one of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.to_lowercase().chars().take(100).enumerate() {
        let mut next = vec![i + 1];
        for ((into, above), pair) in b.iter().zip(row.iter().skip(1)).zip(row.iter()) {
            let left = next.last().copied().unwrap_or_default();
            next.push((pair + usize::from(from != *into)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "ProviderName BillingAccountId SubAccountId ServiceName RegionId ChargeCategory \
        ChargePeriodStart ChargePeriodEnd ConsumedQuantity ConsumedUnit Tags x_Thing";

    fn layout(header: &str) -> Result<Layout, String> {
        let names: Vec<String> = header.split_whitespace().map(str::to_owned).collect();
        Layout::new(&names, &Catalogue::built_in().unwrap())
    }

    fn fault(header: &str) -> String {
        layout(header).err().unwrap()
    }

    #[test]
    fn a_header_in_any_case_is_understood() {
        let upper = layout(&GOOD.to_uppercase()).unwrap();
        assert_eq!(upper.place(Kept::RegionId), Some(4));
        assert_eq!(upper.columns[0].role, Role::Provider);
        assert_eq!((upper.version, upper.columns[8].kind), ("1.0", Kind::Number));
        for (place, (kept, ..)) in KEPT.iter().enumerate() {
            assert_eq!(*kept as usize, place);
        }
    }

    #[test]
    fn the_columns_tell_the_version() {
        assert_eq!(layout(&format!("{GOOD} SkuMeter")).unwrap().version, "1.1");
        assert_eq!(layout(&format!("{GOOD} SkuMeter PricingCurrency")).unwrap().version, "1.2");
        assert_eq!(layout(&format!("{GOOD} ServiceProviderName")).unwrap().version, "1.3");
        assert_eq!(layout(&GOOD.replace("ProviderName", "ServiceProviderName")).unwrap().version, "1.4");
    }

    #[test]
    fn a_header_at_fault_names_the_column_and_the_mend() {
        assert!(fault("a b c").starts_with("is not a FOCUS file: it has 3 columns, the first `a`, `b`, `c`"));
        assert!(fault(&GOOD.replace("ServiceName", "")).contains("no column `ServiceName`"));
        assert!(
            fault(&GOOD.replace("SubAccountId", "SubAcountId")).contains("`SubAcountId`; did you mean `SubAccountId`")
        );
        assert!(fault(&format!("{GOOD} regionid")).contains("`regionid` twice"));
        assert!(fault(&GOOD.replace("ConsumedUnit", "")).contains("no column `ConsumedUnit`"));
    }
}
