//! Durations and sizes as people write them.

use std::time::Duration;

/// What a duration may look like, for messages.
pub const DURATION_FORMS: &str =
    "a number of seconds, or one with a unit such as 90s, 10m, 1h30m, 500ms or 2d; 0 for none";
/// What a size may look like, for messages.
pub const SIZE_FORMS: &str =
    "a number of bytes, or one with a unit such as 64K, 10M, 1GiB or 500kB; 0 for none";

/// Parses a duration: `90` and `90s` are seconds; parts may follow one another (`1h30m`).
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits =
            rest.find(|character: char| !character.is_ascii_digit() && character != '.')?;
        let (number, after) = rest.split_at(digits);
        let end = after
            .find(|character: char| character.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        let seconds = match unit.trim() {
            "ms" => 0.001,
            "s" | "sec" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86400.0,
            "w" => 604_800.0,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
        total = total.checked_add(part)?;
        rest = next;
    }
    (!text.is_empty()).then_some(total)
}

/// Parses a size in bytes: K, M, G and T (and KiB …) are powers of 1024, kB … of 1000.
#[must_use]
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim().to_ascii_lowercase();
    let factor: u64 = match unit.as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "kb" => 1000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return None,
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor);
    }
    #[expect(clippy::cast_precision_loss, reason = "a fraction is rough anyway")]
    let bytes = number.parse::<f64>().ok()? * factor as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be in range; digits and a dot are never negative"
    )]
    (bytes < 9e18).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("90", Some(90.0)),
            ("1.5", Some(1.5)),
            ("500ms", Some(0.5)),
            ("1h30m", Some(5400.0)),
            ("2d", Some(172_800.0)),
            ("0", Some(0.0)),
            ("", None),
            ("abc", None),
            ("5x", None),
            ("-1", None),
            ("1e400", None),
            ("nan", None),
            ("5 m", Some(300.0)),
        ] {
            let expected = seconds.map(Duration::from_secs_f64);
            assert_eq!(parse_duration(text), expected, "{text:?}");
        }
    }

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("1048576", Some(1_048_576)),
            ("64K", Some(65_536)),
            ("64k", Some(65_536)),
            ("1GiB", Some(1 << 30)),
            ("500kB", Some(500_000)),
            ("1.5M", Some(1_572_864)),
            ("", None),
            ("-1", None),
            ("1Q", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(parse_size(text), bytes, "{text:?}");
        }
    }
}
