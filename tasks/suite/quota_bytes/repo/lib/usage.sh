# To be sourced.
# shellcheck shell=bash

# Prints the kilobytes of all files below a folder; 0 when it is not there.
usage_of() { # FOLDER
  local size total=0
  if [[ ! -d $1 ]]; then
    echo 0
    return
  fi
  while read -r size; do
    total=$((total + size / 1024))
  done <<< "$(find "$1" -type f -printf '%s\n')"
  echo "$total"
}
