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

# The kernels under AddressSanitizer: every `unsafe` part, under every instruction set that this processor has
sanitize:
    RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address cargo test --release -p tunesmith-kernels --tests \
        --target {{arch()}}-unknown-linux-gnu --target-dir target/sanitize

# Licences, advisories and sources of what we depend on
deny:
    cargo deny check

# The real transformers reads what we write, and we read what it writes; makes its own Python environment
parity *arguments:
    cargo build --release
    bash parity/run.sh {{arguments}}

# The real MLflow server is brought runs and asked for them; makes its own Python environment
parity-mlflow *arguments:
    cargo build --release -p tunesmith-track --example deliver_mlflow
    bash parity/mlflow.sh {{arguments}}

# The real datasets library and tunesmith ask one stand-in of the Hub for data sets; makes its own Python environment
parity-data *arguments:
    cargo build --release -p tunesmith -p tunesmith-hub-stand-in
    bash parity/data_sets.sh {{arguments}}

# The real wandb client beside ours, and a server that both agree with; makes its own Python environment
parity-wandb *arguments:
    cargo build --release -p tunesmith-track --example deliver_wandb
    bash parity/wandb.sh {{arguments}}

# The real huggingface_hub and transformers use what is pushed and packed; makes its own Python environment
parity-push *arguments:
    cargo build --release -p tunesmith -p tunesmith-hub-stand-in
    bash parity/push.sh {{arguments}}

# The real Flyte 2 runs a job that we export; makes its own Python environment
parity-flyte *arguments:
    cargo build --release -p tunesmith
    bash parity/flyte.sh {{arguments}}

# The real huggingface_hub and we fetch from one stand-in into one cache; makes its own Python environment
parity-hub *arguments:
    cargo build --release -p tunesmith -p tunesmith-hub-stand-in
    bash parity/hub.sh {{arguments}}

# The whole table beside the peers, under 40 minutes; `just bench --help` shows the rest, bench/README.md what it needs
bench *arguments:
    cargo build --release
    cargo build --release -p tunesmith-kernels --example peak
    "$(bash parity/venv.sh)/bin/python" bench/table.py --minilm "$(bash parity/minilm.sh | tail -1)" {{arguments}}
