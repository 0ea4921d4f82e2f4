#!/usr/bin/env bash
cd "$(dirname "$0")/.." || exit
number=0
failures=0

expect() { # EXPECTED ARGUMENT...
  local got
  got=$(./resize.sh "${@:2}" 2>&1)
  number=$((number + 1))
  if [[ $got == "$1" ]]; then
    echo "ok $number - ${*:2}"
  else
    printf 'not ok %d - %s\n# got "%s", expected "%s"\n' $number "${*:2}" "$got" "$1"
    failures=$((failures + 1))
  fi
}

expect "resize a to 80" --width 80 a
expect "would resize a to 100 as b c" -n --title "b c" a
expect $'resize a to 100\ndone with a' --verbose a
expect "unknown option: --wdith" --wdith 80 a
expect "no files" -v
expect "resize a to 80" --width=80 a
expect "resize a to 100 as b=c" --title=b=c a
expect "resize a to 100" --title= a
expect $'would resize a to 100\ndone with a' -vn a
expect $'would resize a to 100\ndone with a' -nv a
expect "unknown option: -x" -nx a
expect "resize -strange to 100" -- -strange
expect $'would resize a to 100\nwould resize -n to 100' a -n -- -n
expect "resize a to 80" a --width 80
expect "resize - to 100" -
expect "missing value: --width" a --width
expect "takes no value: --verbose" --verbose=yes a

status=0
./resize.sh a --width 2> /dev/null || status=$?
number=$((number + 1))
if ((status == 2)); then
  echo "ok $number - status of mistakes"
else
  echo "not ok $number - status of mistakes"
  failures=$((failures + 1))
fi

exit $((failures > 0))
