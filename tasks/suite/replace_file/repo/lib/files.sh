# To be sourced.
# shellcheck shell=bash

# Prints where a file really is: links are followed, so that they stay links.
real_path() {
  readlink -f -- "$1"
}

# Makes what a command prints the content of file $1.
#   replace_file FILE COMMAND [ARGUMENT]...
replace_file() {
  local file status=0
  file=$(real_path "$1")
  shift
  "$@" > "$file" || status=$?
  return "$status"
}
