# To be sourced.
# shellcheck shell=bash

# Prints "STATUS BYTES" for each request of a log, and "?" for a line that is none.
parse_log() { # LOG
  awk '
    match($0, /\[[0-9]+\/[A-Z][a-z]+\/[0-9:]+ [-+0-9]+\] "[^"]*" [1-5][0-9][0-9] ([0-9]+|-)/) {
      count = split(substr($0, RSTART, RLENGTH), word, " ")
      print word[count - 1], (word[count] == "-" ? 0 : word[count])
      next
    }
    NF > 0 { print "?" }' "$1"
}
