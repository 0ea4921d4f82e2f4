#!/usr/bin/env bash
cd "$(dirname "$0")/.." || exit
number=0
failures=0

# What the alarm says about file systems that are so full, and how it ends.
alarm() { # LIMIT DEVICE PERCENT MOUNT [DEVICE PERCENT MOUNT]...
  {
    echo "Filesystem 1024-blocks Used Available Capacity Mounted on"
    printf '%s 1000000 1000 20480 %s %s\n' "${@:2}"
  } | ./disk_alarm.sh "$1" 2>&1
  echo "status $?"
}

expect() { # WHAT EXPECTED COMMAND...
  local what=$1 expected=$2 got
  shift 2
  got=$("$@")
  number=$((number + 1))
  if [[ $got == "$expected" ]]; then
    echo "ok $number - $what"
  else
    echo "not ok $number - $what"
    echo "# got '${got//$'\n'/, }', expected '${expected//$'\n'/, }'"
    failures=$((failures + 1))
  fi
}

expect "below the limit" "status 0" alarm 80 /dev/sda1 15% /
expect "at the limit" "status 0" alarm 80 /dev/sda1 80% / /dev/sdb1 9% /srv
expect "no percentage" "status 0" alarm 5 /dev/sda1 - /
expect "not a disk" "status 0" alarm 80 tmpfs 99% /run
expect "not a limit" $'not a limit in percent: 80%\nstatus 2' alarm 80% /dev/sda1 5% /
expect "one above the limit" \
  $'/srv/my data is 100% full, 20 MiB are left\nfile systems above 80%: 1\nstatus 1' \
  alarm 80 /dev/sda1 15% / /dev/sdb1 100% "/srv/my data"
expect "two above the limit" \
  "$(printf '%s\n' "/ is 91% full, 20 MiB are left" "/home is 99% full, 20 MiB are left" \
    "file systems above 90%: 2" "status 1")" \
  alarm 90 /dev/sda1 91% / /dev/sdb1 20% /srv /dev/sdc1 99% /home

exit $((failures > 0))
