#!/usr/bin/env bash
cd "$(dirname "$0")/.." || exit
. ./lib/lock.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
number=0 failures=0

check_that() { # WHAT CONDITION...
  number=$((number + 1))
  if "${@:2}"; then
    echo "ok $number - $1"
  else
    echo "not ok $number - $1"
    failures=$((failures + 1))
  fi
}

ends() { # STATUS COMMAND...
  ("${@:2}") > "$scratch/out" 2> "$scratch/err"
  [[ $? -eq $1 ]]
}
said() { [[ $(cat "$scratch/err") == "$1" ]]; }
missing() { [[ ! -e $1 ]]; }
quits() { exit 6; }

lock=$scratch/lock
mkdir "$scratch/site"
echo welcome > "$scratch/site/index.txt"

check_that "runs the command" ends 0 with_lock "$lock" test -d "$lock"
check_that "gives the lock back" missing "$lock"
mkdir "$lock"
check_that "taken" ends 75 with_lock "$lock" touch "$scratch/ran"
check_that "does not run then" missing "$scratch/ran"
check_that "and leaves the lock of the other" test -d "$lock"
rmdir "$lock"
check_that "publishes" ends 0 ./publish.sh "$scratch/site" "$scratch/www"
check_that "the page" test -s "$scratch/www/index.html"
check_that "usage" ends 2 ./publish.sh

check_that "status of the command" ends 5 with_lock "$lock" sh -c 'exit 5'
check_that "given back after a failure" missing "$lock"
check_that "status of a command that exits" ends 6 with_lock "$lock" quits
check_that "given back after an exit" missing "$lock"

mkdir "$scratch/www.lock"
check_that "busy" ends 75 ./publish.sh "$scratch/site" "$scratch/www"
check_that "says busy" said busy
rmdir "$scratch/www.lock"

: > "$scratch/site/empty.txt"
check_that "status of the step that failed" ends 3 ./publish.sh "$scratch/site" "$scratch/new"
check_that "says what failed, and nothing else" said "nothing in empty.txt"
check_that "no step after it" missing "$scratch/new"
check_that "nothing is locked" missing "$scratch/new.lock"

rm "$scratch/site/"*
echo about > "$scratch/site/about.txt"
check_that "a check that fails" ends 4 ./publish.sh "$scratch/site" "$scratch/new"
check_that "is not copied" missing "$scratch/new"
check_that "and can be tried again" ends 4 ./publish.sh "$scratch/site" "$scratch/new"

exit $((failures > 0))
