//! What TensorBoard's tab of hyperparameters wants to know of a run: the settings when it begins, its status at its end.
//!
//! Numbers of fields are those of `plugin_data.proto` of the plugin `hparams` in TensorBoard 2.21 and of
//! `google/protobuf/struct.proto`. The plugin finds out itself which settings and metrics the runs in a folder have.

use journal::RunInfo;
use serde_json::Value;

use super::event::{self, At};
use crate::protobuf::Message;

const PLUGIN: &str = "hparams";

/// `Status` of `api.proto`.
const SUCCESS: u64 = 1;

/// The settings of a run that begins.
pub(super) fn begin(at: At, run: &RunInfo) -> Message {
    let settings = run.settings.iter().filter_map(|(name, setting)| Some((name.as_str(), value(setting)?)));
    let entries = settings.map(|(name, value)| Message::new().text(1, name).message(2, &value));
    let info = entries.fold(Message::new(), |info, entry| info.message(1, &entry));
    let info = info.double(5, event::seconds(at.time));
    event::plugin(at, "_hparams_/session_start_info", PLUGIN, &Message::new().message(3, &info))
}

/// The end of a run that did everything. Of no other end is anything said: the plugin believes the first that it hears,
/// and a run that failed or was interrupted may be resumed.
pub(super) fn end(at: At) -> Message {
    let info = Message::new().number(1, SUCCESS).double(2, event::seconds(at.time));
    event::plugin(at, "_hparams_/session_end_info", PLUGIN, &Message::new().message(4, &info))
}

/// A setting as `google.protobuf.Value`; lists and tables as text, because the plugin takes none.
fn value(setting: &Value) -> Option<Message> {
    match setting {
        Value::Null => None,
        Value::Bool(yes) => Some(Message::new().chosen_number(4, (*yes).into())),
        Value::Number(number) => Some(Message::new().double(2, number.as_f64()?)),
        Value::String(text) => Some(Message::new().bytes(3, text.as_bytes())),
        Value::Array(_) | Value::Object(_) => Some(Message::new().bytes(3, setting.to_string().as_bytes())),
    }
}
