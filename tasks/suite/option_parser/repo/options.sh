# To be sourced.
# shellcheck shell=bash

declare -A option=()
files=()

usage_error() {
  echo "$*" >&2
  exit 2
}

# Sorts arguments into `option`, by their long names, and `files`.
parse_options() {
  option=([width]=100 [title]='' [verbose]='' [dry-run]='')
  files=()
  while [[ ${1:-} == -* ]]; do
    case $1 in
      --width | --title)
        option[${1#--}]=$2
        shift
        ;;
      -v | --verbose) option[verbose]=1 ;;
      -n | --dry-run) option[dry-run]=1 ;;
      *) usage_error "unknown option: $1" ;;
    esac
    shift
  done
  files=("$@")
}
