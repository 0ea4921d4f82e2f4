# To be sourced. A step that fails says so and returns a status of its own.
# shellcheck shell=bash

build() { # SITE OUT
  local page
  mkdir -p "$2" || return
  for page in "$1"/*.txt; do
    if [[ ! -s $page ]]; then
      echo "nothing in ${page##*/}" >&2
      return 3
    fi
    { echo "<pre>" && cat "$page" && echo "</pre>"; } > "$2/$(basename "$page" .txt).html"
  done
}

check() { # OUT
  if [[ ! -e $1/index.html ]]; then
    echo "there is no index" >&2
    exit 4
  fi
}

copy() { # OUT TARGET
  mkdir -p "$2" && cp "$1"/*.html "$2"
}

publish() { # SITE TARGET
  local out
  out=$(mktemp -d) || return
  build "$1" "$out"
  check "$out"
  copy "$out" "$2"
  rm -rf "$out"
}
