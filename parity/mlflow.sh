#!/usr/bin/env bash
# Asks a real MLflow server whether what tunesmith brings it is there. Makes its own Python environment on first use.
#
#   cargo build --release -p tunesmith-track --example deliver_mlflow
#   bash parity/mlflow.sh [arguments of pytest]
#
# TUNESMITH_DELIVER      the program that delivers a run (default: in the release folder of CARGO_TARGET_DIR or target/)
# TUNESMITH_MLFLOW_VENV  the environment (default: ~/.cache/tunesmith/mlflow-venv; PyPI, about 400 MB)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TUNESMITH_DELIVER=${TUNESMITH_DELIVER:-${CARGO_TARGET_DIR:-$here/../target}/release/examples/deliver_mlflow}
if [ ! -x "$TUNESMITH_DELIVER" ]; then
    echo "failed to find $TUNESMITH_DELIVER: build it with cargo build --release -p tunesmith-track --example deliver_mlflow" >&2
    exit 1
fi
TUNESMITH_DELIVER=$(realpath "$TUNESMITH_DELIVER")
export TUNESMITH_DELIVER

# torch and transformers are those of the other tests; MLflow and what it needs stands before them.
shared=$(bash "$here/venv.sh")
venv=${TUNESMITH_MLFLOW_VENV:-$HOME/.cache/tunesmith/mlflow-venv}
key=$(cat "$here/requirements-mlflow.txt" "$here/mlflow.sh" "$shared/tunesmith-key" | sha256sum | cut -d' ' -f1)
if [ "$(cat "$venv/tunesmith-key" 2>/dev/null)" != "$key" ]; then
    echo "making the Python environment in $venv (a few minutes, once)" >&2
    rm -rf "$venv"
    "$shared/bin/python" -m venv "$venv" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements-mlflow.txt" >&2
    packages=$("$shared/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    echo "$packages" > "$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/shared.pth"
    "$venv/bin/python" -c 'import mlflow, torch, transformers, pytest' >&2
    echo "$key" > "$venv/tunesmith-key"
fi
export HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=error CUDA_VISIBLE_DEVICES= TOKENIZERS_PARALLELISM=false
export MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true
cd "$here"
exec "$venv/bin/python" -m pytest -p no:cacheprovider test_mlflow.py "$@"
