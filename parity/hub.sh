#!/usr/bin/env bash
# The real huggingface_hub and tunesmith fetch from the same stand-in for the Hub, and read each other's cache and token.
# Makes its own Python environment on first use.
#
#   cargo build --release -p tunesmith -p tunesmith-hub-stand-in
#   bash parity/hub.sh [arguments of pytest]
#
# TUNESMITH            the program (default: in the release folder of CARGO_TARGET_DIR or target/)
# TUNESMITH_STAND_IN   the stand-in (default: beside it)
# TUNESMITH_HUB_VENV   the environment (default: ~/.cache/tunesmith/hub-venv; PyPI, about 40 MB)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
release=${CARGO_TARGET_DIR:-$here/../target}/release
TUNESMITH=${TUNESMITH:-$release/tunesmith}
TUNESMITH_STAND_IN=${TUNESMITH_STAND_IN:-$release/hub-stand-in}
for program in "$TUNESMITH" "$TUNESMITH_STAND_IN"; do
    if [ ! -x "$program" ]; then
        echo "failed to find $program: build it with cargo build --release -p tunesmith -p tunesmith-hub-stand-in" >&2
        exit 1
    fi
done
TUNESMITH=$(realpath "$TUNESMITH")
TUNESMITH_STAND_IN=$(realpath "$TUNESMITH_STAND_IN")
export TUNESMITH TUNESMITH_STAND_IN

venv=${TUNESMITH_HUB_VENV:-$HOME/.cache/tunesmith/hub-venv}
key=$(cat "$here/requirements-hub.txt" "$here/hub.sh" | sha256sum | cut -d' ' -f1)
if [ "$(cat "$venv/tunesmith-key" 2>/dev/null)" != "$key" ]; then
    echo "making the Python environment in $venv (a minute, once)" >&2
    rm -rf "$venv"
    "${PYTHON:-python3}" -m venv "$venv" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements-hub.txt" >&2
    echo "$key" > "$venv/tunesmith-key"
fi
cd "$here"
exec "$venv/bin/python" -m pytest --noconftest -p no:cacheprovider test_hub.py "$@"
