#!/usr/bin/env bash
# Runs every check and every test of deskup, and prints how long each suite took.
#
# Needs Rust (rustup fetches the pinned toolchain with rustfmt and clippy) and a C compiler for the
# embedded SQLite. Nothing is installed outside `target/`.
#
# Recorded data is used where these variables name it; without them the tests use their own:
#   DESKUP_FIXTURES    folder of recorded answers of both services
#   DESKUP_ASL_CASES   folder of recorded Step Functions executions
#   DESKUP_API         folder of both services' OpenAPI documents
#   DESKUP_TICKETS     CSV of ticket texts
set -uo pipefail
cd "$(dirname "$0")"
log="target/test.log"
mkdir -p target
failed=()

step() { # name, command...
    local name="$1" start="$SECONDS"
    shift
    printf '\n== %s: %s\n' "$name" "$*"
    "$@" || failed+=("$name")
    printf '== %s took %d s\n' "$name" "$((SECONDS - start))"
}

step "format" cargo fmt --all --check
# One command for all crates: their dependencies are then built once, with one set of features, and the
# program that `cargo run` builds is among them.
step "build" cargo build --release --workspace --all-targets
step "lint" cargo clippy --release --workspace --all-targets -- -D warnings
test_all() { cargo test --release --workspace --no-fail-fast 2>&1 | tee "$log"; }
step "tests" test_all

printf '\n== time of each suite\n'
awk '
    /^ +Running / { suite = $2 == "unittests" ? $3 " " $4 : $2 " " $3 }
    /^ +Doc-tests / { suite = "doc-tests " $2 }
    /^test result: .* finished in / { if ($4 > 0) printf "%9s  %4d tests  %s\n", $NF, $4, suite }
' "$log"

if [ "${#failed[@]}" -gt 0 ]; then
    printf '\nfailed: %s\n' "${failed[*]}" >&2
    exit 1
fi
printf '\neverything passed\n'
