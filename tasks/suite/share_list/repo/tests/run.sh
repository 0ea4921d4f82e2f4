#!/usr/bin/env bash
cd "$(dirname "$0")/.." || exit
list=$(mktemp)
trap 'rm -f "$list"' EXIT
count=0 failed=0

expect() { # WHAT LINES EXPECTED
  local got
  printf '%s\n' "$2" > "$list"
  got=$(./mount_commands.sh "$list" 2>&1)
  count=$((count + 1))
  if [[ $got == "$3" ]]; then
    printf 'ok %d - %s\n' $count "$1"
  else
    printf 'not ok %d - %s\n' $count "$1"
    printf '# got:      %s\n# expected: %s\n' "$got" "$3"
    failed=1
  fi
}

tab=$'\t'
expect "slashes" "music$tab//nas/m${tab}ro" "mount -t cifs -o ro,nofail '//nas/m' '/mnt/music'"
expect "mode left out" "music$tab//nas/m" "mount -t cifs -o rw,nofail '//nas/m' '/mnt/music'"
expect "comments" "#music$tab//nas/m" ""
expect "blanks" "my music$tab//nas/my music" \
  "mount -t cifs -o rw,nofail '//nas/my music' '/mnt/my music'"
expect "quote" "it's$tab//nas/m" "mount -t cifs -o rw,nofail '//nas/m' '/mnt/it'\\''s'"
expect "backslashes" "scans$tab\\\\server\\scans${tab}rw" \
  "mount -t cifs -o rw,nofail '\\\\server\\scans' '/mnt/scans'"
expect "backslash at the end" "c$tab\\\\server\\c\\" \
  "mount -t cifs -o rw,nofail '\\\\server\\c\\' '/mnt/c'"
expect "unknown mode" "a${tab}b${tab}rx" "no such mode: rx"

exit $failed
