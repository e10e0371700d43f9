//! Where the reading of a partition begins.
//!
//! Promises: pure; never begins past a record at or after the wanted time, whatever the broker answers.

use super::survey::{Ends, Found};

/// What is wanted of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// All that the broker still has.
    Earliest,
    /// Only what comes from now on.
    Latest,
    /// From the first record whose Kafka timestamp is at or after this time (ms since the Unix epoch).
    SinceMs(i64),
}

/// The offset to begin at. `indexed` says whether the broker answers questions about times at all: its answer
/// "nothing so young" then means the end of the partition; otherwise nothing is known, and all is read.
pub(crate) fn offset(point: Point, found: Found, ends: Ends, indexed: bool) -> i64 {
    match point {
        Point::Earliest => ends.low,
        Point::Latest => ends.high,
        Point::SinceMs(_) => match found {
            Found::At(offset) => offset.max(ends.low),
            Found::None if indexed => ends.high,
            Found::None | Found::Failed => ends.low,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_the_broker_cannot_look_up_means_everything() {
        let ends = Ends { low: 10, high: 500 };
        let since = Point::SinceMs(1_700_000_000_000);
        assert_eq!(offset(since, Found::At(77), ends, true), 77);
        assert_eq!(
            offset(since, Found::At(7), ends, true),
            10,
            "retention removed it meanwhile"
        );
        assert_eq!(
            offset(since, Found::None, ends, true),
            500,
            "nothing so young: only what comes"
        );
        assert_eq!(offset(since, Found::None, ends, false), 10);
        assert_eq!(offset(since, Found::Failed, ends, true), 10);
        assert_eq!(offset(Point::Earliest, Found::At(77), ends, true), 10);
        assert_eq!(offset(Point::Latest, Found::At(77), ends, true), 500);
    }
}
