//! Figures as people read them.

/// `8 s`, `3 min 20 s`, `2 h 05 min`.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "?".to_owned();
    }
    if seconds < 9.95 {
        return format!("{:.1} s", seconds.max(0.0));
    }
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// `12,345`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1.4 GB`.
pub(crate) fn bytes(number: u64) -> String {
    match number as f64 {
        large if large >= 1e9 => format!("{:.1} GB", large / 1e9),
        middle if middle >= 1e6 => format!("{:.1} MB", middle / 1e6),
        small if small >= 1e3 => format!("{:.1} kB", small / 1e3),
        _ => format!("{number} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_as_fine_as_they_need_to_be() {
        let cases = [
            (0.04, "0.0 s"),
            (8.26, "8.3 s"),
            (9.96, "10 s"),
            (59.6, "1 min 00 s"),
            (200.0, "3 min 20 s"),
            (7512.0, "2 h 05 min"),
            (f64::INFINITY, "?"),
        ];
        for (seconds, text) in cases {
            assert_eq!(duration(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn bytes_have_the_unit_that_suits_them() {
        for (number, text) in [(0, "0 bytes"), (999, "999 bytes"), (90_868_376, "90.9 MB"), (1_400_000_000, "1.4 GB")] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn counts_have_commas_between_thousands() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
    }
}
