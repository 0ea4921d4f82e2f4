#!/usr/bin/env bash
cd "$(dirname "$0")/.." || exit
. ./durations.sh
number=0 failures=0

expect() { # WHAT EXPECTED GOT
  number=$((number + 1))
  if [[ $3 == "$2" ]]; then
    echo "ok $number - $1"
  else
    printf 'not ok %d - %s\n# got "%s", expected "%s"\n' $number "$1" "$3" "$2"
    failures=$((failures + 1))
  fi
}

is() { expect "'$1'" "$2" "$(to_seconds "$1" 2>&1)"; }
refused() { expect "'$1' is refused" "not a duration: $1 (1)" "$(to_seconds "$1" 2>&1) ($?)"; }

is 90 90
is 15m 900
is 2h 7200
is 1d 86400
is 1h30m 5400
is 1d2h3m4s 93784
is "1h 30m" 5400
is 2H 7200
is 1h08m 4080
is 010 10
for text in h 5x 30m1h 1h1h 1.5h 1h30 "" -5 1m,5s; do refused "$text"; done

expect "clock" 26:03:04 "$(as_clock 93784)"
expect "timer" "0:20:00 0:10:00 0:00:00" "$(./timer.sh 20m 2 | xargs)"

exit $((failures > 0))
