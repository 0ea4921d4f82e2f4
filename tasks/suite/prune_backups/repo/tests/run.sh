#!/usr/bin/env bash
cd "$(dirname "$0")/.." || exit
. ./lib/backups.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
number=0 failures=0

expect() { # WHAT EXPECTED GOT
  number=$((number + 1))
  if [[ $3 == "$2" ]]; then
    echo "ok $number - $1"
  else
    printf 'not ok %d - %s\n# got "%s", expected "%s"\n' $number "$1" "${3//$'\n'/ }" "$2"
    failures=$((failures + 1))
  fi
}

fill() { # NAME...
  rm -rf "$scratch/b"
  mkdir "$scratch/b"
  local name
  for name in "$@"; do : > "$scratch/b/$name"; done
}

left() { (cd "$scratch/b" && echo *); }

expect "name of the database" shop-test "$(database_of shop-test-2024-05-01.sql.gz)"

fill a-2024-05-0{1,2,3,4}.sql.gz
expect "says what it deletes" $'a-2024-05-01.sql.gz\na-2024-05-02.sql.gz' \
  "$(./prune.sh --keep 2 "$scratch/b")"
expect "one database" "a-2024-05-03.sql.gz a-2024-05-04.sql.gz" "$(left)"

fill a-2024-05-0{1,2}.sql.gz
expect "dry run" a-2024-05-01.sql.gz "$(./prune.sh --dry-run --keep 1 "$scratch/b")"
expect "dry run deletes nothing" "a-2024-05-01.sql.gz a-2024-05-02.sql.gz" "$(left)"

fill shop-2024-05-0{1,2,3}.sql.gz shop-test-2024-04-0{1,2}.sql.gz wiki-2023-12-3{0,1}.sql.gz
expect "each database by itself" shop-2024-05-01.sql.gz "$(./prune.sh --keep 2 "$scratch/b")"

fill shop-2024-05-0{1,2}.sql.gz shop-test-2023-04-0{1,2}.sql.gz
./prune.sh --keep 1 "$scratch/b" > "$scratch/said"
expect "names with dashes" "shop-2024-05-02.sql.gz shop-test-2023-04-02.sql.gz" "$(left)"

fill a-2024-05-0{1,2,3}.sql.gz 1notes.txt a-2024.sql.gz "b c-2024-05-01.sql.gz" x.sql.gz
./prune.sh --keep 1 "$scratch/b" > "$scratch/said"
expect "other files stay" \
  "1notes.txt a-2024-05-03.sql.gz a-2024.sql.gz b c-2024-05-01.sql.gz x.sql.gz" "$(left)"

fill a-2024-05-01.sql.gz
touch -d 2020-01-01 "$scratch/b/a-2024-05-01.sql.gz"
: > "$scratch/b/a-2023-05-01.sql.gz"
expect "the date of the name counts" a-2023-05-01.sql.gz "$(./prune.sh --keep 1 "$scratch/b")"

fill
expect "empty folder" "" "$(./prune.sh "$scratch/b" 2>&1)"
expect "no number" "usage: prune.sh [--keep N] [--dry-run] FOLDER" \
  "$(./prune.sh --keep 0 "$scratch/b" 2>&1)"

exit $((failures > 0))
