# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is used by the programs that source it
# What the programs of ci/images share: where images are kept, and how buildah is called. To be sourced after ci/lib.sh.

IMAGES=$CACHE/images
NAMES=(operator worker worker-mantid)

# The workspace's version: the images' tag, the charts' version.
workspace_version() { sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml"; }

# store_driver: overlay needs a file system that can hold it; vfs copies every layer, and works everywhere.
store_driver() {
    local folder
    if [[ ! -s $IMAGES/driver ]]; then
        mkdir -p "$IMAGES"
        folder=$(mktemp -d "$IMAGES/.overlay-XXXXXX")
        mkdir "$folder"/{lower,upper,work,merged}
        if mount -t overlay overlay -o "lowerdir=$folder/lower,upperdir=$folder/upper,workdir=$folder/work" \
            "$folder/merged" 2>/dev/null; then
            umount "$folder/merged"
            echo overlay >"$IMAGES/driver"
        else
            echo vfs >"$IMAGES/driver"
        fi
        rm -rf "$folder"
    fi
    cat "$IMAGES/driver"
}

# in_store COMMAND...: buildah with a store of our own, so that nobody else's images are touched.
in_store() {
    need buildah
    local driver
    driver=$(store_driver)
    command buildah --storage-driver "$driver" --root "${STORE:-$IMAGES/store}" --runroot "${STORE:-$IMAGES/store}.run" "$@"
}

# leave_store: what an interrupted build left mounted.
leave_store() {
    local folder=${STORE:-$IMAGES/store} mounted
    [[ -d $folder ]] || return 0
    in_store rm --all >/dev/null 2>&1 || true
    for _ in 1 2; do
        awk '{ print $2 }' /proc/mounts | tac | while read -r mounted; do
            [[ $mounted != "$folder"/* && $mounted != "$folder".run/* ]] || umount "$mounted" 2>/dev/null || true
        done
    done
}
