#!/usr/bin/env bash
# Installs what checks infra/template.yaml and stands in for AWS: two Python environments and a Node folder, all
# below target/aws. Does nothing when they are there and nothing they are made of has changed.
#
# Needs Python 3.11 or later with venv, and npm. As root on Debian it installs what is missing of these by apt.
set -euo pipefail
cd "$(dirname "$0")"
here="$PWD"
into="$(cd ../.. && pwd)/target/aws"
made_of=(install.sh requirements.txt requirements-checkov.txt package.json package-lock.json)

fail() {
    printf 'tests/aws/install.sh: %s\n' "$1" >&2
    exit 1
}

find_python() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}

by_apt() { # what for, package
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    printf 'installing %s by apt, for %s\n' "$2" "$1"
    apt-get install -y --no-install-recommends "$2" >"$into/apt.log" 2>&1 ||
        { apt-get update >>"$into/apt.log" 2>&1 && apt-get install -y --no-install-recommends "$2" >>"$into/apt.log" 2>&1; } ||
        fail "apt could not install $2; see $into/apt.log"
}

environment() { # folder, requirements
    rm -rf "${into:?}/$1"
    "$python" -m venv "$into/$1"
    # The file names every package, so that there is nothing to resolve.
    "$into/$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$2"
}

node_folder() {
    rm -rf "${into:?}/node"
    mkdir -p "$into/node"
    cp package.json package-lock.json "$into/node/"
    (cd "$into/node" && npm ci --no-audit --no-fund --loglevel=error >/dev/null)
}

mkdir -p "$into"
wanted="$(cat "${made_of[@]}" | sha256sum | cut -d' ' -f1)"
if [ "$(cat "$into/installed" 2>/dev/null)" = "$wanted" ] && [ -x "$into/venv/bin/ministack" ] &&
    [ -x "$into/checkov/bin/checkov" ] && [ -d "$into/node/node_modules" ]; then
    exit 0
fi
rm -f "$into/installed"
find_python >/dev/null || by_apt "Python's environments" python3-venv || true
python="$(find_python)" || fail "Python 3.11 or later with the module venv is needed (on Debian: apt install python3-venv)"
command -v npm >/dev/null || by_apt "the checks of the state machines" npm || fail "npm is needed (on Debian: apt install npm)"

start="$SECONDS"
printf 'installing into %s: MiniStack and cfn-lint (venv), checkov (checkov), asl-validator (node)\n' "$into"
environment venv requirements.txt & first=$!
environment checkov requirements-checkov.txt & second=$!
node_folder & third=$!
failed=()
wait "$first" || failed+=(requirements.txt)
wait "$second" || failed+=(requirements-checkov.txt)
wait "$third" || failed+=(package-lock.json)
[ "${#failed[@]}" = 0 ] || fail "could not install what is in $here: ${failed[*]}"
printf '%s\n' "$wanted" >"$into/installed"
printf 'installed in %d s\n' "$((SECONDS - start))"
