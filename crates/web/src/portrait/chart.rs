//! Geometry of the charts: numbers in, places and labels out. The templates draw; the style sheet colours.
//!
//! A chart is an SVG without a `viewBox`, so that its text keeps its size on every screen: across, places are shares of
//! the width (per cent, or thousandths inside the stretched plot); down, they are pixels. It knows nothing of signals.

/// Pixels above the plot, for half of the topmost label.
pub(crate) const TOP: f64 = 10.0;
/// The plot's height in pixels.
pub(crate) const PLOT: f64 = 180.0;
/// Pixels of the whole chart: labels of the days below the plot.
pub(crate) const HEIGHT: f64 = TOP + PLOT + 26.0;

/// A labelled place on an axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tick {
    /// Per cent of the width, or pixels from the chart's top.
    pub(crate) at: String,
    /// What stands there.
    pub(crate) label: String,
    /// `start`, `middle` or `end`.
    pub(crate) anchor: &'static str,
}

/// A shape of the plot.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shape {
    /// What the style sheet calls it.
    pub(crate) class: &'static str,
    /// The path.
    pub(crate) d: String,
}

/// A key to the shapes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    /// What the style sheet calls it.
    pub(crate) class: &'static str,
    /// What it means.
    pub(crate) text: String,
}

/// The same as a table, for who cannot or would rather not see it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Table {
    /// Heads of the columns.
    pub(crate) head: Vec<String>,
    /// Rows of as many cells.
    pub(crate) rows: Vec<Vec<String>>,
}

/// A chart over days.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TimeChart {
    /// Unique on its page.
    pub(crate) id: &'static str,
    /// The heading.
    pub(crate) title: String,
    /// What is on the vertical axis.
    pub(crate) unit: String,
    /// What there is to see, in a sentence.
    pub(crate) says: String,
    /// Labels of the vertical axis.
    pub(crate) y: Vec<Tick>,
    /// Labels of the days.
    pub(crate) x: Vec<Tick>,
    /// A day that is marked from top to bottom.
    pub(crate) mark: Option<Tick>,
    /// What is drawn, from back to front.
    pub(crate) shapes: Vec<Shape>,
    /// The keys.
    pub(crate) keys: Vec<Key>,
    /// The same as a table.
    pub(crate) table: Table,
}

/// A vertical axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
    ticks: Vec<f64>,
}

impl Axis {
    /// From zero to a round number that is no less than any value.
    pub(crate) fn linear(values: impl Iterator<Item = f64>) -> Self {
        let most = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
        let most = if most > 0.0 { most } else { 1.0 };
        let rough = 10_f64.powf((most / 4.0).log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|nice| nice * rough).into_iter().find(|step| most / step <= 4.0);
        let step = step.unwrap_or(most);
        let count = (most / step).ceil().max(1.0);
        let ticks = (0..=count as usize).map(|tick| tick as f64 * step).collect();
        Self { low: 0.0, high: count * step, logarithmic: false, ticks }
    }

    /// Powers of ten around all values; where one is below one the axis reaches down to it, the ground line.
    pub(crate) fn logarithmic(values: impl Iterator<Item = f64> + Clone) -> Self {
        let positive = || values.clone().filter(|value| value.is_finite() && *value >= 1.0).map(f64::log10);
        let high = positive().fold(1.0, f64::max).ceil();
        let low = positive().fold(high - 1.0, f64::min).floor().clamp(0.0, high - 1.0);
        let low = if values.clone().any(|value| value < 1.0) { 0.0 } else { low };
        let step = ((high - low) / 5.0).ceil().max(1.0);
        let ticks = (0..).map(|tick| low + f64::from(tick) * step).take_while(|power| *power <= high);
        let ticks = ticks.map(|power| 10_f64.powf(power)).collect();
        Self { low, high, logarithmic: true, ticks }
    }

