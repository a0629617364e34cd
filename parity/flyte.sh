#!/usr/bin/env bash
# Asks the real Flyte 2 whether it runs what `tunesmith export flyte` writes. Makes its own Python environment on first use.
#
#   cargo build --release
#   bash parity/flyte.sh [arguments of pytest]
#
# TUNESMITH_BIN         the program (default: tunesmith in the release folder of CARGO_TARGET_DIR or target/)
# TUNESMITH_FLYTE_VENV  the environment (default: ~/.cache/tunesmith/flyte-venv; PyPI, about 150 MB)
# TUNESMITH_DOCKER      1 runs the steps in Docker, with an image tunesmith:parity of this tree; otherwise containers are the
#                       program in namespaces of its own (docker_stand_in/), which needs Linux
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TUNESMITH_BIN=${TUNESMITH_BIN:-${CARGO_TARGET_DIR:-$here/../target}/release/tunesmith}
if [ ! -x "$TUNESMITH_BIN" ]; then
    echo "failed to find the program at $TUNESMITH_BIN: build it with cargo build --release, or name it in TUNESMITH_BIN" >&2
    exit 1
fi
TUNESMITH_BIN=$(realpath "$TUNESMITH_BIN")
export TUNESMITH_BIN

venv=${TUNESMITH_FLYTE_VENV:-$HOME/.cache/tunesmith/flyte-venv}
key=$(cat "$here/requirements-flyte.txt" "$here/flyte.sh" | sha256sum | cut -d' ' -f1)
if [ "$(cat "$venv/tunesmith-key" 2>/dev/null)" != "$key" ]; then
    echo "making the Python environment in $venv (a minute, once)" >&2
    rm -rf "$venv"
    "${PYTHON:-python3}" -m venv "$venv" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements-flyte.txt" >&2
    echo "$key" > "$venv/tunesmith-key"
fi
if [ "${TUNESMITH_DOCKER:-0}" = 1 ]; then
    docker build --tag tunesmith:parity "$here/.." >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check docker >&2
fi
cd "$here"
# The fixtures of the other tests want transformers.
exec "$venv/bin/python" -m pytest --noconftest -p no:cacheprovider test_flyte.py "$@"
