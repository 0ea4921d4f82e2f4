#!/usr/bin/env bash
# Prints the commands that mount the shares of a list: name, share and mode with tabs between them.
#   mount_commands.sh LIST
set -euo pipefail

quoted() { printf "'%s'" "${1//\'/\'\\\'\'}"; }

options_for() {
  case $1 in
    rw | '') echo "rw,nofail" ;;
    ro) echo "ro,nofail" ;;
    *)
      echo "no such mode: $1" >&2
      return 1
      ;;
  esac
}

if [[ $# -ne 1 ]]; then
  echo "usage: mount_commands.sh LIST" >&2
  exit 2
fi
while IFS=$'\t' read name share mode; do
  if [[ -z $name || $name == \#* ]]; then continue; fi
  options=$(options_for "$mode")
  echo "mount -t cifs -o $options $(quoted "$share") $(quoted "/mnt/$name")"
done < "$1"
