# To be sourced.
# shellcheck shell=bash

declare -A variables=()

# Reads lines name=value into `variables`.
read_variables() { # FILE
  local line
  while IFS= read -r line; do
    if [[ ! $line =~ ^[a-z_]+= ]]; then
      echo "not a variable: $line" >&2
      return 1
    fi
    variables[${line%%=*}]=${line#*=}
  done < "$1"
}