    /// Pixels from the plot's top.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let along = if self.logarithmic { value.max(1.0).log10() } else { value };
        let share = ((along - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        PLOT - share * PLOT
    }

    /// The labels, from the bottom.
    pub(crate) fn labels(&self, unit: impl Fn(f64) -> String) -> Vec<Tick> {
        let label = |value: f64| match value {
            1.0 if self.logarithmic => "1 or none".to_owned(),
            value => unit(value),
        };
        let tick = |value: &f64| Tick { at: pixel(TOP + self.place(*value)), label: label(*value), anchor: "end" };
        self.ticks.iter().map(tick).collect()
    }
}

/// A number of the SVG: a tenth is finer than anybody sees.
pub(crate) fn pixel(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

/// The same, finer: for what lies side by side.
fn hundredths(value: f64) -> String {
    format!("{value:.2}")
}

/// The middle of a slot, in thousandths of the width.
fn middle(slot: usize, slots: usize) -> f64 {
    (slot as f64 + 0.5) * 1_000.0 / slots.max(1) as f64
}

/// At most five labels of slots, the last one always.
pub(crate) fn slots(labels: &[String]) -> Vec<Tick> {
    let step = labels.len().div_ceil(5).max(1);
    let places = (0..labels.len()).rev().step_by(step);
    let mut ticks: Vec<Tick> = places
        .filter_map(|slot| {
            let at = middle(slot, labels.len()) / 10.0;
            let (at, anchor) = match at {
                ..7.0 => (0.0, "start"),
                93.0.. => (100.0, "end"),
                at => (at, "middle"),
            };
            Some(Tick { at: format!("{}%", pixel(at)), label: labels.get(slot)?.clone(), anchor })
        })
        .collect();
    ticks.reverse();
    ticks
}

/// The start of a slot, marked from top to bottom; the label stands on the side that has more room.
pub(crate) fn mark(slot: usize, slots: usize, label: String) -> Tick {
    let at = slot as f64 * 100.0 / slots.max(1) as f64;
    Tick { at: format!("{}%", pixel(at)), label, anchor: if at < 60.0 { "start" } else { "end" } }
}

/// A line through the known values; what is unknown leaves a gap, and a lone value a dot.
pub(crate) fn line(axis: &Axis, values: &[Option<f64>]) -> String {
    let mut out = String::new();
    let mut drawing = false;
    for (slot, value) in values.iter().enumerate() {
        let Some(value) = value else {
            drawing = false;
            continue;
        };
        let (x, y) = (pixel(middle(slot, values.len())), pixel(axis.place(*value)));
        out.push_str(&format!("{}{x} {y}", if drawing { "L" } else { "M" }));
        if !drawing && values.get(slot + 1).is_none_or(Option::is_none) {
            out.push_str("h.1");
        }
        drawing = true;
    }
    out
}

/// The area between two series, where both are known.
pub(crate) fn band(axis: &Axis, bounds: &[Option<(f64, f64)>]) -> String {
    let mut out = String::new();
    let places: Vec<(f64, Option<(f64, f64)>)> =
        bounds.iter().enumerate().map(|(slot, bound)| (middle(slot, bounds.len()), *bound)).collect();
    for run in places.split(|(_, bound)| bound.is_none()).filter(|run| !run.is_empty()) {
        let known = || run.iter().filter_map(|(x, bound)| Some((x, (*bound)?)));
        let mut points: Vec<String> =
            known().map(|(x, (_, high))| format!("{} {}", pixel(*x), pixel(axis.place(high)))).collect();
        points.extend(known().rev().map(|(x, (low, _))| format!("{} {}", pixel(*x), pixel(axis.place(low)))));
        out.push_str(&format!("M{}Z", points.join("L")));
    }
    out
}

/// A bar from the ground for every known value above zero.
pub(crate) fn bars(axis: &Axis, values: &[Option<f64>]) -> String {
    let width = 720.0 / values.len().max(1) as f64;
    let known = values.iter().enumerate().filter_map(|(slot, value)| Some((slot, (*value).filter(|v| *v > 0.0)?)));
    let bar = |(slot, value): (usize, f64)| {
        // What is there at all is seen, be it ever so little.
        let height = (PLOT - axis.place(value)).max(1.0);
        let left = middle(slot, values.len()) - width / 2.0;
        format!("M{} {}h{}v{}h-{}Z", pixel(left), pixel(PLOT - height), pixel(width), pixel(height), pixel(width))
    };
    known.map(bar).collect()
}

/// One cell of the heat map.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cell {
    /// Per cent of the width.
    pub(crate) x: String,
    /// Pixels.
    pub(crate) y: String,
    /// 0 (nothing) to 6 (as much as the fullest hour), or `unknown`.
    pub(crate) class: &'static str,
    /// What stands there.
    pub(crate) title: String,
}

/// Hours of a week.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HeatMap {
    /// What there is to see, in a sentence.
    pub(crate) says: String,
    /// 168 cells, Monday first.
    pub(crate) cells: Vec<Cell>,
    /// Names of the days, with their place.
    pub(crate) days: Vec<Tick>,
    /// Names of some hours, with their place.
    pub(crate) hours: Vec<Tick>,
    /// The least and the most of each shade.
    pub(crate) keys: Vec<Key>,
    /// The same as a table.
    pub(crate) table: Table,
}

