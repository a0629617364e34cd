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

# The whole table beside the peers, under 40 minutes; `just bench --help` shows the rest, bench/README.md what it needs
bench *arguments:
    cargo build --release
    cargo build --release -p tunesmith-kernels --example peak
    "$(bash parity/venv.sh)/bin/python" bench/table.py --minilm "$(bash parity/minilm.sh | tail -1)" {{arguments}}
