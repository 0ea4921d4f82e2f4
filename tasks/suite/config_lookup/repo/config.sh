#!/usr/bin/env bash
# Reads and changes settings in a file of lines key=value.
#   config.sh get FILE KEY [DEFAULT]
#   config.sh set FILE KEY VALUE
#   config.sh keys FILE
set -euo pipefail

fail() {
  echo "config.sh: $*" >&2
  exit 1
}

# Prints the value of a key; status 1 when it is not there.
get() {
  local line
  while IFS= read -r line; do
    if [[ $line == "$2"*=* ]]; then
      echo "${line#*=}"
      return 0
    fi
  done < "$1"
  return 1
}

# Replaces the value of a key, or adds it at the end.
set_value() {
  local line found='' lines=()
  while IFS= read -r line; do
    if [[ ${line%%=*} == "$2" ]]; then
      line="$2=$3"
      found=1
    fi
    lines+=("$line")
  done < "$1"
  [[ $found ]] || lines+=("$2=$3")
  printf '%s\n' "${lines[@]}" > "$1"
}

case ${1:-} in
  get)
    get "$2" "$3" || { [[ $# -gt 3 ]] && echo "$4"; } || fail "no such key: $3"
    ;;
  set) set_value "$2" "$3" "$4" ;;
  keys) sed -n 's/^\([a-z_]*\)=.*/\1/p' "$2" ;;
  *) fail "get, set or keys, not '${1:-}'" ;;
esac
