# To be sourced.
# shellcheck shell=bash

# Prints the seconds of a duration such as 90, 15m or 1h30m.
to_seconds() {
  local number=${1%%[!0-9]*}
  case $1 in
    *d*) echo $((number * 86400)) ;;
    *h*) echo $((number * 3600)) ;;
    *m*) echo $((number * 60)) ;;
    *) echo $((number)) ;;
  esac
}

# Prints seconds as H:MM:SS.
as_clock() {
  printf '%d:%02d:%02d\n' $(($1 / 3600)) $(($1 / 60 % 60)) $(($1 % 60))
}
