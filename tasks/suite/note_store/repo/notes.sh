#!/usr/bin/env bash
# Small notes with names, in the file $NOTES.
#   notes.sh set NAME TEXT | get NAME | delete NAME | names | list | find WORD
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib/store.sh"
. "$here/lib/views.sh"

store=${NOTES:-$HOME/.notes}
[[ -e $store ]] || : > "$store"
case ${1:-} in
  set) put "$2" "$3" ;;
  get) get "$2" ;;
  delete) delete "$2" ;;
  names) names ;;
  list) list ;;
  find) find_word "$2" ;;
  *)
    echo "usage: notes.sh set|get|delete|names|list|find ..." >&2
    exit 2
    ;;
esac
