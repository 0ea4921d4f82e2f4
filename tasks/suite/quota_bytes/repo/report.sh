#!/usr/bin/env bash
# Reports how much of its quota each folder uses; status 1 when one uses more.
#   report.sh ROOT QUOTAS
# QUOTAS has lines of a folder's name and its quota.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib/sizes.sh"
. "$here/lib/usage.sh"

status=0
while read -r name quota; do
  used=$(usage_of "$1/$name")
  allowed=$(parse_size "$quota")
  line="$name: $used KB of $allowed KB"
  if ((used > allowed)); then
    line+=" (exceeded)"
    status=1
  fi
  echo "$line"
done < "$2"
exit $status
