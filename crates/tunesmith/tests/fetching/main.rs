//! Models from a hub, as users of the program meet them; the hub is a stand-in on loopback.

mod killed;
mod logging_in;
mod naming;
mod wire;
