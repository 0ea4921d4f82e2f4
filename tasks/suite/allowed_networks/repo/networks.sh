# To be sourced.
# shellcheck shell=bash

# Whether $1 is four numbers from 0 to 255 with dots between them.
is_address() {
  local part parts
  [[ $1 =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}$ ]] || return 1
  IFS=. read -ra parts <<< "$1"
  for part in "${parts[@]}"; do
    ((10#$part <= 255)) || return 1
  done
}

# Prints an address as one number.
address_number() {
  local parts
  IFS=. read -ra parts <<< "$1"
  echo $(((10#${parts[0]} << 24) + (10#${parts[1]} << 16) + (10#${parts[2]} << 8) + 10#${parts[3]}))
}

# Whether address $1 is in network $2, such as 10.1.0.0/16. Status 2 when either is not valid.
in_network() {
  local address=$1 base=${2%/*} bits=${2#*/} bytes prefix
  bytes=$((bits / 8))
  prefix=$(cut -d. -f"1-$bytes" <<< "$base")
  [[ $address == "$prefix".* ]]
}
