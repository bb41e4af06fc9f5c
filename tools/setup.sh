#!/usr/bin/env bash
# Installs what the build and the tests need: Debian packages, and a .venv with pinned Python ones.
# Safe to run again; quick when nothing is missing.
#
#   tools/setup.sh            what `make test` and `make demo` need
#   tools/setup.sh --checks   also Clang, clang-format and the aarch64 cross compiler
#   tools/setup.sh --oracle   also torch, transformers and other oracles (about 6 GB)
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
  g++ cmake ninja-build ccache pkg-config python3-venv
  libgtest-dev libgmock-dev libbenchmark-dev
  nlohmann-json3-dev libyaml-cpp-dev libcli11-dev libspdlog-dev libfmt-dev
  libutf8proc-dev libpcre2-dev libsimdjson-dev libsqlite3-dev
)
requirements=(requirements.txt)
for argument in "$@"; do
  case $argument in
    --checks)
      packages+=(clang-14 libclang-rt-14-dev clang-format-14 g++-aarch64-linux-gnu qemu-user
                 googletest) ;;
    --oracle) requirements+=(requirements-oracle.txt) ;;
    *) echo "setup: unknown argument $argument: use --checks or --oracle" >&2; exit 2 ;;
  esac
done

install_packages() {
  command -v dpkg-query >/dev/null || return 0  # not Debian: CMake says what it does not find
  local missing=() package
  for package in "${packages[@]}"; do
    dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
      missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
      echo "setup: install the missing packages: sudo apt-get install ${missing[*]}" >&2
      exit 1
    fi
    as_root=(sudo -n)
  fi
  echo "setup: installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# A copy of the requirements in .venv says that they are installed.
install_python() {
  local file=$1
  cmp -s "tools/$file" ".venv/$file" && return 0
  [ -x .venv/bin/python ] || python3 -m venv .venv
  echo "setup: installing tools/$file into .venv"
  if ! .venv/bin/python -m pip install -q --disable-pip-version-check -r "tools/$file"; then
    echo "setup: pip could not install tools/$file into .venv: check the network and try again" >&2
    exit 1
  fi
  cp "tools/$file" ".venv/$file"
}

install_packages
for file in "${requirements[@]}"; do install_python "$file"; done
