#!/usr/bin/env bash
# One bundled example from the command line to a patch, on the embedded model.
#   run_example.sh DSV4_AGENT EXAMPLE_DIR passes|may-give-up [OPTION OF FIX]...
# Fails unless: the example's tests fail before; fix exits 0 and says "passed", and the patch,
# applied to a fresh copy, makes the tests pass; or, where it may give up, it exits 1 within its time
# limit and says "gave_up". Either way it prints one JSON object, leaves the example untouched and
# no process behind.
set -euo pipefail
agent=$1
example=$2
expected=$3
shift 3
scratch=$(mktemp -d)
export XDG_CACHE_HOME=$scratch/cache XDG_CONFIG_HOME=$scratch/config XDG_STATE_HOME=$scratch/state
trap 'rm -rf "$scratch"' EXIT

command=$(sed -n 's/^test: //p' "$example/issue.md")
run_tests() { (cd "$1" && PATH=/usr/local/bin:/usr/bin:/bin sh -c "$command") > "$scratch/log" 2>&1; }
fingerprint() { (cd "$1" && find . -type f -exec sha256sum {} + | sort); }
fail() { echo "$1"; [ -z "${2:-}" ] || cat "$2"; exit 1; }
# Field NAME of the report, "null" as an empty text.
field() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]] or "")' \
  "$scratch/out.json" "$1"; }

cp -r "$example/repo" "$scratch/before"
if run_tests "$scratch/before"; then fail "the example's tests already pass"; fi

attempts=8
[ "$expected" = passes ] || attempts=1
fingerprint "$example" > "$scratch/tree-before"
status=0
"$agent" fix "$example/issue.md" --json --run-dir "$scratch/run" --time-limit 10m \
  --attempts $attempts "$@" > "$scratch/out.json" 2> "$scratch/err" || status=$?
fingerprint "$example" > "$scratch/tree-after"
cmp "$scratch/tree-before" "$scratch/tree-after" || fail "the example's tree was changed"
for process in /proc/[0-9]*; do
  said=$(tr '\0' ' ' 2> "$scratch/log" < "$process/cmdline") || continue  # it has ended
  [[ $said != *"$scratch/run"* ]] || fail "a process is left: $said"
done

if [ "$expected" = may-give-up ] && [ $status = 1 ]; then
  [ "$(field status)" = gave_up ] || fail "exit status 1 without giving up" "$scratch/out.json"
  echo "gave up, as it may"
  exit 0
fi
[ $status = 0 ] || fail "fix exited $status" "$scratch/err"
[ "$(field status)" = passed ] || fail "exit status 0 without passing" "$scratch/out.json"

cp -r "$example/repo" "$scratch/after"
git -C "$scratch/after" init -q
git -C "$scratch/after" apply "$(field patch)"
run_tests "$scratch/after" || fail "the patch does not make the tests pass" "$scratch/log"
echo "fixed"
