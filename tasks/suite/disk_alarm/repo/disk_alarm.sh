#!/usr/bin/env bash
# Reads the output of `df -P` and names the file systems that are fuller than a limit in percent.
#   df -P | disk_alarm.sh [LIMIT]
# Ends with 1 when there is one, so that cron sends a mail.
set -euo pipefail

limit=${1:-90}
if [[ ! $limit =~ ^[0-9]+$ ]]; then
  echo "not a limit in percent: $limit" >&2
  exit 2
fi

full=0
read -r _ # the header
while read -r device _ _ available used mount; do
  used=${used%\%}
  case $device in
    tmpfs | udev | overlay) continue ;;
  esac
  # Pseudo file systems have a dash.
  [[ $used =~ ^[0-9]+$ ]] || continue
  if ((used > limit)); then
    echo "$mount is $used% full, $((available / 1024)) MiB are left"
    ((full++))
  fi
done
if ((full > 0)); then
  echo "file systems above $limit%: $full"
  exit 1
fi
