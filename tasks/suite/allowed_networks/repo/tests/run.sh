#!/usr/bin/env bash
cd "$(dirname "$0")/.." || exit
. ./networks.sh
list=$(mktemp)
trap 'rm -f "$list"' EXIT
number=0 failures=0

result() { # WHAT EXPECTED GOT
  number=$((number + 1))
  if [[ $2 == "$3" ]]; then
    echo "ok $number - $1"
  else
    printf 'not ok %d - %s\n# got %s, expected %s\n' $number "$1" "$3" "$2"
    failures=$((failures + 1))
  fi
}

inside() { # STATUS ADDRESS NETWORK
  in_network "$2" "$3" 2> /dev/null
  result "$2 in $3" "$1" $?
}

inside 0 10.1.2.3 10.0.0.0/8
inside 1 11.1.2.3 10.0.0.0/8
inside 0 192.168.7.1 192.168.7.0/24
inside 1 192.168.70.1 192.168.7.0/24
inside 0 10.1.2.127 10.1.2.0/25
inside 1 10.1.2.200 10.1.2.0/25
inside 0 10.1.2.200 10.1.2.128/25
inside 0 172.20.0.1 172.16.0.0/12
inside 1 172.32.0.1 172.16.0.0/12
inside 0 203.0.113.9 0.0.0.0/0
inside 0 203.0.113.9 203.0.113.9/32
inside 1 203.0.113.8 203.0.113.9/32
inside 0 203.0.113.9 203.0.113.9
inside 1 203.0.113.90 203.0.113.9
inside 0 010.1.2.3 10.1.2.0/24
inside 2 10.1.2 10.0.0.0/8
inside 2 10.1.2.300 10.0.0.0/8
inside 2 10.1.2.3 10.0.0.0/33
inside 2 10.1.2.3 10.0.0.0/
inside 2 10.1.2.3 10.0.0/8

printf '10.1.2.0/25\n192.168.0.0/16\n' > "$list"
result "list" "10.1.2.5 192.168.9.9" \
  "$(printf '10.1.2.5\n10.1.2.130\n192.168.9.9\nx\n' | ./allowed.sh "$list" 2> /dev/null | xargs)"

exit $((failures > 0))
