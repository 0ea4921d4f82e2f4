#!/usr/bin/env bash
# Installs what building and testing need, and says what it does. After it no network is needed.
#   cmake/setup.sh build   compilers, libraries and the tree-sitter grammars
#   cmake/setup.sh test    the same, and the programs and Python packages the tests compare with
set -euo pipefail
cd "$(dirname "$0")/.."
goal=${1:-build}
say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

command -v apt-get >/dev/null || fail "this set-up knows Debian and Ubuntu only; install the packages \
named in cmake/setup.sh with your system's package manager, then run cmake --preset release"

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; return; fi
  command -v sudo >/dev/null || fail "packages are missing and sudo is not installed: run as root: $*"
  sudo "$@"
}

# No pipe into grep -q: it stops reading early, the writer dies of SIGPIPE, and pipefail then turns a
# yes into a no.
available() { [[ $(LC_ALL=C apt-cache policy "$1" 2>/dev/null) == *"Candidate: "[0-9]* ]]; }
installed() { [[ $(dpkg-query -W -f '${Status}' "$1" 2>/dev/null) == *"ok installed" ]]; }

packages=(g++ make cmake ninja-build ccache pkg-config git python3 python3-venv nlohmann-json3-dev
          libedit-dev libpcre2-dev libgit2-dev libseccomp-dev libsqlite3-dev libssl-dev
          libtomlplusplus-dev libtree-sitter-dev bubblewrap ca-certificates)
if [ "$goal" = test ]; then
  packages+=(catch2 openssl ripgrep tmux)
  command -v node > /dev/null || packages+=(nodejs)  # any from 18 on
fi

updated=
update_once() { [ -n "$updated" ] || { say "reading the package lists"; as_root apt-get update -qq; updated=1; }; }

# Debian 12's default Boost is 1.74; 1.81 is there under its own name. Ubuntu 24.04's default is 1.83.
boost_packages() {
  local version
  if installed libboost1.81-dev || available libboost1.81-dev; then version=1.81; else version=; fi
  echo "libboost$version-dev libboost-filesystem$version-dev libboost-program-options$version-dev"
}
available libboost-dev || update_once
read -ra boost <<< "$(boost_packages)"
packages+=("${boost[@]}")

missing=()
for package in "${packages[@]}"; do installed "$package" || missing+=("$package"); done
if [ ${#missing[@]} -gt 0 ]; then
  update_once
  say "installing ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" > /dev/null
fi

# The grammars are published as source packages; the two files of hashes pin their exact bytes.
mkdir -p build
# pip is run as a module because the program's first line names the folder it was made in, and trees
# are moved and copied.
pip() { build/venv/bin/python3 -m pip --disable-pip-version-check "$@"; }
if ! pip --version > /dev/null 2>&1; then
  say "making build/venv for Python packages"
  /usr/bin/python3 -m venv --clear build/venv
fi
fetch_grammar() {
  local name=$1 dir=build/grammars/$1 fresh=build/downloads/$1
  [ -d "$dir" ] && return
  say "fetching the grammar $name"
  rm -rf "$fresh"
  mkdir -p build/grammars "$fresh/source"
  grep -A1 "^$name==" cmake/grammars.txt > "$fresh/pin.txt"
  # --no-binary for this package alone: the tools that pip reads its metadata with may be wheels.
  pip download -q --no-deps --no-binary "$name" --require-hashes -r "$fresh/pin.txt" -d "$fresh"
  tar -xzf "$fresh"/*.tar.gz -C "$fresh/source" --strip-components=1
  mv "$fresh/source" "$dir"  # whole or not at all
}
for name in $(sed -n 's/^\(tree-sitter-[a-z]*\)==.*/\1/p' cmake/grammars.txt); do
  fetch_grammar "$name"
done

if [ "$goal" = test ] && [ ! -f build/venv/.test-packages ]; then
  say "installing the Python packages that tests compare with"
  pip install -q -r tests/requirements.txt
  touch build/venv/.test-packages
fi

# The card's side of the engine is compiled wherever there is a compiler for it. Tests want one; a
# machine that cannot have it builds the engine for the processor only.
if command -v nvcc >/dev/null || [ -x /usr/local/cuda/bin/nvcc ]; then
  say "CUDA is installed: building for NVIDIA GPUs too"
elif [ "$goal" = test ]; then
  if [ ! -f build/venv/.cuda-packages ]; then
    say "fetching NVIDIA's compiler, so that the code for GPUs is compiled too"
    if pip install -q --no-deps -r cmake/cuda.txt; then
      touch build/venv/.cuda-packages
    else
      say "it could not be had: building the CPU engine only"
    fi
  fi
else
  say "no CUDA on this machine: building the CPU engine"
fi
say "ready"
