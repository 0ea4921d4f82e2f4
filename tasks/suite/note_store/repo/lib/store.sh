# The file $store: lines name=text, sorted by name. To be sourced.
# shellcheck shell=bash

check_name() {
  if [[ ! $1 =~ ^[A-Za-z0-9_-]+$ ]]; then
    echo "not a name: $1" >&2
    return 1
  fi
}

put() { # NAME TEXT
  local others
  check_name "$1"
  others=$(others "$1")
  printf '%s\n' "$others" "$1=$2" | sed '/^$/d' | sort > "$store"
}

get() { # NAME
  local line
  check_name "$1"
  while IFS= read -r line; do
    if [[ $line == "$1="* ]]; then
      echo "${line#*=}"
      return 0
    fi
  done < "$store"
  echo "no note: $1" >&2
  return 1
}

delete() { # NAME
  local others
  get "$1" > /dev/null
  others=$(others "$1")
  printf '%s\n' "$others" | sed '/^$/d' > "$store"
}

names() {
  cut -d= -f1 "$store"
}

# The lines of all notes but one.
others() { # NAME
  sed "/^$1=/d" "$store"
}
