//! How soon a false claim is seen through: the note's table of power.

use asupersync_monitor::{EProcess, Grid, Level, Ratio};

use crate::walk::{at_most, close, rate, walk};

/// Chances to reject by 200 and 1000 observations, mean and median time of those that reject within 3000.
fn sees<P: EProcess + Clone>(process: &P, truth: f64, by: [f64; 2], mean: f64, median: usize) {
    let walk = walk(process, truth, 3000, Level::FIVE_PERCENT);
    close(walk.reached_by(200), by[0], 1e-6);
    close(walk.reached_by(1000), by[1], 1e-6);
    close(walk.mean_time(), mean, 0.0051);
    assert_eq!(walk.median_time(), median);
}

#[test]
fn twice_the_promised_rate_is_seen_as_soon_as_tabled() {
    sees(&Ratio::new(at_most(0.05), rate(0.1)).unwrap(), 0.1, [0.744137, 0.998631], 157.36, 118);
    sees(&Grid::new(at_most(0.05)), 0.1, [0.592847, 0.996852], 201.43, 165);
}

#[test]
fn four_times_the_promised_rate_is_seen_as_soon_as_tabled() {
    sees(&Ratio::new(at_most(0.05), rate(0.2)).unwrap(), 0.2, [0.999660, 1.0], 25.61, 18);
    sees(&Grid::new(at_most(0.05)), 0.2, [0.999955, 1.0], 29.17, 22);
}

#[test]
fn five_times_a_small_rate_is_seen_as_soon_as_tabled() {
    sees(&Ratio::new(at_most(0.01), rate(0.05)).unwrap(), 0.05, [0.916306, 0.999974], 87.65, 66);
}