/// Per cent of the width left of the cells, for the days' names.
const GUTTER: f64 = 10.0;
/// Pixels from row to row.
const ROW: f64 = 24.0;
const SHADES: [&str; 7] = ["h0", "h1", "h2", "h3", "h4", "h5", "h6"];
/// Monday first, as `usage::Hour::of_week` counts.
pub(crate) const WEEK: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// The shade of a value: by its square root, so that a quiet night differs from nothing.
fn shade(value: f64, most: f64) -> usize {
    if value <= 0.0 || most <= 0.0 {
        return 0;
    }
    ((value / most).sqrt() * 6.0).ceil().clamp(1.0, 6.0) as usize
}

/// The map of 168 values by hour of the week; `None` where the data is not complete.
pub(crate) fn heat(values: &[Option<f64>], says: String, number: impl Fn(f64) -> String, unit: &str) -> HeatMap {
    let most = values.iter().flatten().copied().fold(0.0, f64::max);
    let across = (100.0 - GUTTER) / 24.0;
    let cell = |(place, value): (usize, &Option<f64>)| {
        let (day, hour) = (place / 24, place % 24);
        let name = WEEK.get(day).copied().unwrap_or_default();
        let (class, said) = match value {
            Some(value) => {
                (SHADES.get(shade(*value, most)).copied().unwrap_or_default(), format!("{} {unit}", number(*value)))
            }
            None => ("unknown", "not complete".to_owned()),
        };
        Cell {
            x: format!("{}%", hundredths(GUTTER + hour as f64 * across)),
            y: pixel(day as f64 * ROW),
            class,
            title: format!("{name} {hour:02}:00 UTC: {said}"),
        }
    };
    let key = |(place, class): (usize, &&'static str)| Key {
        class,
        text: match place {
            0 => "none".to_owned(),
            place => format!("≤ {}", number(most * (place as f64 / 6.0).powi(2))),
        },
    };
    let mut keys: Vec<Key> = if most > 0.0 { SHADES.iter().enumerate().map(key).collect() } else { Vec::new() };
    if values.iter().any(Option::is_none) {
        keys.push(Key { class: "unknown", text: "not complete".into() });
    }
    let rows = (0..24).map(|hour| {
        let of = |day: usize| values.get(day * 24 + hour).copied().flatten().map_or_else(|| "–".to_owned(), &number);
        std::iter::once(format!("{hour:02}:00")).chain((0..7).map(of)).collect()
    });
    HeatMap {
        says,
        cells: values.iter().enumerate().take(168).map(cell).collect(),
        days: WEEK
            .iter()
            .enumerate()
            .map(|(day, name)| Tick { at: pixel(day as f64 * ROW + 15.0), label: (*name).to_owned(), anchor: "start" })
            .collect(),
        hours: [0, 6, 12, 18]
            .iter()
            .map(|hour| Tick {
                at: format!("{}%", pixel(GUTTER + f64::from(*hour) * across)),
                label: format!("{hour:02}:00"),
                anchor: "start",
            })
            .collect(),
        keys,
        table: Table {
            head: std::iter::once("hour (UTC)").chain(WEEK).map(str::to_owned).collect(),
            rows: rows.collect(),
        },
    }
}

/// One step of the ledger's waterfall.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    /// What is added.
    pub(crate) name: String,
    /// How much, as a person reads it.
    pub(crate) text: String,
    /// `for`, `against`, `start`, `total` or `none`.
    pub(crate) class: &'static str,
    /// Per cent of the width.
    pub(crate) x: String,
    /// Per cent of the width.
    pub(crate) width: String,
    /// Pixels, of the row's top.
    pub(crate) y: String,
    /// Pixels, of the text's foot.
    pub(crate) foot: String,
}

