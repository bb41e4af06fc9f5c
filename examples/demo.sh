#!/usr/bin/env bash
# What `make demo` shows: the five things the engine does, each computed by a real model now.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/build/release/bin:$PATH"
unset AIOS_MODEL

bold='' dim='' plain=''
if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; fi

title() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }

# Prints a command as one would type it, and runs it.
run() {
  local word line='$'
  for word in "$@"; do
    case $word in
      *[\ \[\"]*) line+=" '${word//\'/\'\\\'\'}'" ;;
      *) line+=" $word" ;;
    esac
  done
  printf '%s%s%s\n' "$dim" "$line" "$plain"
  "$@"
}

tools/get_encoder.sh

title "1. Infill: the holes of a text, filled in any order (books-6m)"
run aios infill --show --seed 7 --temperature 0.6 --top-p 0.9 \
  "The old man[[4-10]] by the fire, and the little girl[[8]] in the dark forest."

title "2. Diffuse: a continuation out of masks, 32 tokens in 16 steps"
run aios diffuse --show --seed 5 --max-new-tokens 32 --num-steps 16 --temperature 0.6 \
  --top-p 0.9 "The princess opened the door, and"

title "3. Generate: the same weights, from left to right"
run aios generate --seed 2 --max-new-tokens 50 --temperature 0.7 \
  "The captain looked at the sea and said,"

title "4. Score: how likely a text is, exactly and by diffusion's bound"
run aios score --mode ar examples/excerpt.txt
run aios score --mode diffusion examples/excerpt.txt

title "5. Encode: the nearest sentences by meaning (all-MiniLM-L6-v2)"
run .venv/bin/python examples/nearest.py "How do I keep my plants alive?" \
  examples/sentences.txt
