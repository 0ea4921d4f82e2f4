# To be sourced.
# shellcheck shell=bash

# Sums up parsed lines: the requests, their bytes, and how often each status occurs, the most
# frequent first.
summarize() {
  awk '
    $1 == "?" { skipped++; next }
    { requests++; bytes += $2; count[$1]++ }
    END {
      print "requests", requests + 0
      print "bytes", bytes + 0
      fflush()
      for (status in count) print status, count[status] | "sort -k2,2nr -k1,1n"
      close("sort -k2,2nr -k1,1n")
      if (skipped > 0) print "skipped", skipped
    }'
}
