//! Absolute times in nanoseconds since 1990-01-01T00:00:00 UTC: Mantid's `DateAndTime`. Promises: conversions to and from
//! the Unix epoch and ISO 8601 saturate and never panic. Must not: know time zones; an offset in a text is applied.

use live_data_engine::time::PulseTime;

/// Seconds from the Unix epoch to 1990-01-01T00:00:00 UTC: 7305 days.
pub const EPOCH_OFFSET_SECONDS: i64 = 631_152_000;
const EPOCH_OFFSET_NS: i64 = EPOCH_OFFSET_SECONDS * 1_000_000_000;
const NS: i64 = 1_000_000_000;

/// Time in nanoseconds since 1990-01-01T00:00:00 UTC, between the years 1697 and 2282.
///
/// ```
/// # use live_data_reduction::date_and_time::DateAndTime;
/// let time = DateAndTime::parse("1990-01-01T00:00:01").unwrap();
/// assert_eq!((time.nanoseconds(), time.unix_nanoseconds()), (1_000_000_000, 631_152_001_000_000_000));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct DateAndTime(i64);

impl DateAndTime {
    /// Time from nanoseconds since 1990-01-01T00:00:00 UTC.
    pub const fn from_nanoseconds(ns: i64) -> Self {
        Self(ns)
    }

    /// Time from nanoseconds since the Unix epoch; saturates.
    pub const fn from_unix_nanoseconds(ns: i64) -> Self {
        Self(ns.saturating_sub(EPOCH_OFFSET_NS))
    }

    /// Time of a pulse, converted from the engine's epoch, Unix.
    pub fn from_pulse(time: PulseTime) -> Self {
        Self::from_unix_nanoseconds(time.nanos())
    }

    /// Pulse time in the engine's epoch, Unix.
    pub fn to_pulse(self) -> PulseTime {
        PulseTime::from_nanos(self.unix_nanoseconds())
    }

    /// Nanoseconds since 1990-01-01T00:00:00 UTC.
    pub const fn nanoseconds(self) -> i64 {
        self.0
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn unix_nanoseconds(self) -> i64 {
        self.0.saturating_add(EPOCH_OFFSET_NS)
    }

    /// Time `seconds` later, rounded to ns; saturates.
    pub fn plus_seconds(self, seconds: f64) -> Self {
        Self(self.0.saturating_add((seconds * NS as f64).round() as i64))
    }

    /// Seconds from `earlier` to this time.
    pub fn seconds_since(self, earlier: Self) -> f64 {
        (i128::from(self.0) - i128::from(earlier.0)) as f64 / NS as f64
    }

    /// Present time of the system clock.
    pub fn now() -> Self {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Self::from_unix_nanoseconds(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    }

    /// Time of an ISO 8601 text, with an optional `Z` or `+hh:mm`; `None` for other texts.
    ///
    /// Forms: `2020-01-31`, `2020-01-31T12:00:00` and `2020-01-31 12:00:00.123456789`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (date, rest) = text.split_at_checked(10)?;
        let mut fields = date.split('-');
        let year: i64 = fields.next()?.parse().ok()?;
        let month: i64 = fields.next()?.parse().ok()?;
        let day: i64 = fields.next()?.parse().ok()?;
        if fields.next().is_some() || !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
            return None;
        }
        let days = days_from_civil(year, month, day);
        let (clock, offset) = split_offset(rest)?;
        let ns = parse_clock(clock)?;
        let total = i128::from(days) * 86_400 * i128::from(NS) + i128::from(ns) - i128::from(offset) * i128::from(NS);
        Some(Self::from_unix_nanoseconds(i64::try_from(total).ok()?))
    }

    /// ISO 8601 text with as many decimals as needed: `2020-01-31T12:00:00.5`.
    pub fn to_iso(self) -> String {
        let (seconds, fraction) = self.to_parts();
        if fraction == 0 {
            return seconds;
        }
        let digits = format!("{fraction:09}");
        format!("{seconds}.{}", digits.trim_end_matches('0'))
    }

    /// ISO 8601 text without fraction: `2020-01-31T12:00:00`.
    pub fn to_iso_seconds(self) -> String {
        self.to_parts().0
    }

    /// ISO 8601 text with nine decimals: `2020-01-31T12:00:00.123456789`.
    pub fn to_iso_nanoseconds(self) -> String {
        let (seconds, fraction) = self.to_parts();
        format!("{seconds}.{fraction:09}")
    }

