#!/usr/bin/env bash
# Lists the folders of the months before one, and which of them are missing.
#   report.sh FOLDER MONTH [COUNT]
set -euo pipefail
. "$(dirname "$0")/months.sh"

if [[ $# -lt 2 ]]; then
  echo "usage: report.sh FOLDER MONTH [COUNT]" >&2
  exit 2
fi
months=$(months_before "$2" "${3:-3}")
for month in $months; do
  if [[ -d $1/$month ]]; then
    files=("$1/$month"/*)
    [[ -e ${files[0]} ]] || files=()
    echo "$month: ${#files[@]} files"
  else
    echo "$month: missing"
  fi
done
