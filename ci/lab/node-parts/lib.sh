# shellcheck shell=bash
# What sets a node apart from its machine: namespaces, one link, control groups. And the way back.
# To be sourced after ci/lab/lib.sh. DIR/env holds NODE_HOST, NODE_ADDRESS, POD_NET, NODE_LINK and NODE_CGROUP.

# The machine's hierarchies of control groups: several folders in version 1, one in version 2.
hierarchies() { awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/mounts; }

# hand_down GROUP: in version 2 a group's children have only those controllers that it hands down.
hand_down() {
    local controller controllers
    [[ -e $1/cgroup.controllers ]] || return 0
    read -r -a controllers <"$1/cgroup.controllers" || return 0
    for controller in "${controllers[@]}"; do
        printf '+%s\n' "$controller" >"$1/cgroup.subtree_control" 2>/dev/null || true
    done
}

make_cgroups() { # DIR
    local hierarchy group name
    name=$(env_get "$1" NODE_CGROUP)
    while read -r hierarchy; do
        for group in "$hierarchy/$name" "$hierarchy/$name/daemons"; do
            mkdir -p "$group"
            hand_down "${group%/*}"
            # A new group of this kind takes no process before it has processors and memory.
            [[ ! -e $group/cpuset.cpus ]] || cat "${group%/*}/cpuset.cpus" >"$group/cpuset.cpus"
            [[ ! -e $group/cpuset.mems ]] || cat "${group%/*}/cpuset.mems" >"$group/cpuset.mems"
        done
    done < <(hierarchies)
}

# inhabitants DIR [GROUP]: pids of all that runs in the node's control groups.
inhabitants() {
    local hierarchy
    while read -r hierarchy; do
        find "$hierarchy/$(env_get "$1" NODE_CGROUP)${2:+/$2}" -name cgroup.procs -exec cat {} + 2>/dev/null || true
    done < <(hierarchies) | sort -un
}

# empty DIR [GROUP]: ends everything there. Nothing in it can get out of its control group.
empty() {
    local until=$((SECONDS + 60)) pids
    while mapfile -t pids < <(inhabitants "$@") && [[ ${#pids[@]} -gt 0 ]]; do
        kill -KILL "${pids[@]}" 2>/dev/null || true
        [[ $SECONDS -lt $until ]] || die "still running after a minute: ${pids[*]}"
        sleep 0.1
    done
}

remove_cgroups() { # DIR
    local hierarchy name until=$((SECONDS + 30))
    name=$(env_get "$1" NODE_CGROUP)
    while read -r hierarchy; do
        while [[ -d $hierarchy/$name ]]; do
            find "$hierarchy/$name" -depth -type d -exec rmdir {} + 2>/dev/null || true
            [[ ! -d $hierarchy/$name ]] || sleep 0.1
            [[ $SECONDS -lt $until ]] || die "the control group $hierarchy/$name does not go"
        done
    done < <(hierarchies)
}

start_room() { # DIR
    local dir=$1 pid link host node net
    ! pid_of "$dir" room >/dev/null || return 0
    link=$(env_get "$dir" NODE_LINK) host=$(env_get "$dir" NODE_HOST) node=$(env_get "$dir" NODE_ADDRESS) net=$(env_get "$dir" POD_NET)
    make_cgroups "$dir"
    rm -rf "$dir/room"
    mkdir -p "$dir/room"
    start "$dir" room "$HERE/node-parts/enter" 0 "$(env_get "$dir" NODE_CGROUP)/daemons" \
        unshare --net --mount --propagation private "$HERE/node-parts/room" "$dir"
    wait_ready "$dir" room 30 test -e "$dir/room/made"
    pid=$(pid_of "$dir" room)
    {
        ip link add "$link" type veth peer name eth0 netns "$pid"
        ip address add "$host/30" dev "$link"
        ip link set "$link" up
        ip route add "$net" via "$node"
        nsenter --target "$pid" --net ip address add "$node/30" dev eth0
        nsenter --target "$pid" --net ip link set eth0 up
        nsenter --target "$pid" --net ip route add default via "$host"
    } >"$dir/log/link.log" 2>&1 || fail_with_log "$dir" link 'the link to the node could not be made'
}

end_room() { # DIR
    local until=$((SECONDS + 30)) link
    stop "$1" room 10 KILL
    empty "$1"
    remove_cgroups "$1"
    # It goes with the namespace's last process, a moment after it.
    link=$(env_get "$1" NODE_LINK)
    while [[ -n $link && -e /sys/class/net/$link ]]; do
        [[ $SECONDS -lt $until ]] || ip link delete "$link"
        sleep 0.1
    done
}

# inside DIR NAME COMMAND...: starts a program of the node unless it runs.
inside() {
    local dir=$1 name=$2
    shift 2
    once "$dir" "$name" "$HERE/node-parts/enter" "$(pid_of "$dir" room)" "$(env_get "$dir" NODE_CGROUP)/daemons" "$@"
}
