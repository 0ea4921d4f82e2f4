# Months are written as YYYY-MM. To be sourced.
# shellcheck shell=bash

is_month() {
  [[ $1 =~ ^[0-9]{4}-(0[1-9]|1[0-2])$ ]]
}

# Prints the month before $1; status 1 when it is none.
previous_month() {
  local year month
  if ! is_month "$1"; then
    echo "not a month: $1" >&2
    return 1
  fi
  year=${1%-*}
  month=$((${1#*-} - 1))
  if ((month == 0)); then
    year=$((year - 1))
    month=12
  fi
  printf '%04d-%02d\n' "$year" "$month"
}

# Prints the last $2 months that end before $1, the latest first.
months_before() {
  local month=$1 count=$2
  while ((count > 0)); do
    month=$(previous_month "$month") || return
    echo "$month"
    count=$((count - 1))
  done
}
