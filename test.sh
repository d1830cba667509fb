#!/usr/bin/env bash
# Runs every check and every test of deskup, and prints how long each took.
#
#   ./test.sh              everything
#   ./test.sh world        only the suites whose name contains "world"
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
only="${1:-}"
failed=()
times=()

suite() { # name, command...
    local name="$1" start end status
    shift
    case "$name" in *"$only"*) ;; *) return 0 ;; esac
    printf '\n== %s: %s\n' "$name" "$*"
    start=$(date +%s)
    "$@"
    status=$?
    end=$(date +%s)
    times+=("$(printf '%6d s  %s' "$((end - start))" "$name")")
    [ "$status" -eq 0 ] || failed+=("$name")
}

crates="domain asl runner clients stores simulators orchestration statemachines functions world deskup"

suite format cargo fmt --all --check
suite build cargo build --release --workspace --all-targets
suite lint cargo clippy --release --workspace --all-targets -- -D warnings
for crate in $crates; do
    suite "$crate" cargo test --release -q -p "$crate"
done
for file in tests/tests/*.rs; do
    name="$(basename "$file" .rs)"
    suite "tests/$name" cargo test --release -q -p tests --test "$name" -- --nocapture
done

printf '\n== time of each suite (after the build)\n'
printf '%s\n' "${times[@]}"
if [ "${#failed[@]}" -gt 0 ]; then
    printf '\nfailed: %s\n' "${failed[*]}" >&2
    exit 1
fi
printf '\nall suites passed\n'
