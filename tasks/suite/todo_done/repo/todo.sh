#!/usr/bin/env bash
# A list of things to do, in the file $TODO.
#   todo.sh add TEXT... | list | remove NUMBER
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib/entries.sh"
. "$here/lib/show.sh"

file=${TODO:-$HOME/.todo}
load "$file"
command=${1:-list}
(($# == 0)) || shift
case $command in
  add)
    add "$*"
    save "$file"
    ;;
  list) show_list ;;
  remove)
    remove "$1"
    save "$file"
    ;;
  *)
    echo "usage: todo.sh add|list|remove" >&2
    exit 2
    ;;
esac
