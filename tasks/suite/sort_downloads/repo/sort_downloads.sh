#!/usr/bin/env bash
# Moves the files of a folder into folders inside it, by their kind.
#   sort_downloads.sh FOLDER
set -euo pipefail

kind_of() {
  case ${1,,} in
    *.jpg | *.jpeg | *.png) echo images ;;
    *.pdf | *.txt | *.md) echo documents ;;
    *.zip | *.tar.*) echo archives ;;
    *) echo others ;;
  esac
}

sort_folder() {
  local folder=$1 file kind
  for file in "$folder"/*; do
    [[ -f $file ]] || continue
    kind=$(kind_of "$file")
    mkdir -p "$folder/$kind"
    mv -n -- $file "$folder/$kind/"
  done
}

if [[ $# -ne 1 || ! -d $1 ]]; then
  echo "usage: sort_downloads.sh FOLDER" >&2
  exit 2
fi
sort_folder "$1"
