#!/usr/bin/env bash
cd "$(dirname "$0")/.." || exit
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export NOTES=$scratch/notes
number=0 failures=0

expect() { # WHAT EXPECTED ARGUMENT...
  local got
  got=$(./notes.sh "${@:3}" 2>&1)
  number=$((number + 1))
  if [[ $got == "$2" ]]; then
    echo "ok $number - $1"
  else
    printf 'not ok %d - %s\n# got "%s", expected "%s"\n' $number "$1" "${got//$'\n'/|}" \
      "${2//$'\n'/|}"
    failures=$((failures + 1))
  fi
}

file_is() { # WHAT EXPECTED
  number=$((number + 1))
  if [[ $(cat "$NOTES") == "$2" ]]; then
    echo "ok $number - $1"
  else
    printf 'not ok %d - %s\n# the file is "%s"\n' $number "$1" "$(cat "$NOTES")"
    failures=$((failures + 1))
  fi
}

expect "none at first" "" names
./notes.sh set tea "green, 80 °C"
./notes.sh set car "in B=4"
expect "text" "in B=4" get car
expect "names in order" $'car\ntea' names
./notes.sh set car "in C"
expect "replaced" "in C" get car
expect "list" $'car        in C\ntea        green, 80 °C' list
expect "find" tea find GREEN
expect "find does not look at names" "" find ca
expect "not a name" "not a name: a=b" set a=b c
expect "no such note" "no note: bus" get bus
./notes.sh delete car
expect "deleted" tea names
./notes.sh delete tea

./notes.sh set todo $'milk\nbread=white'
expect "several lines" $'milk\nbread=white' get todo
expect "are one note" todo names
file_is "are one line" 'todo=milk\nbread=white'
expect "find in the second line" todo find white
expect "first line in the list" "todo       milk ..." list
./notes.sh set path 'C:\new'
file_is "backslashes in the file" $'path=C:\\\\new\ntodo=milk\\nbread=white'
expect "backslashes" 'C:\new' get path
expect "find a backslash" path find ':\n'
./notes.sh set path 'ends with \'
expect "backslash at the end" 'ends with \' get path
./notes.sh delete todo
expect "deleted whole" path names

exit $((failures > 0))
