# What a change has to pass. `just --list` shows everything.

# Everything that can be checked on one machine
check: fmt clippy test docs deny

# Formatting, without changing a file
fmt:
    cargo fmt --all -- --check

# Lints, with warnings as errors
clippy:
    cargo clippy --workspace --all-targets -- -D warnings

# Every test; none needs a network
test:
    cargo test --release --workspace

# Documentation, with warnings as errors
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

# Licences, advisories and sources of what we depend on
deny:
    cargo deny check

# The real transformers reads what we write, and we read what it writes; makes its own Python environment
parity *arguments:
    cargo build --release
    bash parity/run.sh {{arguments}}

# Speed beside the Trainer of transformers; see bench/README.md for the cases and what they need
bench *arguments:
    cargo build --release
    "$(bash parity/venv.sh)/bin/python" bench/compare.py {{arguments}}
