# To be sourced.
# shellcheck shell=bash

# Runs a command while holding a lock, which is a folder. Status 75 when somebody else holds it.
#   with_lock FOLDER COMMAND [ARGUMENT]...
with_lock() {
  local lock=$1
  shift
  mkdir -- "$lock" 2> /dev/null || return 75
  "$@"
  rmdir -- "$lock"
}
