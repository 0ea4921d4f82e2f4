#!/usr/bin/env bash
cd "$(dirname "$0")/.." || exit
. ./lib/sizes.sh
. ./lib/usage.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
number=0 failures=0

expect() { # WHAT EXPECTED COMMAND...
  local got
  got=$("${@:3}" 2>&1)
  number=$((number + 1))
  if [[ $got == "$2" ]]; then
    echo "ok $number - $1"
  else
    printf 'not ok %d - %s\n# got "%s", expected "%s"\n' $number "$1" "${got//$'\n'/|}" \
      "${2//$'\n'/|}"
    failures=$((failures + 1))
  fi
}

mkdir -p "$scratch/root/ada/deep er" "$scratch/root/bob" "$scratch/root/empty"
for i in 1 2; do printf '%700s' x > "$scratch/root/ada/deep er/$i"; done
printf '%136s' x > "$scratch/root/ada/small"
printf '%2049s' x > "$scratch/root/bob/file"

expect "no folder" 0 usage_of "$scratch/none"
expect "empty folder" 0 usage_of "$scratch/root/empty"
expect "not a size" "not a size: 10 apples" parse_size "10 apples"
expect "not a size either" "not a size: -5" parse_size -5
expect "usage in bytes" 1536 usage_of "$scratch/root/ada"
expect "plain size" 1500 parse_size 1500
expect "leading zero" 8 parse_size 08
expect "K" 10240 parse_size 10K
expect "M" 5242880 parse_size 5m
expect "G" 2147483648 parse_size 2G
expect "bytes for people" "900 B" human_size 900
expect "almost a KB" "1023 B" human_size 1023
expect "KB" "1.5 KB" human_size 1536
expect "almost a MB" "1023.9 KB" human_size 1048575
expect "MB" "10.0 MB" human_size 10485760
expect "GB" "2.0 GB" human_size 2147483648
expect "many GB" "2048.5 GB" human_size 2199560126464

printf 'ada 2K\nbob 2k\nempty 0\n' > "$scratch/quotas"
report() { ./report.sh "$scratch/root" "$scratch/quotas"; }
expect "report" "$(printf '%s\n' "ada: 1.5 KB of 2.0 KB" "bob: 2.0 KB of 2.0 KB (exceeded)" \
  "empty: 0 B of 0 B")" report

exit $((failures > 0))
