#!/usr/bin/env bash
# Makes the Python environment of golden/, parity/ and bench/ once, outside the tree, and prints its folder.
#
#   . "$(bash parity/venv.sh)/bin/activate"
#
# TUNESMITH_VENV names the folder (default: ~/.cache/tunesmith/venv); PYTHON the interpreter (default: python3).
# It is made anew when a list of requirements or this recipe has changed. Needs PyPI, about 700 MB of download and 1.8 GB of disk.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=${TUNESMITH_VENV:-$HOME/.cache/tunesmith/venv}
python=${PYTHON:-python3}
lists=("$here/../golden/requirements.txt" "$here/requirements.txt" "$here/../bench/requirements.txt")

key=$(cat "${lists[@]}" "$here/venv.sh" "$here/cpu_torch.py" | sha256sum | cut -d' ' -f1)-$("$python" -c 'import sys; print(*sys.version_info[:2], sep=".")')
if [ "$(cat "$venv/tunesmith-key" 2>/dev/null)" = "$key" ]; then
    echo "$venv"
    exit 0
fi

# One maker at a time; the others wait and then find it made.
mkdir -p "$(dirname "$venv")"
exec 9>"$venv.lock"
flock 9
if [ "$(cat "$venv/tunesmith-key" 2>/dev/null)" = "$key" ]; then
    echo "$venv"
    exit 0
fi

if [ -e "$venv" ] && [ ! -e "$venv/pyvenv.cfg" ]; then
    echo "failed to make the environment: $venv exists and is no virtual environment" >&2
    exit 1
fi
echo "making the Python environment in $venv (a few minutes, once)" >&2
rm -rf "$venv"
"$python" -m venv "$venv" >&2
# --no-deps: the lists are complete, and torch's own list would bring gigabytes of CUDA libraries that cpu_torch.py stands in for.
"$venv/bin/python" -m pip install --quiet --no-deps --disable-pip-version-check "${lists[@]/#/-r}" >&2
if [ "$(uname -sm)" = "Linux x86_64" ]; then
    "$venv/bin/python" "$here/cpu_torch.py" >&2
fi
"$venv/bin/python" -c 'import torch, transformers, sklearn, accelerate, onnxruntime, onnx' >&2
echo "$key" > "$venv/tunesmith-key"
echo "$venv"
