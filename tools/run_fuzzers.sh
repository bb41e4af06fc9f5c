#!/usr/bin/env bash
# Runs every fuzzer of a build tree for some seconds each: tools/run_fuzzers.sh BUILD SECONDS
# New inputs stay in BUILD/corpus/<name>; one that crashes lies in BUILD/crashes. The last line is
# `N passed, N failed, N skipped`.
set -uo pipefail
cd "$(dirname "$0")/.."
build=$1 seconds=$2
passed=0 failed=0
mkdir -p "$build/crashes"
for program in "$build"/bin/*_fuzz; do
  [ -x "$program" ] || { echo "no fuzzers in $build/bin: build them first"; failed=1; break; }
  name=$(basename "$program" _fuzz)
  mkdir -p "$build/corpus/$name"
  inputs=("$build/corpus/$name")
  [ -d "tests/fuzz/corpus/$name" ] && inputs+=("tests/fuzz/corpus/$name")
  if "$program" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -verbosity=0 \
       -print_final_stats=1 -artifact_prefix="$build/crashes/$name-" "${inputs[@]}" \
       >"$build/$name.log" 2>&1; then
    passed=$((passed + 1))
    echo "fuzz $name: clean, $(grep -oP 'number_of_executed_units: \K.*' "$build/$name.log") inputs"
  else
    failed=$((failed + 1))
    tail -n 60 "$build/$name.log"
    echo "fuzz $name: failed"
  fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
