#!/usr/bin/env bash
# Prints those addresses of standard input that are in a network of the list.
#   allowed.sh LIST
set -euo pipefail
. "$(dirname "$0")/networks.sh"

mapfile -t networks < "$1"
while IFS= read -r address; do
  for network in "${networks[@]}"; do
    if in_network "$address" "$network"; then
      echo "$address"
      break
    fi
  done
done
