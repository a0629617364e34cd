#!/usr/bin/env bash
# Asks the real wandb client whether it agrees with ours. Makes its own Python environment on first use.
#
#   cargo build --release -p tunesmith-track --example deliver_wandb
#   bash parity/wandb.sh [arguments of pytest]
#
# TUNESMITH_DELIVER_WANDB  the program that delivers a run (default: in the release folder of CARGO_TARGET_DIR or target/)
# TUNESMITH_WANDB_VENV     the environment (default: ~/.cache/tunesmith/wandb-venv; PyPI, about 30 MB)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TUNESMITH_DELIVER_WANDB=${TUNESMITH_DELIVER_WANDB:-${CARGO_TARGET_DIR:-$here/../target}/release/examples/deliver_wandb}
if [ ! -x "$TUNESMITH_DELIVER_WANDB" ]; then
    echo "failed to find $TUNESMITH_DELIVER_WANDB: build it with cargo build --release -p tunesmith-track --example deliver_wandb" >&2
    exit 1
fi
TUNESMITH_DELIVER_WANDB=$(realpath "$TUNESMITH_DELIVER_WANDB")
export TUNESMITH_DELIVER_WANDB

venv=${TUNESMITH_WANDB_VENV:-$HOME/.cache/tunesmith/wandb-venv}
key=$(cat "$here/requirements-wandb.txt" "$here/wandb.sh" | sha256sum | cut -d' ' -f1)
if [ "$(cat "$venv/tunesmith-key" 2>/dev/null)" != "$key" ]; then
    echo "making the Python environment in $venv (a minute, once)" >&2
    rm -rf "$venv"
    "${PYTHON:-python3}" -m venv "$venv" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements-wandb.txt" >&2
    echo "$key" > "$venv/tunesmith-key"
fi
cd "$here"
# The fixtures of the other tests want transformers.
exec "$venv/bin/python" -m pytest --noconftest -p no:cacheprovider test_wandb.py "$@"
