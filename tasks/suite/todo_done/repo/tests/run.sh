#!/usr/bin/env bash
cd "$(dirname "$0")/.." || exit
TODO=$(mktemp)
export TODO
trap 'rm -f "$TODO"' EXIT
number=0 failures=0

expect() { # WHAT EXPECTED ARGUMENT...
  local got
  got=$(./todo.sh "${@:3}" 2>&1)
  number=$((number + 1))
  if [[ $got == "$2" ]]; then
    echo "ok $number - $1"
  else
    printf 'not ok %d - %s\n# got "%s", expected "%s"\n' $number "$1" "${got//$'\n'/|}" \
      "${2//$'\n'/|}"
    failures=$((failures + 1))
  fi
}

begin() { printf '%s\n' "water the plants" "call Ada" "xmas presents" > "$TODO"; }

begin
expect "list" $'1 [ ] water the plants\n2 [ ] call Ada\n3 [ ] xmas presents\n0 of 3 done' list
expect "add" "" add buy "two lamps"
expect "remove" "" remove 1
expect "added and removed" \
  $'1 [ ] call Ada\n2 [ ] xmas presents\n3 [ ] buy two lamps\n0 of 3 done' list
expect "nothing to add" "nothing to add" add
expect "no such entry" "no entry 4" remove 4

begin
expect "done" "" done 2
expect "is shown" \
  $'1 [ ] water the plants\n2 [x] call Ada\n3 [ ] xmas presents\n1 of 3 done' list
expect "done again" "" done 2 3
expect "open ones" $'1 [ ] water the plants\n2 of 3 done' list --open
expect "one does not exist" "no entry 7" done 1 7
expect "then none is ticked off" $'1 [ ] water the plants\n2 of 3 done' list --open
expect "clear" "" clear
expect "only open ones are left" $'1 [ ] water the plants\n0 of 1 done' list

begin
./todo.sh done 3 2> /dev/null
number=$((number + 1))
if [[ $(tail -n 1 "$TODO") == "x xmas presents" ]]; then
  echo "ok $number - in the file"
else
  echo "not ok $number - in the file"
  failures=$((failures + 1))
fi
expect "cannot begin like something done" 'an entry cannot begin with "x "' add x ray
: > "$TODO"
expect "clear an empty list" "" clear
expect "empty list" "0 of 0 done" list

exit $((failures > 0))
