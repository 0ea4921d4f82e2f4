#!/usr/bin/env bash
# Writes one zone file for each list of hosts: FOLDER/NAME.hosts -> FOLDER/NAME.zone
#   zones.sh FOLDER
set -uo pipefail
. "$(dirname "$0")/lib/files.sh"

make_zone() {
  local name address
  while read -r name address; do
    if [[ ! $address =~ ^[0-9.]+$ ]]; then
      echo "$1: $name has no address" >&2
      return 3
    fi
    printf '%-12s IN A %s\n' "$name" "$address"
  done < "$1"
}

failed=0
for hosts in "$1"/*.hosts; do
  replace_file "${hosts%.hosts}.zone" make_zone "$hosts" || failed=1
done
exit $failed
