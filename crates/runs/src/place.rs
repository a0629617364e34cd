//! Folders in JSON, which holds text only: what of a name is no text becomes a replacement character.

use std::path::Path;

use serde::Serializer;

pub(crate) fn serialize<S: Serializer>(place: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&place.display())
}