    /// Text as Mantid prints time series: `2020-Jan-31 12:00:00.500000000`, without fraction for whole seconds.
    pub fn to_simple(self) -> String {
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let (seconds, fraction) = self.to_parts();
        let parts: Vec<&str> = seconds.split(['-', 'T']).collect();
        let [year, month, day, clock] = parts[..] else {
            return seconds;
        };
        let month = month.parse().ok().and_then(|at: usize| MONTHS.get(at.wrapping_sub(1)));
        let text = format!("{year}-{}-{day} {clock}", month.copied().unwrap_or_default());
        match fraction {
            0 => text,
            _ => format!("{text}.{fraction:09}"),
        }
    }

    fn to_parts(self) -> (String, i64) {
        let unix = i128::from(self.0) + i128::from(EPOCH_OFFSET_NS);
        let seconds = unix.div_euclid(i128::from(NS)) as i64;
        let fraction = unix.rem_euclid(i128::from(NS)) as i64;
        let (days, clock) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
        (
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"),
            fraction,
        )
    }
}

impl std::fmt::Display for DateAndTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_iso())
    }
}

fn split_offset(rest: &str) -> Option<(&str, i64)> {
    if let Some(clock) = rest.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = rest.rfind(['+', '-']) else {
        return Some((rest, 0));
    };
    let (clock, offset) = rest.split_at(at);
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let digits: String = offset.chars().filter(char::is_ascii_digit).collect();
    let (hours, minutes) = match digits.len() {
        2 => (digits.parse::<i64>().ok()?, 0),
        4 => (
            digits.get(..2)?.parse::<i64>().ok()?,
            digits.get(2..)?.parse::<i64>().ok()?,
        ),
        _ => return None,
    };
    Some((clock, sign * (hours * 3600 + minutes * 60)))
}

fn parse_clock(clock: &str) -> Option<i64> {
    let clock = clock.trim_start_matches(['T', ' ']);
    if clock.is_empty() {
        return Some(0);
    }
    let mut fields = clock.split(':');
    let hour: i64 = fields.next()?.parse().ok()?;
    let minute: i64 = fields.next()?.parse().ok()?;
    let seconds = fields.next().unwrap_or("0");
    if fields.next().is_some() || !(0..24).contains(&hour) || !(0..60).contains(&minute) {
        return None;
    }
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let second: i64 = whole.parse().ok()?;
    if !(0..=60).contains(&second) || !fraction.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let mut ns = 0;
    for (place, digit) in fraction.chars().take(9).enumerate() {
        ns += i64::from(digit.to_digit(10)?) * 10_i64.pow(8 - place as u32);
    }
    Some((hour * 3600 + minute * 60 + second) * NS + ns)
}

fn leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar, counting years from March: leap days come last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn text_and_nanoseconds_agree() {
        assert_eq!(DateAndTime::parse("1990-01-01T00:00:00").unwrap().nanoseconds(), 0);
        let t = DateAndTime::parse("2024-02-29T23:59:59.000000001Z").unwrap();
        assert_eq!(t.unix_nanoseconds(), 1_709_251_199_000_000_001);
        assert_eq!(t.to_iso(), "2024-02-29T23:59:59.000000001");
        assert_eq!(
            DateAndTime::parse("2024-02-29 23:59:59+01:00").unwrap().to_iso(),
            "2024-02-29T22:59:59"
        );
        assert_eq!(
            DateAndTime::parse("2010-01-01").unwrap().to_iso_seconds(),
            "2010-01-01T00:00:00"
        );
    }

    #[test]
    fn nonsense_is_no_time() {
        for text in [
            "",
            "x",
            "2023-02-29",
            "2023-13-01",
            "2023-01-01T25:00:00",
            "2023-01-01T00:00:0x",
            "äöüäöüäöüäöü",
        ] {
            assert_eq!(DateAndTime::parse(text), None, "{text}");
        }
    }

    #[test]
    fn series_are_printed_with_the_months_name() {
        let time = |text: &str| DateAndTime::parse(text).unwrap().to_simple();
        assert_eq!(time("2007-11-27T17:10:35"), "2007-Nov-27 17:10:35");
        assert_eq!(time("2020-01-31T12:00:00.5"), "2020-Jan-31 12:00:00.500000000");
    }

    proptest::proptest! {
        #[test]
        fn every_time_reads_back(ns in proptest::num::i64::ANY) {
            let t = DateAndTime::from_nanoseconds(ns);
            let year = t.to_iso();
            if t.unix_nanoseconds() < i64::MAX && ns > i64::MIN + 1 && year.len() >= 19 && !year.starts_with('-') {
                proptest::prop_assert_eq!(DateAndTime::parse(&t.to_iso_nanoseconds()), Some(t));
            }
        }
    }
}
