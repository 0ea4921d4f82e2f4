#!/usr/bin/env bash
cd "$(dirname "$0")/.." || exit
conf=$(mktemp)
trap 'rm -f "$conf"' EXIT
printf '%s\n' '# settings' 'port_range=8000-8999' 'port=8080' 'name=a=b' 'empty=' > "$conf"
number=0 failures=0

expect() { # WHAT EXPECTED ARGUMENT...
  local got
  got=$(./config.sh "${@:3}" 2>&1)
  number=$((number + 1))
  if [[ $got == "$2" ]]; then
    echo "ok $number - $1"
  else
    printf 'not ok %d - %s\n# got "%s", expected "%s"\n' $number "$1" "$got" "$2"
    failures=$((failures + 1))
  fi
}

expect "first key" 8000-8999 get "$conf" port_range
expect "equals sign in the value" a=b get "$conf" name
expect "empty value" "" get "$conf" empty
expect "key that begins another" 8080 get "$conf" port
expect "beginning of a key" "config.sh: no such key: na" get "$conf" na
expect "default" 30 get "$conf" timeout 30
expect "keys" $'port_range\nport\nname\nempty' keys "$conf"
./config.sh set "$conf" port 9090
expect "changed" 9090 get "$conf" port
expect "other key is not changed" 8000-8999 get "$conf" port_range
./config.sh set "$conf" timeout 5
expect "added" 5 get "$conf" timeout

exit $((failures > 0))
