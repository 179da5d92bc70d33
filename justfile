# Short names for long commands; no logic here.

# The list of recipes.
default:
    @just --list

# Format and lint.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Rust tests, of one crate or of all.
test crate="":
    cargo test {{ if crate == "" { "--workspace" } else { "-p " + crate } }}

# Try properties on many new cases: what fails is a test to write.
properties cases="20000":
    PROPTEST_CASES={{ cases }} cargo test --workspace --lib

# The SDK tests against the debug build.
e2e *arguments:
    cargo build -p gateway-cli
    tests/e2e/run {{ arguments }}

# Serve: without a configuration, or with one.
run *arguments:
    cargo run -p gateway-cli -- {{ arguments }}

# Rewrite what is generated: prices, providers, references.
codegen:
    cargo xtask codegen

# Rewrite the expected help texts.
expected:
    UPDATE_EXPECTED=1 cargo test -p gateway-cli --test command_line

# Compare with a forwarder; GATEWAY_BENCH is the folder of the benchmark harness.
bench *arguments:
    cargo build --profile dist -p gateway-cli
    docs/bench/run {{ arguments }}

# Everything CI runs.
ci:
    .ci/run
