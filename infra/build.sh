#!/usr/bin/env bash
# Builds every function for Lambda on arm64 into target/lambda, where the template looks for them, and checks what came
# of it. Needs cargo-lambda and zig: `pip install cargo-lambda ziglang`. The profile `lambda` is made for small programs
# that start fast; `release` is made for building fast. It has a target folder of its own, because cross builds would
# wait for others and others for them.
set -euo pipefail
cd "$(dirname "$0")/.."
rustup target list --installed | grep -qx aarch64-unknown-linux-gnu || rustup target add aarch64-unknown-linux-gnu
CARGO_TARGET_DIR="$PWD/target/arm64" cargo lambda build --arm64 --profile lambda --package functions \
    --lambda-dir "$PWD/target/lambda"
python3 tests/aws/package.py target/lambda
