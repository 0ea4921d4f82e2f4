#!/usr/bin/env bash
cd "$(dirname "$0")/.." || exit
. ./lib/files.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
number=0 failures=0

check() { # WHAT CONDITION...
  local what=$1
  shift
  number=$((number + 1))
  if "$@"; then
    echo "ok $number - $what"
  else
    echo "not ok $number - $what"
    failures=$((failures + 1))
  fi
}

contains() { [[ $(cat "$1") == "$2" ]]; }
alone() { [[ $(ls -A "$scratch/a") == file ]]; }
fails_halfway() {
  echo half
  return 7
}
status_is() { # STATUS COMMAND...
  "${@:2}"
  [[ $? -eq $1 ]]
}
inode() { stat -c %i "$1"; }

mkdir "$scratch/a"
file=$scratch/a/file

check "makes a new file" replace_file "$file" echo "one two"
check "with what was printed" contains "$file" "one two"
check "replaces a file" replace_file "$file" echo three
check "with what is printed now" contains "$file" three

check "returns the status of the command" status_is 7 replace_file "$file" fails_halfway
check "a failure leaves the file as it was" contains "$file" three
check "a failure leaves nothing beside it" alone
replace_file "$scratch/a/none" fails_halfway
check "a failure makes no new file" alone

old=$(inode "$file")
exec 3< "$file"
replace_file "$file" echo four
check "is renamed into place" [ "$old" != "$(inode "$file")" ]
check "who reads goes on with the old content" [ "$(cat <&3)" = three ]
exec 3<&-

touch -d 2020-01-01 "$file"
replace_file "$file" echo four
check "the same content is not written again" [ "$(stat -c %y "$file" | cut -c-4)" = 2020 ]

chmod 640 "$file"
replace_file "$file" echo five
check "keeps its mode" [ "$(stat -c %a "$file")" = 640 ]
check "nothing is left beside it" alone

ln -s file "$scratch/a/link"
replace_file "$scratch/a/link" echo six
check "links stay links" test -L "$scratch/a/link"
check "and their file is replaced" contains "$file" six

mkdir "$scratch/z"
echo "www 10.0.0.1" > "$scratch/z/good.hosts"
printf 'www 10.0.0.1\nmail none\n' > "$scratch/z/bad.hosts"
echo before > "$scratch/z/bad.zone"
check "zones: one is not valid" status_is 1 ./zones.sh "$scratch/z" 2> "$scratch/said"
check "zones: the valid one is written" contains "$scratch/z/good.zone" "www          IN A 10.0.0.1"
check "zones: the other one stays" contains "$scratch/z/bad.zone" before

exit $((failures > 0))