/// How the score adds up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Waterfall {
    /// The steps.
    pub(crate) steps: Vec<Step>,
    /// The floor's place, per cent.
    pub(crate) floor: Tick,
    /// Pixels.
    pub(crate) height: String,
    /// Pixels of the floor's line.
    pub(crate) floor_foot: String,
}

/// Pixels from step to step.
const STEP: f64 = 28.0;
/// Per cent of the width for the names, and for the numbers.
const NAMES: f64 = 23.0;
const NUMBERS: f64 = 15.0;

/// Stacks steps in hundredths of a deciban, each from where the one before ended; the first and the last stand from the
/// left edge.
pub(crate) fn waterfall(parts: &[(&str, i32, String)], floor: (i32, String)) -> Waterfall {
    let mut sums = vec![0];
    let mut sum = 0;
    for (place, (_, part, _)) in parts.iter().enumerate() {
        sum = if place + 1 == parts.len() { *part } else { sum + part };
        sums.push(sum);
    }
    let body = sums.iter().skip(1).chain([&floor.0]);
    let low = body.clone().copied().min().unwrap_or(0) - 300;
    let high = body.copied().max().unwrap_or(0) + 300;
    let place =
        |value: i32| NAMES + f64::from(value - low) / f64::from((high - low).max(1)) * (100.0 - NAMES - NUMBERS);
    let mut steps = Vec::new();
    for (row, ((name, part, text), (before, to))) in parts.iter().zip(sums.iter().zip(sums.iter().skip(1))).enumerate()
    {
        let last = row + 1 == parts.len();
        let (from, class) = match part.signum() {
            _ if row == 0 => (low, "start"),
            _ if last => (low, "total"),
            1 => (*before, "for"),
            -1 => (*before, "against"),
            _ => (*before, "none"),
        };
        let (left, right) = (place(from.min(*to)), place(from.max(*to)));
        let top = row as f64 * STEP;
        steps.push(Step {
            name: (*name).to_owned(),
            text: text.clone(),
            class,
            x: format!("{}%", pixel(left)),
            width: format!("{}%", pixel((right - left).max(0.3))),
            y: pixel(top + 5.0),
            foot: pixel(top + 18.0),
        });
    }
    let height = parts.len() as f64 * STEP;
    Waterfall {
        steps,
        floor: Tick { at: format!("{}%", pixel(place(floor.0))), label: floor.1, anchor: "middle" },
        height: pixel(height + 22.0),
        floor_foot: pixel(height + 16.0),
    }
}

/// One account of the map.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// Pixels.
    pub(crate) x: String,
    /// Pixels.
    pub(crate) y: String,
    /// Pixels.
    pub(crate) radius: String,
    /// Its number in the table.
    pub(crate) label: String,
    /// `kept` if it is in the finding, else `other`.
    pub(crate) class: &'static str,
    /// What stands there.
    pub(crate) title: String,
}

/// The width and height of the map of accounts, in its own pixels.
pub(crate) const MAP: (f64, f64) = (340.0, 260.0);

