#!/usr/bin/env bash
# Asks the real `datasets` library whether data sets by name mean the same rows. Makes its own Python environment on first use.
#
#   cargo build --release -p tunesmith -p tunesmith-hub-stand-in
#   bash parity/data_sets.sh [arguments of pytest]
#
# TUNESMITH_BIN, TUNESMITH_STAND_IN  the programs (default: in the release folder of CARGO_TARGET_DIR or target/)
# TUNESMITH_DATASETS_VENV            the environment (default: ~/.cache/tunesmith/datasets-venv; PyPI, about 150 MB)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
programs=${CARGO_TARGET_DIR:-$here/../target}/release
export TUNESMITH_BIN=${TUNESMITH_BIN:-$programs/tunesmith} TUNESMITH_STAND_IN=${TUNESMITH_STAND_IN:-$programs/hub-stand-in}
for program in "$TUNESMITH_BIN" "$TUNESMITH_STAND_IN"; do
    if [ ! -x "$program" ]; then
        echo "failed to find $program: build it with cargo build --release -p tunesmith -p tunesmith-hub-stand-in" >&2
        exit 1
    fi
done

venv=${TUNESMITH_DATASETS_VENV:-$HOME/.cache/tunesmith/datasets-venv}
requirements=$here/../golden/data-sets-requirements.txt
key=$(cat "$requirements" "$here/data_sets.sh" | sha256sum | cut -d' ' -f1)
if [ "$(cat "$venv/tunesmith-key" 2>/dev/null)" != "$key" ]; then
    echo "making the Python environment in $venv (a minute or two, once)" >&2
    rm -rf "$venv"
    python3 -m venv "$venv" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements" pytest==9.2.0 >&2
    echo "$key" > "$venv/tunesmith-key"
fi
unset HF_HUB_OFFLINE HF_TOKEN
export HF_HUB_DISABLE_TELEMETRY=1 HF_HUB_DISABLE_XET=1
cd "$here"
exec "$venv/bin/python" -m pytest --noconftest -p no:cacheprovider test_data_sets.py "$@"
