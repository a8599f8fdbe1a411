//! Times: nanoseconds since the Unix epoch, protobuf's timestamps, and the SDK's texts of them in keys.

use tendermint_proto::google::protobuf::{Duration, Timestamp};
use time::OffsetDateTime;

const SECOND: i128 = 1_000_000_000;

/// Nanoseconds since the Unix epoch.
pub fn nanos(t: &Timestamp) -> i128 {
    i128::from(t.seconds) * SECOND + i128::from(t.nanos)
}

/// Nanoseconds of a duration.
pub fn duration(d: &Duration) -> i128 {
    i128::from(d.seconds) * SECOND + i128::from(d.nanos)
}

/// The timestamp of so many nanoseconds; those beyond its range are the nearest in it.
pub fn stamp(nanos: i128) -> Timestamp {
    let seconds = i64::try_from(nanos.div_euclid(SECOND));
    Timestamp {
        seconds: seconds.unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }),
        nanos: i32::try_from(nanos.rem_euclid(SECOND)).unwrap_or(0),
    }
}

fn date(nanos: i128) -> Option<String> {
    let t = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?;
    (t.year() >= 0).then(|| {
        let (date, clock) = (t.date(), t.time());
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            date.year(),
            u8::from(date.month()),
            date.day(),
            clock.hour(),
            clock.minute(),
            clock.second()
        )
    })
}

/// As the SDK writes times in keys: `2006-01-02T15:04:05.000000000`, which sort as the times do. `None`: before the
/// year 0 or after 9999.
pub fn sortable(nanos: i128) -> Option<Vec<u8>> {
    let fraction = nanos.rem_euclid(SECOND);
    date(nanos).map(|date| format!("{date}.{fraction:09}").into_bytes())
}

/// As texts of errors have it: `2006-01-02T15:04:05Z`.
pub fn rfc3339(nanos: i128) -> String {
    date(nanos).map_or_else(|| format!("{nanos} ns since 1970"), |date| date + "Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_both_ways_and_sort() {
        for t in [0, 1, -1, 1_900_000_000 * SECOND + 120_000_000] {
            assert_eq!(nanos(&stamp(t)), t);
        }
        let t = 1_900_000_000 * SECOND + 120_000_000;
        assert_eq!(sortable(t).unwrap(), b"2030-03-17T17:46:40.120000000");
        assert_eq!(rfc3339(t), "2030-03-17T17:46:40Z");
        assert_eq!(sortable(i128::from(i64::MAX) * SECOND), None);
        assert!(sortable(t) < sortable(t + 1));
        assert_eq!(stamp(i128::MAX).seconds, i64::MAX);
    }
}
