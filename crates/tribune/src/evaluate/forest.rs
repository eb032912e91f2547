//! An isolation forest, as a rival: F. T. Liu, K. M. Ting and Z.-H. Zhou, "Isolation Forest" (2008).
//!
//! What few random cuts separate from the rest is an outlier. The features are integers, the cuts come from a seeded
//! generator of its own, and the samples depend on the order of the points only. Tribune itself does not use it.

/// Trees, and points that each is grown on: the paper's defaults.
const TREES: u64 = 100;
const SAMPLE: usize = 256;

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to but without `n`; `n` must not be 0.
    fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }
}

enum Node {
    /// How many points of the sample end here.
    Leaf(usize),
    /// Points whose feature is at most the cut go to the first.
    Cut { feature: usize, at: i64, below: Box<Node>, above: Box<Node> },
}

/// How unusual each point is, from 0 to 1. All points must have the same number of features.
pub(super) fn scores<const N: usize>(points: &[[i64; N]], seed: u64) -> Vec<f64> {
    if points.is_empty() {
        return Vec::new();
    }
    let size = points.len().min(SAMPLE);
    let deepest = usize::BITS - (size - 1).leading_zeros();
    let mut depths = vec![0.0; points.len()];
    for tree in 0..TREES {
        let mut draw = Draw(seed ^ (tree << 32));
        let tree = grow(&mut sample(points, size, &mut draw), deepest, &mut draw);
        for (depth, point) in depths.iter_mut().zip(points) {
            *depth += path(&tree, point);
        }
    }
    let usual = unsuccessful_search(size).max(f64::MIN_POSITIVE);
    depths.into_iter().map(|depth| (-depth / TREES as f64 / usual).exp2()).collect()
}

/// Points without repetition: selection sampling (Knuth, volume 2, 3.4.2 S).
fn sample<'a, const N: usize>(points: &'a [[i64; N]], size: usize, draw: &mut Draw) -> Vec<&'a [i64; N]> {
    let mut chosen = Vec::with_capacity(size);
    for (point, left) in points.iter().zip((1..=points.len() as u64).rev()) {
        if draw.below(left) < (size - chosen.len()) as u64 {
            chosen.push(point);
        }
    }
    chosen
}

fn grow<const N: usize>(points: &mut [&[i64; N]], deeper: u32, draw: &mut Draw) -> Node {
    let range = |feature: usize| {
        let values = || points.iter().filter_map(|point| point.get(feature).copied());
        values().min().zip(values().max()).filter(|(low, high)| low < high)
    };
    let open: Vec<(usize, (i64, i64))> = (0..N).filter_map(|feature| Some((feature, range(feature)?))).collect();
    if deeper == 0 || open.is_empty() {
        return Node::Leaf(points.len());
    }
    let Some((feature, (low, high))) = open.get(draw.below(open.len() as u64) as usize).copied() else {
        return Node::Leaf(points.len());
    };
    let at = low + draw.below(high.abs_diff(low)) as i64;
    points.sort_by_key(|point| point.get(feature).copied());
    let (below, above) = points.split_at_mut(points.partition_point(|p| p.get(feature).is_some_and(|own| *own <= at)));
    let below = Box::new(grow(below, deeper - 1, draw));
    Node::Cut { feature, at, below, above: Box::new(grow(above, deeper - 1, draw)) }
}

fn path<const N: usize>(mut node: &Node, point: &[i64; N]) -> f64 {
    let mut depth = 0.0;
    loop {
        match node {
            Node::Leaf(points) => return depth + unsuccessful_search(*points),
            Node::Cut { feature, at, below, above } => {
                node = if point.get(*feature).is_some_and(|own| own <= at) { below } else { above };
                depth += 1.0;
            }
        }
    }
}

/// The mean depth of an unsuccessful search in a binary tree of `n` points: what a leaf of `n` would still take.
fn unsuccessful_search(n: usize) -> f64 {
    if n < 2 {
        return 0.0;
    }
    let harmonic: f64 = (1..n).map(|i| 1.0 / i as f64).sum();
    2.0 * harmonic - 2.0 * (n - 1) as f64 / n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cloud around the origin and one point far from it.
    fn cloud() -> Vec<[i64; 3]> {
        let mut draw = Draw(1);
        let mut points: Vec<[i64; 3]> = (0..600).map(|_| [0; 3].map(|_: i32| draw.below(1_000) as i64)).collect();
        points.push([4_000, 0, 5_000]);
        points
    }

    #[test]
    fn an_outlier_stands_out() {
        let scores = scores(&cloud(), 7);
        let (outlier, others) = scores.split_last().unwrap();
        assert!(others.iter().all(|own| own < outlier), "{outlier}");
        assert!(*outlier > 0.6 && scores.iter().all(|own| (0.0..=1.0).contains(own)));
        let mean = others.iter().sum::<f64>() / others.len() as f64;
        assert!((0.35..0.55).contains(&mean), "{mean}");
    }

    #[test]
    fn the_same_seed_gives_the_same_bits_and_another_does_not() {
        let bits = |seed| scores(&cloud(), seed).into_iter().map(f64::to_bits).collect::<Vec<_>>();
        assert_eq!(bits(7), bits(7));
        assert_ne!(bits(7), bits(8));
    }

    #[test]
    fn points_that_are_all_alike_or_one_or_none_are_no_outliers() {
        assert!(scores::<3>(&[], 7).is_empty());
        assert_eq!(scores(&[[1, 2]], 7).len(), 1);
        let alike = scores(&[[3, 3]; 50], 7);
        assert!(alike.iter().all(|own| (own - 0.5).abs() < 1e-9), "{alike:?}");
    }

    #[test]
    fn the_depth_of_a_search_is_as_known() {
        assert_eq!(unsuccessful_search(2), 1.0);
        // Twice the 255th harmonic number, 6.120 438 71, less 510 ÷ 256.
        assert!((unsuccessful_search(256) - 10.248_689_9).abs() < 1e-6);
    }
}
