#!/usr/bin/env bash
cd "$(dirname "$0")/.." || exit
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
number=0 failures=0

expect() { # WHAT TEMPLATE VARIABLES EXPECTED
  local got
  printf '%s\n' "$2" > "$scratch/template"
  printf '%s\n' "$3" > "$scratch/variables"
  got=$(./fill.sh "$scratch/template" "$scratch/variables" 2> "$scratch/err")
  got+="<$(cat "$scratch/err")>"
  number=$((number + 1))
  if [[ $got == "$4" ]]; then
    echo "ok $number - $1"
  else
    printf 'not ok %d - %s\n# got "%s", expected "%s"\n' $number "$1" "${got//$'\n'/|}" \
      "${4//$'\n'/|}"
    failures=$((failures + 1))
  fi
}

expect "filled in" "Dear {{name}}," "name=Ada" "Dear Ada,<>"
expect "twice, and on other lines" $'{{a}}{{b}}\n{{a}}' $'a=1\nb=2' $'12\n1<>'
expect "equals sign in a value" "{{a}}" "a=b=c" "b=c<>"
expect "empty value" "[{{a}}]" "a=" "[]<>"
expect "no variables in it" 'a & b {x} $HOME' "a=1" 'a & b {x} $HOME<>'
expect "not a variable" "x" "Hello" "<not a variable: Hello>"
expect "default" "Dear {{title:-Ms or Mr}} {{name}}" "name=Ada" "Dear Ms or Mr Ada<>"
expect "default of an empty variable" "{{title:-Ms}}" "title=" "Ms<>"
expect "default that is not needed" "{{title:-Ms}}" "title=Dr" "Dr<>"
expect "empty default" "[{{title:-}}]" "name=Ada" "[]<>"
expect "same variable with two defaults" "{{a:-1}}{{a:-2}}" "b=" "12<>"
expect "missing" "{{title}} {{name}}, {{date}} {{title}}" "name=Ada" "<missing: date title>"
expect "missing although another place has a default" "{{a:-1}} {{a}}" "b=" "<missing: a>"
expect "braces in a value" "{{a}} {{b}}" $'a={{b}}\nb={{a}}' "{{b}} {{a}}<>"
expect "signs in a value" "{{a}}" 'a=x & \1 $(date) `date`' 'x & \1 $(date) `date`<>'
expect "comments and empty lines" "{{a}}" $'# all of them\n\na=1' "1<>"

printf '{{a}}\n' > "$scratch/template"
printf 'b=1\n' > "$scratch/variables"
status=0
./fill.sh "$scratch/template" "$scratch/variables" > "$scratch/out" 2>&1 || status=$?
number=$((number + 1))
if ((status == 1)); then
  echo "ok $number - status"
else
  echo "not ok $number - status"
  failures=$((failures + 1))
fi

exit $((failures > 0))
