#!/usr/bin/env bash
# Publishes a site: builds it, checks it and copies it to its place.
#   publish.sh SITE TARGET
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib/lock.sh"
. "$here/lib/steps.sh"

if [[ $# -ne 2 ]]; then
  echo "usage: publish.sh SITE TARGET" >&2
  exit 2
fi
if ! with_lock "$2.lock" publish "$1" "$2"; then echo "busy" >&2; fi
