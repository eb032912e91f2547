//! What all customers share: regions, countries, holidays, outages of a region and shocks that many feel at once.
//!
//! Countries are only clocks and calendars here; who lives where is drawn blindly, forbidden workloads included.

use crate::draw::{Draw, key};
use crate::time::{Date, Summer, Zone};

/// RegionId and RegionName: no cloud's.
pub(crate) const REGIONS: [(&str, &str); 13] = [
    ("north-1", "North 1"),
    ("north-2", "North 2"),
    ("north-3", "North 3"),
    ("west-1", "West 1"),
    ("west-2", "West 2"),
    ("west-3", "West 3"),
    ("centre-1", "Centre 1"),
    ("south-1", "South 1"),
    ("east-1", "East 1"),
    ("east-2", "East 2"),
    ("east-3", "East 3"),
    ("south-2", "South 2"),
    ("south-3", "South 3"),
];

/// A market: its clock, its weekend, and the region its customers call home (a place in [`REGIONS`]).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Country {
    pub(crate) code: &'static str,
    pub(crate) zone: Zone,
    /// Friday and Saturday are the days of rest, instead of Saturday and Sunday.
    pub(crate) friday: bool,
    pub(crate) home: u8,
}

const fn country(code: &'static str, hours: i32, summer: Summer, friday: bool, home: u8) -> Country {
    Country { code, zone: Zone { hours, summer }, friday, home }
}

/// Every market of the provider. The codes are among those that ISO 3166-1 leaves to its users and gives to no country
/// (clause 8.1.3), so that nothing here can be taken for a place.
pub(crate) const COUNTRIES: [Country; 24] = [
    country("QM", -5, Summer::America, false, 0),
    country("QN", -5, Summer::America, false, 2),
    country("QO", -6, Summer::Never, false, 1),
    country("QP", -3, Summer::Never, false, 11),
    country("QQ", -3, Summer::Never, false, 11),
    country("QR", 0, Summer::Europe, false, 3),
    country("QS", 0, Summer::Europe, false, 3),
    country("QT", 0, Summer::Europe, false, 3),
    country("QU", 1, Summer::Europe, false, 4),
    country("QV", 1, Summer::Europe, false, 4),
    country("QW", 1, Summer::Europe, false, 4),
    country("QX", 1, Summer::Europe, false, 4),
    country("QY", 1, Summer::Europe, false, 5),
    country("QZ", 2, Summer::Europe, false, 5),
    country("XA", 2, Summer::Europe, false, 4),
    country("XB", 2, Summer::Never, true, 6),
    country("XC", 4, Summer::Never, false, 6),
    country("XD", 2, Summer::Never, false, 12),
    country("XE", 3, Summer::Never, false, 12),
    country("XF", 5, Summer::Never, false, 7),
    country("XG", 8, Summer::Never, false, 8),
    country("XH", 9, Summer::Never, false, 9),
    country("XI", 10, Summer::South, false, 10),
    country("XJ", 12, Summer::South, false, 10),
];

/// Some hours in which much of one country, or of the world, does more or less than usual.
struct Shock {
    hours: std::ops::Range<i32>,
    country: Option<u8>,
    factor: f64,
}

/// What the clock on the wall and the calendar beside it say in a country.
pub(crate) struct Local {
    /// 0 to 23.
    pub(crate) hour: usize,
    pub(crate) is_weekend: bool,
    pub(crate) is_holiday: bool,
    /// The last two days of a month and the first of the next.
    pub(crate) is_month_end: bool,
}

/// The history every workload lives in.
pub(crate) struct World {
    /// The day before the first, which is where the tables of days begin.
    eve: Date,
    /// How far each country's clock is ahead of UTC, day by day.
    ahead: Vec<Vec<i32>>,
    holidays: Vec<(u8, Date)>,
    month_ends: Vec<Date>,
    shocks: Vec<Shock>,
    outages: Vec<(u8, std::ops::Range<i32>)>,
}

