# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is used by the programs that source it
# What every program under ci/ shares: where things are, how it speaks, how it keeps the cache.
# To be sourced, after `set -euo pipefail`; it starts nothing and changes no file by itself.

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
CACHE=${LIVE_DATA_CACHE:-$HOME/.cache/live-data}
TOOLS=$CACHE/tools/bin
BUILD_VENV=$CACHE/venv     # programs that build and lint: cmake, flatc, ruff, yamllint, hadolint
WORKER_VENV=$CACHE/py      # what reduction scripts and the Python tests import
export PATH="$TOOLS:$BUILD_VENV/bin:$PATH"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CACHE/target}
export LIVE_DATA_VENV=${LIVE_DATA_VENV:-$WORKER_VENV}

say() { printf '%s\n' "${0##*/}: $*" >&2; }

die() {
    say "$*"
    exit 1
}

# need PROGRAM HINT: a missing program is a failure with words, never a skipped check.
need() {
    command -v "$1" >/dev/null 2>&1 || die "$1 is not installed: ${2:-run ci/setup}"
}

# locked NAME COMMAND...: one process at a time works on one part of the cache.
locked() {
    local name=$1 fd
    shift
    mkdir -p "$CACHE/locks"
    exec {fd}>"$CACHE/locks/$name"
    flock "$fd"
    "$@" {fd}>&-
    exec {fd}>&-
}

# digest FILE...: a short key of the files' contents, by which cached results are named.
digest() { cat -- "$@" | sha256sum | cut -c1-16; }

# The worker as it is shipped (release), or as the tests have built it already (dev): building it once more takes a
# machine of two cores some eight minutes, which ci/test spends with --full only.
PROFILE=${LIVE_DATA_PROFILE:-release}

# shipped_program NAME: builds a program for its image and prints its path. The operator is always optimised, and linked
# statically for an image that holds nothing else; the worker finds Python's library, so it cannot be.
shipped_program() {
    local host folder
    case $1:$PROFILE in
    live-data-operator:*)
        host=$(rustc -vV | sed -n 's/^host: //p')
        # With --target the flags are the program's alone, not those of build scripts and macros.
        RUSTFLAGS='-C target-feature=+crt-static' cargo build --locked --release -p "$1" --target "$host" >&2 || return 1
        folder=$host/release
        ;;
    *:release)
        cargo build --locked --release -p "$1" ${LIVE_DATA_FEATURES:+--features "$LIVE_DATA_FEATURES"} >&2 || return 1
        folder=release
        ;;
    *:dev)
        # The tests' own build: any other would choose other features of what is below, and build that anew.
        cargo test --locked --workspace --no-run >&2 || return 1
        folder=debug
        ;;
    *) die "LIVE_DATA_PROFILE is $PROFILE: it may be release or dev" ;;
    esac
    printf '%s\n' "$CARGO_TARGET_DIR/$folder/$1"
}
