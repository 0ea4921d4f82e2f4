#!/usr/bin/env bash
# Deletes old backups: files DATABASE-YYYY-MM-DD.sql.gz.
#   prune.sh [--keep N] [--dry-run] FOLDER
set -euo pipefail
. "$(dirname "$0")/lib/backups.sh"

keep=7 dry_run=
while [[ ${1:-} == --* ]]; do
  case $1 in
    --keep)
      keep=${2:-}
      shift
      ;;
    --dry-run) dry_run=1 ;;
    *) keep= ;;
  esac
  shift
done
if [[ ! $keep =~ ^[1-9][0-9]*$ || $# -ne 1 ]]; then
  echo "usage: prune.sh [--keep N] [--dry-run] FOLDER" >&2
  exit 2
fi

old_backups "$1" "$keep" | while IFS= read -r file; do
  echo "$file"
  [[ $dry_run ]] || rm -- "$1/$file"
done
