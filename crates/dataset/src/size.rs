//! Sizes as scikit-learn has them: `0.1` is a share, `2000` a number of rows.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How large a split is: a share of the rows, or a number of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Size {
    /// Between 0 and 1, rounded up to whole rows.
    Share(f64),
    /// As many rows; 0 for none.
    Count(usize),
}

impl Size {
    /// How many of `rows` rows it asks for.
    pub fn of(self, rows: usize) -> usize {
        match self {
            Self::Count(count) => count,
            // 0.1 of 30 rows is 3.0000000000000004 in floating point, which must not become 4.
            Self::Share(share) => ((share * rows as f64) * (1.0 - 4.0 * f64::EPSILON)).ceil() as usize,
        }
    }

    /// Whether it asks for nothing.
    pub fn is_zero(self) -> bool {
        self == Self::Count(0)
    }
}

impl FromStr for Size {
    type Err = Error;

    /// A number with a point is a share, one without is a count.
    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        if let Ok(count) = text.parse() {
            return Ok(Self::Count(count));
        }
        match text.parse::<f64>() {
            Ok(0.0) => Ok(Self::Count(0)),
            Ok(share) if share > 0.0 && share < 1.0 => Ok(Self::Share(share)),
            _ => Err(Error::Size { got: text.to_owned() }),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(share) => write!(f, "{share}"),
            Self::Count(count) => write!(f, "{count}"),
        }
    }
}

impl Serialize for Size {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Share(share) => serializer.serialize_f64(*share),
            Self::Count(count) => serializer.serialize_u64(*count as u64),
        }
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Count(usize),
            Share(f64),
            Text(String),
        }
        let text = match Raw::deserialize(deserializer)? {
            Raw::Count(count) => return Ok(Self::Count(count)),
            Raw::Share(share) => format!("{share:?}"),
            Raw::Text(text) => text,
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shares_or_counts() {
        assert_eq!("0.1".parse::<Size>().unwrap(), Size::Share(0.1));
        assert_eq!("2000".parse::<Size>().unwrap(), Size::Count(2000));
        assert!("0".parse::<Size>().unwrap().is_zero() && "0.0".parse::<Size>().unwrap().is_zero());
        for wrong in ["1.0", "1.5", "-1", "-0.1", "", "ten", "nan", "inf"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
        assert_eq!(Size::Share(0.1).of(30), 3);
        assert_eq!(Size::Share(0.2).of(5574), 1115);
        assert_eq!(Size::Share(0.1).of(31), 4);
    }
}
