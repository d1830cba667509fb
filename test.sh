#!/usr/bin/env bash
# Runs every check and every test of deskup, and prints how long each suite took.
#
# Needs Rust (rustup fetches the pinned toolchain with rustfmt and clippy), a C compiler for the embedded SQLite, and
# Python 3.11 and npm for what checks the AWS template and stands in for AWS. Those tools are installed below
# `target/aws`; outside of `target/` nothing is installed, but for Python's venv and npm where they are missing and
# this runs as root on Debian.
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

# Where each suite has to run, and its program, as cargo built them.
suites() {
    cargo test --release --workspace --no-run --message-format=json 2>/dev/null |
        grep '"overflow_checks":[a-z]*,"test":true' |
        sed -n 's|.*"manifest_path":"\([^"]*\)/Cargo.toml".*"executable":"\([^"]*\)".*|\1 \2|p'
}

run_suites() { # one line each: folder and program
    local folder program bad=0
    while read -r folder program; do
        printf '     Running %s %s\n' "${folder#"$PWD"/}" "$(basename "${program%-*}")"
        (cd "$folder" && CARGO_MANIFEST_DIR="$folder" "$program") </dev/null || bad=1
    done
    return "$bad"
}

gates() {
    target/aws/venv/bin/python tests/aws/gates.py && target/aws/venv/bin/python tests/aws/gates.py --planted
}

# The command's own suites mostly wait for other processes: what computes runs beside them, and so does the one that
# waits for a minute's limit.
test_all() {
    export DESKUP_AWS_TOOLS=1
    suites >target/suites
    [ -s target/suites ] || return 1
    grep "/cli " target/suites | grep -v "/lambdas-" | run_suites >"$log.waiting" 2>&1 &
    local waiting=$! bad=0
    grep "/cli .*/lambdas-" target/suites | run_suites >"$log.limit" 2>&1 &
    local limit=$!
    grep -v "/cli " target/suites | run_suites 2>&1 | tee "$log" || bad=1
    cargo test --release --workspace --doc 2>&1 | tee -a "$log" || bad=1
    wait "$waiting" || bad=1
    wait "$limit" || bad=1
    cat "$log.waiting" "$log.limit" | tee -a "$log"
    return "$bad"
}

broken_rules() {
    cargo test --release --workspace --features tests/switches --test broken_rules -- --nocapture
}

step() { # name, command...
    local name="$1" start="$SECONDS"
    shift
    printf '\n== %s: %s\n' "$name" "$*"
    "$@" || failed+=("$name")
    printf '== %s took %d s\n' "$name" "$((SECONDS - start))"
}

step "format" cargo fmt --all --check
step "tools" tests/aws/install.sh
# One command for all crates: their dependencies are then built once, with one set of features, and the
# program that `cargo run` builds is among them.
step "build" cargo build --release --workspace --all-targets
step "gates" gates
step "lint" cargo clippy --release --workspace --all-targets -- -D warnings
step "tests" test_all
# The only build in which a rule can be broken on purpose.
step "broken rules" broken_rules

printf '\n== time of each suite\n'
awk '
    /^ +Running / { suite = $2 " " $3 }
    /^ +Doc-tests / { suite = "doc-tests " $2 }
    /^test result: .* finished in / { if ($4 > 0) printf "%9s  %4d tests  %s\n", $NF, $4, suite }
' "$log"

if [ "${#failed[@]}" -gt 0 ]; then
    printf '\nfailed: %s\n' "${failed[*]}" >&2
    exit 1
fi
printf '\neverything passed\n'
