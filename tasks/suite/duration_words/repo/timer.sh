#!/usr/bin/env bash
# Prints what a timer would show, from the beginning to zero, at so many equal steps.
#   timer.sh DURATION [STEPS]
set -euo pipefail
. "$(dirname "$0")/durations.sh"

seconds=$(to_seconds "$1")
steps=${2:-4}
for ((step = steps; step >= 0; step--)); do
  as_clock $((seconds * step / steps))
done
