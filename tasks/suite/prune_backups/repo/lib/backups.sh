# To be sourced.
# shellcheck shell=bash

# The part of a name that says which database it is: shop-test-2024-05-01.sql.gz -> shop-test
database_of() {
  local stem=${1%.sql.gz}
  echo "${stem%-????-??-??}"
}

# Prints the files of folder $1 that are not among the $2 newest, in the order of their names.
old_backups() {
  local folder=$1 keep=$2
  find "$folder" -maxdepth 1 -type f -printf '%f\n' | sort | head -n "-$keep"
}
