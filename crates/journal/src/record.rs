//! A line of the journal: an event, and when and in which attempt it was said.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::Event;

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Counts the lines of the whole file from 1, without gaps.
    pub sequence: u64,
    /// Counts the starts of the program on this run from 1.
    pub attempt: u32,
    /// When it was said, to the millisecond.
    #[serde(with = "rfc3339")]
    pub time: SystemTime,
    /// What was said.
    #[serde(flatten)]
    pub event: Event,
}

/// Times as people read them: `2026-11-22T03:44:43.123Z`.
mod rfc3339 {
    use std::time::SystemTime;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_rfc3339_millis(*time))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
        humantime::parse_rfc3339(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
