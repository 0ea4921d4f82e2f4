# To be sourced.
# shellcheck shell=bash

# Prints the kilobytes of a size such as 10, 5M or 2G.
parse_size() {
  if [[ ! $1 =~ ^[0-9]{1,9}[MG]?$ ]]; then
    echo "not a size: $1" >&2
    return 1
  fi
  case $1 in
    *M) echo $((10#${1%M} * 1024)) ;;
    *G) echo $((10#${1%G} * 1024 * 1024)) ;;
    *) echo $((10#$1)) ;;
  esac
}
