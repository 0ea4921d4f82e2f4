#!/usr/bin/env bash
# Prints "ok N - what" or "not ok N - what" for each test.
cd "$(dirname "$0")/.." || exit
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
number=0 failures=0

check() { # WHAT COMMAND...
  number=$((number + 1))
  if "${@:2}"; then
    echo "ok $number - $1"
  else
    echo "not ok $number - $1"
    failures=$((failures + 1))
  fi
}

sorted() { # FILE KIND: makes the file, sorts, and looks for it
  rm -rf "$scratch/in"
  mkdir "$scratch/in"
  echo "$1" > "$scratch/in/$1"
  ./sort_downloads.sh "$scratch/in" && [[ -f $scratch/in/$2/$1 && ! -e $scratch/in/$1 ]]
}

check "image" sorted photo.JPG images
check "document" sorted notes.md documents
check "archive" sorted backup.tar.gz archives
check "other" sorted program others
check "blank in the name" sorted "holiday photo.jpg" images
check "several blanks" sorted "a  b   c.pdf" documents

overwrites_nothing() {
  mkdir -p "$scratch/keep/images"
  echo old > "$scratch/keep/images/a.png"
  echo new > "$scratch/keep/a.png"
  ./sort_downloads.sh "$scratch/keep" && [[ $(cat "$scratch/keep/images/a.png") == old ]]
}
check "overwrites nothing" overwrites_nothing

no_folder() {
  ./sort_downloads.sh "$scratch/none" 2> "$scratch/said"
  [[ $? -eq 2 && $(cat "$scratch/said") == "usage: "* ]]
}
check "no such folder" no_folder

exit $((failures > 0))
