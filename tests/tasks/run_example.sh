#!/usr/bin/env bash
# One bundled example from the command line to a patch, on the embedded model.
#   run_example.sh DSV4_AGENT EXAMPLE_DIR
# Fails unless: the example's tests fail before; fix exits 0 and prints one JSON object that says
# "passed"; the example itself is untouched; the patch, applied to a fresh copy, makes the tests pass.
set -euo pipefail
agent=$1
example=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

command=$(sed -n 's/^test: //p' "$example/issue.md")
run_tests() { (cd "$1" && PATH=/usr/local/bin:/usr/bin:/bin sh -c "$command") > "$scratch/log" 2>&1; }
fingerprint() { (cd "$1" && find . -type f -exec sha256sum {} + | sort); }

cp -r "$example/repo" "$scratch/before"
if run_tests "$scratch/before"; then echo "the example's tests already pass"; exit 1; fi

fingerprint "$example" > "$scratch/tree-before"
status=0
"$agent" fix "$example/issue.md" --json --run-dir "$scratch/run" --time-limit 10m \
  > "$scratch/out.json" || status=$?
fingerprint "$example" > "$scratch/tree-after"
cmp "$scratch/tree-before" "$scratch/tree-after" || { echo "the example's tree was changed"; exit 1; }
[ $status = 0 ] || { echo "fix exited $status"; cat "$scratch/out.json"; exit 1; }
patch=$(python3 - "$scratch/out.json" <<'PY'
import json, sys
report = json.load(open(sys.argv[1]))
assert report["status"] == "passed" and report["exit_code"] == 0, report
assert report["tokens"]["reprefilled"] == 0, report
print(report["patch"])
PY
)

cp -r "$example/repo" "$scratch/after"
git -C "$scratch/after" init -q
git -C "$scratch/after" apply "$patch"
run_tests "$scratch/after" || { echo "the patch does not make the tests pass"; cat "$scratch/log"; exit 1; }
echo "fixed"
