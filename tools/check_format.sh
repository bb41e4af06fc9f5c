#!/usr/bin/env bash
# Formats all C++ files (`tools/check_format.sh --fix`), or names those that are not formatted.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = --fix ]; then
  git ls-files -z '*.h' '*.cpp' | xargs -0 clang-format-14 -i
else
  git ls-files -z '*.h' '*.cpp' | xargs -0 clang-format-14 --dry-run -Werror
  echo "format: every file is formatted"
fi
