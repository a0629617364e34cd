#!/usr/bin/env bash
# Asks the real transformers whether it accepts what tunesmith writes. Makes the Python environment on first use.
#
#   bash parity/run.sh [arguments of pytest]
#
# TUNESMITH_BIN    the program (default: tunesmith in the release folder of CARGO_TARGET_DIR or target/)
# TUNESMITH_MINILM the folder of a real MiniLM (see minilm.sh); its tests are skipped without one
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
TUNESMITH_BIN=${TUNESMITH_BIN:-${CARGO_TARGET_DIR:-$root/target}/release/tunesmith}
if [ ! -x "$TUNESMITH_BIN" ]; then
    echo "failed to find the program at $TUNESMITH_BIN: build it with cargo build --release, or name it in TUNESMITH_BIN" >&2
    exit 1
fi
TUNESMITH_BIN=$(realpath "$TUNESMITH_BIN")
if [ -n "${TUNESMITH_MINILM:-}" ]; then
    TUNESMITH_MINILM=$(realpath "$TUNESMITH_MINILM")
fi
export TUNESMITH_BIN TUNESMITH_MINILM
venv=$(bash "$here/venv.sh")
# Nothing here may reach for a network or a graphics card.
export HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=error CUDA_VISIBLE_DEVICES= TOKENIZERS_PARALLELISM=false
cd "$here"
exec "$venv/bin/python" -m pytest -p no:cacheprovider "$@"
