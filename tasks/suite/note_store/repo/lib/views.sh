# To be sourced.
# shellcheck shell=bash

list() {
  local name
  names | while IFS= read -r name; do
    printf '%-10s %s\n' "$name" "$(get "$name")"
  done
}

# The names of the notes whose text has a word in it, without regard to case.
find_word() { # WORD
  local line
  while IFS= read -r line; do
    if [[ ${line,,} == *=*"${1,,}"* ]]; then echo "${line%%=*}"; fi
  done < "$store"
}
