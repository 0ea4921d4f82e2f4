#!/usr/bin/env bash
cd "$(dirname "$0")/.." || exit
log=$(mktemp)
trap 'rm -f "$log"' EXIT
number=0 failures=0

expect() { # WHAT EXPECTED ARGUMENT...
  local got
  got=$(./report.sh "${@:3}" "$log" 2>&1 | paste -sd ,)
  number=$((number + 1))
  if [[ $got == "$2" ]]; then
    echo "ok $number - $1"
  else
    printf 'not ok %d - %s\n# got "%s", expected "%s"\n' $number "$1" "$got" "$2"
    failures=$((failures + 1))
  fi
}

expect "empty log" "requests 0,bytes 0"

cat > "$log" << 'END'
10.0.0.1 - - [31/Dec/2023:23:59:59 +0000] "GET / HTTP/1.1" 200 1000
10.0.0.2 - ada [01/Jan/2024:00:00:00 +0000] "GET /a b HTTP/1.1" 404 20
10.0.0.1 - - [02/Feb/2024:08:30:59 +0000] "POST /x HTTP/1.1" 503 -
10.0.0.3 - - [02/Feb/2024:08:31:00 +0000] "GET /y HTTP/1.1" 404 30 "-" "Browser 500 7"
10.0.0.3 - - [11/Oct/2024:10:10:10 +0000] "GET /z HTTP/1.1" 500 4
END
expect "all" "requests 5,bytes 1054,404 2,200 1,500 1,503 1"
echo "garbage" >> "$log"
expect "lines that cannot be parsed" \
  "requests 5,bytes 1054,404 2,200 1,500 1,503 1,skipped 1"
expect "since" "requests 2,bytes 34,404 1,500 1,skipped 1" --since 2024-02-02T08:31
expect "until" "requests 1,bytes 1000,200 1,skipped 1" --until 2024-01-01T00:00
expect "since and until" "requests 2,bytes 20,404 1,503 1,skipped 1" \
  --until 2024-02-02T08:31 --since 2024-01-01T00:00
expect "one status" "requests 2,bytes 50,404 2,skipped 1" --status 404
expect "a class" "requests 2,bytes 4,500 1,503 1,skipped 1" --status 5xx
expect "all together" "requests 1,bytes 4,500 1,skipped 1" --status 5xx --since 2024-10-01T00:00 \
  --until 2024-12-31T00:00
expect "nothing is left" "requests 0,bytes 0,skipped 1" --status 301
expect "not a time" "not a time: yesterday" --since yesterday
expect "not a status" "not a status: 4x" --status 4x

status=0
./report.sh --status 4x "$log" > /dev/null 2>&1 || status=$?
number=$((number + 1))
if ((status == 2)); then
  echo "ok $number - status of mistakes"
else
  echo "not ok $number - status of mistakes"
  failures=$((failures + 1))
fi

exit $((failures > 0))
