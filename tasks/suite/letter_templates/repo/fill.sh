#!/usr/bin/env bash
# Fills variables into a template and prints the result.
#   fill.sh TEMPLATE VARIABLES
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib/variables.sh"
. "$here/lib/template.sh"

if [[ $# -ne 2 ]]; then
  echo "usage: fill.sh TEMPLATE VARIABLES" >&2
  exit 2
fi
read_variables "$2"
template=$(cat "$1")
fill "$template"