/// Places accounts around the workload; the larger an account's share (0 to 1), the larger its circle.
pub(crate) fn around(accounts: &[(f64, bool, String)]) -> Vec<Node> {
    let count = accounts.len().max(1) as f64;
    let place = |(number, (share, kept, title)): (usize, &(f64, bool, String))| {
        let angle = std::f64::consts::TAU * number as f64 / count - std::f64::consts::FRAC_PI_2;
        // Two rings once one would be crowded.
        let reach = if accounts.len() > 14 && number % 2 == 1 { 0.66 } else { 1.0 };
        Node {
            x: pixel(MAP.0 / 2.0 + angle.cos() * 138.0 * reach),
            y: pixel(MAP.1 / 2.0 + angle.sin() * 102.0 * reach),
            radius: pixel(9.0 + 13.0 * share.clamp(0.0, 1.0).sqrt()),
            label: (number + 1).to_string(),
            class: if *kept { "kept" } else { "other" },
            title: title.clone(),
        }
    };
    accounts.iter().enumerate().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_axis_ends_on_a_round_number_and_holds_every_value() {
        for most in [0.0, 0.7, 1.0, 3.0, 9.9, 41.0, 123_456.0, 8.1e15] {
            let axis = Axis::linear([0.0, most].into_iter());
            assert!(axis.high >= most && (2..=5).contains(&axis.ticks.len()), "{most}: {axis:?}");
            assert_eq!((axis.place(0.0), axis.place(axis.high)), (PLOT, 0.0));
        }
        assert_eq!(Axis::linear([41.0].into_iter()).ticks, [0.0, 20.0, 40.0, 60.0]);
    }

    #[test]
    fn a_logarithmic_axis_has_few_powers_of_ten_and_a_ground_for_nothing() {
        let axis = Axis::logarithmic([0.0, 30.0, 2.4e7].into_iter());
        assert_eq!((axis.low, axis.high), (0.0, 8.0));
        assert!(axis.ticks.len() <= 6);
        assert_eq!(Axis::logarithmic([30.0, 2.4e7].into_iter()).low, 1.0);
        assert_eq!(axis.place(0.0), PLOT);
        assert!(axis.place(100.0) > axis.place(1e6));
        let empty = Axis::logarithmic(std::iter::empty());
        assert_eq!((empty.low, empty.high), (0.0, 1.0));
    }

    #[test]
    fn lines_and_bands_have_gaps_where_nothing_is_known() {
        let axis = Axis::linear([4.0].into_iter());
        assert_eq!(line(&axis, &[Some(0.0), Some(4.0), None, Some(2.0)]), "M125 180L375 0M875 90h.1");
        assert_eq!(band(&axis, &[None, Some((0.0, 4.0)), None]), "M500 0L500 180Z");
        assert_eq!(line(&axis, &[None]), "");
    }

    #[test]
    fn bars_stand_on_the_ground_and_the_least_is_seen() {
        let axis = Axis::linear([1_000.0].into_iter());
        assert_eq!(
            bars(&axis, &[Some(1_000.0), None, Some(0.0), Some(0.001)]),
            "M35 0h180v180h-180ZM785 179h180v1h-180Z"
        );
    }

    #[test]
    fn five_labels_at_most_and_the_last_slot_has_one() {
        let names: Vec<String> = (0..42).map(|n| n.to_string()).collect();
        let ticks = slots(&names);
        assert_eq!(ticks.len(), 5);
        assert_eq!(ticks[4], Tick { at: "100%".into(), label: "41".into(), anchor: "end" });
        assert_eq!(slots(&names[..1]).len(), 1);
        assert!(slots(&[]).is_empty());
    }

    #[test]
    fn the_map_has_an_hour_for_every_cell_and_tells_little_from_nothing() {
        let mut values = vec![Some(0.0); 168];
        values[0] = Some(100.0);
        values[1] = Some(0.1);
        values[167] = None;
        let map = heat(&values, String::new(), |value| value.to_string(), "calls");
        assert_eq!(map.cells.len(), 168);
        assert_eq!((map.cells[0].class, map.cells[1].class, map.cells[2].class), ("h6", "h1", "h0"));
        assert_eq!((map.cells[167].class, map.cells[167].title.as_str()), ("unknown", "Sun 23:00 UTC: not complete"));
        assert_eq!(map.table.rows[23][7], "–");
    }

    #[test]
    fn the_waterfall_ends_where_its_parts_lead() {
        let part = |name, hundredths| (name, hundredths, String::new());
        let parts = [part("prior", -5_000), part("scale", 1_600), part("form", -200), part("score", -3_600)];
        let chart = waterfall(&parts, (-1_600, "floor".into()));
        let end = |step: &Step| {
            let number = |text: &str| text.trim_end_matches('%').parse::<f64>().unwrap();
            (number(&step.x), number(&step.x) + number(&step.width))
        };
        assert_eq!(chart.steps.iter().map(|step| step.class).collect::<Vec<_>>(), ["start", "for", "against", "total"]);
        assert!((end(&chart.steps[0]).1 - end(&chart.steps[1]).0).abs() < 0.11, "scale starts where the prior ends");
        assert!((end(&chart.steps[3]).1 - end(&chart.steps[2]).0).abs() < 0.11, "the score ends where the form does");
    }

    #[test]
    fn accounts_stay_on_the_map() {
        let accounts: Vec<_> = (0..24).map(|n| (f64::from(n) / 24.0, true, String::new())).collect();
        for node in around(&accounts) {
            let (x, y, radius): (f64, f64, f64) =
                (node.x.parse().unwrap(), node.y.parse().unwrap(), node.radius.parse().unwrap());
            assert!(x - radius >= 0.0 && x + radius <= MAP.0 && y - radius >= 0.0 && y + radius <= MAP.1, "{node:?}");
        }
    }
}
