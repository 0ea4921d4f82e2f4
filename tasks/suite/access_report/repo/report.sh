#!/usr/bin/env bash
# Sums up an access log in the common format.
#   report.sh LOG
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib/parse.sh"
. "$here/lib/summary.sh"

if (($# != 1)); then
  echo "usage: report.sh LOG" >&2
  exit 2
fi
parse_log "$1" | summarize
