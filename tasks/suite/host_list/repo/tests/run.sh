#!/usr/bin/env bash
cd "$(dirname "$0")/.." || exit
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
number=0 failures=0

expect() { # WHAT EXPECTED ARGUMENT...
  local got
  got=$(./hosts.sh "${@:3}" 2>&1)
  number=$((number + 1))
  if [[ $got == "$2" ]]; then
    echo "ok $number - $1"
  else
    echo "not ok $number - $1"
    echo "# got '${got//$'\n'/ }', expected '${2//$'\n'/ }'"
    failures=$((failures + 1))
  fi
}

printf 'web1  # rack 3\n\n# all of them\nDB1\nweb1\n' > "$scratch/whole"
printf 'web2\nweb3' > "$scratch/open"
printf 'one' > "$scratch/one"
printf 'ba/d\n' > "$scratch/bad"
: > "$scratch/empty"

expect "sorted, each once" $'db1\nweb1' "$scratch/whole"
expect "counted" 2 -c "$scratch/whole"
expect "empty list" "" "$scratch/empty"
expect "no newline at the end" $'web2\nweb3' "$scratch/open"
expect "one host without a newline" one "$scratch/one"
expect "several lists" 5 -c "$scratch/open" "$scratch/whole" "$scratch/one"
expect "not a host" "$scratch/bad: not a host: ba/d" "$scratch/bad"

exit $((failures > 0))
