# shellcheck shell=bash
# How a stage counts its checks: `check NAME COMMAND...` for each, `closing` at the end. To be sourced after ci/lib.sh.

PASSED=0
FAILED=0

# check NAME COMMAND...: one line when it passes; when it fails also what it said.
check() {
    local name=$1 started=$SECONDS output status=0
    shift
    output=$(mktemp)
    "$@" >"$output" 2>&1 </dev/null || status=$?
    if [[ $status -eq 0 ]]; then
        PASSED=$((PASSED + 1))
        printf 'ok    %s (%d s)\n' "$name" $((SECONDS - started))
    else
        FAILED=$((FAILED + 1))
        printf 'FAIL  %s (status %d)\n' "$name" "$status"
        sed 's/^/      /' "$output" | tail -n 200
    fi
    rm -f "$output"
}

# closing: the stage's count, which ci/test adds up, and its exit status.
closing() {
    printf '%d passed, %d failed\n' "$PASSED" "$FAILED"
    [[ $FAILED -eq 0 ]]
}

# sources PATTERN...: the files of the tree that git knows or would take.
sources() { git -C "$ROOT" ls-files --cached --others --exclude-standard --deduplicate -- "$@" | while read -r file; do
    [[ ! -f $ROOT/$file ]] || printf '%s\n' "$file"
done; }

# rustfmt_all: every Rust file of the tree but the generated ones, also those that no module line leads to.
rustfmt_all() {
    local files
    mapfile -t files < <(sources '*.rs' | grep -v /generated/)
    rustfmt --check --edition 2024 "${files[@]}"
}
