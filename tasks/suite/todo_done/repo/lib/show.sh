# To be sourced.
# shellcheck shell=bash

show_list() {
  local index
  for index in "${!entries[@]}"; do
    echo "$((index + 1)) [ ] ${entries[index]}"
  done
  echo "0 of ${#entries[@]} done"
}
