#!/bin/sh
# A made-up checkpoint of each kind of layer opens and runs, whatever its experts are stored in.
# usage: bench_synth.sh DSV4-BENCH CONFIG.json
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for experts in fp4 fp8; do
  "$1" synth --config "$2" --experts "$experts" --layers 4 --out "$work/$experts" | grep -q '"bytes"'
  "$1" frontier --model "$work/$experts" --to 600 --threads 1 > "$work/rows"
  grep -q '"bench": "frontier", "tokens": 600' "$work/rows"
  grep -q '"loaded": true' "$work/rows"
done
"$1" picture "$work/rows" "$work/rows.svg" 2> "$work/error" && exit 1
grep -q 'fewer than two lengths' "$work/error"
"$1" frontier --model "$work/fp4" --to 4096 --threads 1 --keep "$work/kept" > "$work/rows"
"$1" picture "$work/rows" "$work/rows.svg"
grep -q 'prefill</text>' "$work/rows.svg"
# From what was kept: nothing is computed again, and that is not drawn.
"$1" frontier --model "$work/fp4" --to 4096 --threads 1 --keep "$work/kept" > "$work/rows"
grep -q '"tokens": 4096, "prefill_tokens_s": null' "$work/rows"
"$1" picture "$work/rows" "$work/rows.svg"
grep -q '<circle' "$work/rows.svg"
if grep -q 'prefill</text>' "$work/rows.svg"; then exit 1; fi
if "$1" synth --config "$2" --layers 99 --out "$work/none" 2> "$work/error"; then exit 1; fi
grep -q 'the config has layers 0 to' "$work/error"
