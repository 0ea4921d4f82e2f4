#!/usr/bin/env bash
# Says how pictures would be made smaller.
#   resize.sh [--width N] [--title TEXT] [-v|--verbose] [-n|--dry-run] FILE...
set -euo pipefail
. "$(dirname "$0")/options.sh"

parse_options "$@"
[[ ${option[width]} =~ ^[1-9][0-9]*$ ]] || usage_error "not a width: ${option[width]}"
((${#files[@]} > 0)) || usage_error "no files"
for file in "${files[@]}"; do
  title=${option[title]:+ as ${option[title]}}
  echo "${option[dry-run]:+would }resize $file to ${option[width]}$title"
  [[ -z ${option[verbose]} ]] || echo "done with $file"
done
