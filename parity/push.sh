#!/usr/bin/env bash
# Asks the real huggingface_hub and transformers whether what tunesmith pushes and packs is theirs to use, and the other way
# round. Nothing leaves the machine: the Hub is a stand-in on loopback.
#
#   cargo build --release -p tunesmith -p tunesmith-hub-stand-in
#   bash parity/push.sh [arguments of pytest]
#
# TUNESMITH_BIN        the program (default: tunesmith in the release folder of CARGO_TARGET_DIR or target/)
# TUNESMITH_HUB_STAND_IN  the stand-in (default: hub-stand-in beside it)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TUNESMITH_BIN=${TUNESMITH_BIN:-${CARGO_TARGET_DIR:-$here/../target}/release/tunesmith}
TUNESMITH_HUB_STAND_IN=${TUNESMITH_HUB_STAND_IN:-$(dirname "$TUNESMITH_BIN")/hub-stand-in}
for program in "$TUNESMITH_BIN" "$TUNESMITH_HUB_STAND_IN"; do
    if [ ! -x "$program" ]; then
        echo "failed to find $program: build it with cargo build --release -p tunesmith -p tunesmith-hub-stand-in" >&2
        exit 1
    fi
done
TUNESMITH_BIN=$(realpath "$TUNESMITH_BIN")
TUNESMITH_HUB_STAND_IN=$(realpath "$TUNESMITH_HUB_STAND_IN")
export TUNESMITH_BIN TUNESMITH_HUB_STAND_IN
venv=$(bash "$here/venv.sh")
# The Hub's other store for large files has a protocol of its own, which the stand-in does not speak.
export HF_HUB_DISABLE_XET=1 HF_HUB_DISABLE_TELEMETRY=1 HF_HUB_DISABLE_PROGRESS_BARS=1
export TRANSFORMERS_VERBOSITY=error CUDA_VISIBLE_DEVICES= TOKENIZERS_PARALLELISM=false
cd "$here"
exec "$venv/bin/python" -m pytest -p no:cacheprovider test_push.py "$@"