impl World {
    /// Draws what happens from `first` on for `days` days; rates are for 30 days, outages for each region.
    pub(crate) fn draw(seed: u64, first: Date, days: u32, shock_rate: f64, outage_rate: f64) -> Self {
        let mut draw = Draw::of(key(seed, 0x0000_3057_0A1D));
        let first_hour = first.days() * 24;
        let hours = days as i32 * 24;
        let months = f64::from(days) / 30.0;
        let shocks = (0..draw.poisson(shock_rate * months) as u32)
            .map(|_| {
                let from = first_hour + draw.whole(0, hours - 1);
                let country = draw.chance(0.7).then(|| draw.whole(0, COUNTRIES.len() as i32 - 1) as u8);
                let factor = if draw.chance(0.8) { draw.range(1.3, 2.2) } else { draw.range(0.5, 0.8) };
                Shock { hours: from..from + draw.whole(4, 30), country, factor }
            })
            .collect();
        let mut outages = Vec::new();
        for region in 0..REGIONS.len() as u8 {
            for _ in 0..draw.poisson(outage_rate * months) as u32 {
                let from = first_hour + draw.whole(0, hours - 1);
                outages.push((region, from..from + draw.whole(2, 6)));
            }
        }
        let eve = first.plus(-1);
        let all_days = || (0..days as i32 + 2).map(|day| eve.plus(day));
        let ahead = COUNTRIES.iter().map(|country| all_days().map(|date| country.zone.ahead(date)).collect()).collect();
        let is_month_end = |date: &Date| date.civil().2 == 1 || date.plus(2).civil().2 <= 2;
        let month_ends = (-1..days as i32 + 3).map(|day| eve.plus(day)).filter(is_month_end).collect();
        Self { eve, ahead, holidays: holidays(seed, first, days), month_ends, shocks, outages }
    }

    /// What time it is in a country at an hour counted from 1970 in UTC.
    pub(crate) fn local(&self, country: u8, hour: i32) -> Local {
        let today = (hour.div_euclid(24) - self.eve.days()) as usize;
        let place = usize::from(country);
        let ahead = self.ahead.get(place).and_then(|days| days.get(today)).copied().unwrap_or(0);
        let date = Date::from_days((hour + ahead).div_euclid(24));
        let rest = if COUNTRIES.get(place).is_some_and(|country| country.friday) { [4, 5] } else { [5, 6] };
        Local {
            hour: (hour + ahead).rem_euclid(24) as usize,
            is_weekend: rest.contains(&date.weekday()),
            is_holiday: self.holidays.binary_search(&(country, date)).is_ok(),
            is_month_end: self.month_ends.binary_search(&date).is_ok(),
        }
    }

    /// How much more than usual people of a country do in an hour.
    pub(crate) fn shock(&self, country: u8, hour: i32) -> f64 {
        let felt = |shock: &&Shock| shock.hours.contains(&hour) && shock.country.is_none_or(|only| only == country);
        self.shocks.iter().filter(felt).map(|shock| shock.factor).product()
    }

    /// Whether a region is down in an hour.
    pub(crate) fn is_down(&self, region: u8, hour: i32) -> bool {
        self.outages.iter().any(|(down, hours)| *down == region && hours.contains(&hour))
    }

    /// How many outages there are.
    #[cfg(test)]
    pub(crate) fn outages(&self) -> usize {
        self.outages.len()
    }
}

/// New Year, and nine more days a year that each country has of its own; sorted.
fn holidays(seed: u64, first: Date, days: u32) -> Vec<(u8, Date)> {
    let last = first.plus(days as i32);
    let mut all = Vec::new();
    for country in 0..COUNTRIES.len() as u8 {
        for year in first.civil().0 - 1..=last.civil().0 {
            let Some(new_year) = Date::new(year, 1, 1) else { continue };
            let mut draw = Draw::of(key(key(seed, 0x01E57), u64::from(country)));
            all.push((country, new_year));
            all.extend((0..9).map(|_| (country, new_year.plus(draw.whole(1, 363)))));
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_has_the_outages_and_shocks_it_was_asked_for() {
        let first = Date::new(2026, 1, 1).unwrap();
        let world = World::draw(7, first, 300, 4.0, 1.0);
        assert!((90..=170).contains(&world.outages()), "{}", world.outages());
        assert!((25..=60).contains(&world.shocks.len()));
        let noon = world.local(9, first.days() * 24 + 11);
        assert!((noon.hour, noon.is_holiday, noon.is_weekend, noon.is_month_end) == (12, true, false, true));
        let calm = World::draw(7, first, 300, 0.0, 0.0);
        assert!((0..7_200).all(|hour| !calm.is_down(0, first.days() * 24 + hour)));
        assert!((0..7_200).all(|hour| calm.shock(0, first.days() * 24 + hour) == 1.0));
    }
}
