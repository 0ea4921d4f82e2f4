# To be sourced.
# shellcheck shell=bash

# Prints a text with its variables filled in.
fill() { # TEXT
  local text=$1 name
  for name in "${!variables[@]}"; do
    text=${text//"{{$name}}"/"${variables[$name]}"}
  done
  printf '%s\n' "$text"
}
