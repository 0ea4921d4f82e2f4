# The list, as it is in the file: one line for each entry. To be sourced.
# shellcheck shell=bash

entries=()

load() { # FILE
  entries=()
  if [[ -e $1 ]]; then mapfile -t entries < "$1"; fi
}

save() { # FILE
  if ((${#entries[@]} > 0)); then printf '%s\n' "${entries[@]}" > "$1"; else : > "$1"; fi
}

# Prints the index of the entry with a number, which counts from 1.
index_of() { # NUMBER
  if [[ ! $1 =~ ^[1-9][0-9]*$ ]] || (($1 > ${#entries[@]})); then
    echo "no entry $1" >&2
    return 1
  fi
  echo $(($1 - 1))
}

add() { # TEXT
  if [[ -z $1 ]]; then
    echo "nothing to add" >&2
    return 1
  fi
  entries+=("$1")
}

remove() { # NUMBER
  local index
  index=$(index_of "$1")
  unset "entries[$index]"
  entries=("${entries[@]}")
}
