#!/usr/bin/env bash
# A bundled example as run_example.sh runs it, but with the model of `dsv4-agent serve`.
#   run_on_server.sh DSV4_AGENT EXAMPLE_DIR passes|may-give-up [OPTION OF FIX]...
set -euo pipefail
agent=$1
scratch=$(mktemp -d)
mkfifo "$scratch/said"
"$agent" serve --port 0 > "$scratch/said" 2> "$scratch/err" &
server=$!
trap 'kill $server; wait $server || true; rm -rf "$scratch"' EXIT
exec 3< "$scratch/said"
read -r said <&3 || { cat "$scratch/err"; exit 1; }
port=$(python3 -c 'import json, sys; print(json.loads(sys.argv[1])["port"])' "$said")
"$(dirname "$0")/run_example.sh" "$@" --endpoint "http://127.0.0.1:$port/v1"
