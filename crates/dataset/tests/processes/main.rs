//! What can only be seen from outside a process: how much memory it takes, and what is left when it is killed.

#[cfg(target_os = "linux")]
mod bounded;
#[cfg(unix)]
mod killed;
mod prepare;
