#!/usr/bin/env bash
# Tests of the months and their report, as TAP.
cd "$(dirname "$0")/.." || exit
. ./months.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
number=0 failed=0

expect() { # WHAT EXPECTED COMMAND...
  local got
  got=$("${@:3}" 2>&1)
  number=$((number + 1))
  if [[ $got == "$2" ]]; then
    echo "ok $number - $1"
  else
    printf 'not ok %d - %s\n# got: %s\n# expected: %s\n' "$number" "$1" "${got//$'\n'/ }" "$2"
    failed=1
  fi
}

expect "within a year" 2024-11 previous_month 2024-12
expect "over the turn of the year" 2023-12 previous_month 2024-01
expect "before July" 2024-06 previous_month 2024-07
expect "before August" 2024-07 previous_month 2024-08
expect "before September" 2024-08 previous_month 2024-09
expect "not a month" "not a month: 2024-13" previous_month 2024-13
expect "several" $'2024-10\n2024-09\n2024-08\n2024-07' months_before 2024-11 4

mkdir -p "$scratch/2024-02" "$scratch/2023-12"
touch "$scratch/2024-02/a" "$scratch/2024-02/b c"
expect "report" $'2024-02: 2 files\n2024-01: missing\n2023-12: 0 files' \
  ./report.sh "$scratch" 2024-03

exit $failed
