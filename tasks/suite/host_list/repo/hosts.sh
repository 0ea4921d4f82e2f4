#!/usr/bin/env bash
# Prints the hosts of lists, sorted and each once; with -c how many there are.
#   hosts.sh [-c] LIST...
# A list has one host a line, perhaps with a comment behind it: web1.example.org  # rack 3
set -euo pipefail

read_list() {
  local line
  while IFS= read -r line; do
    line=${line%%#*}
    line=${line//[[:space:]]/}
    if [[ -z $line ]]; then continue; fi
    if [[ ! ${line,,} =~ ^[a-z0-9.-]+$ ]]; then
      echo "$1: not a host: $line" >&2
      return 1
    fi
    echo "${line,,}"
  done < "$1"
}

counting=
if [[ ${1:-} == -c ]]; then
  counting=1
  shift
fi
if [[ $# -eq 0 ]]; then
  echo "usage: hosts.sh [-c] LIST..." >&2
  exit 2
fi
hosts() {
  local list
  for list in "$@"; do read_list "$list"; done | sort -u
}
if [[ $counting ]]; then hosts "$@" | wc -l; else hosts "$@"; fi
