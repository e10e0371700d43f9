# shellcheck shell=bash
# The laboratory's processes and ports. A laboratory part lives in a folder of the caller's: programs
# in pids/ (one file each: pid and start time), logs in log/, and `env`, what a client needs to know.
# To be sourced after ci/lib.sh.

# One that was started by `up` and reads like NAME=VALUE lines.
env_get() { sed -n "s/^$2=//p" "$1/env" 2>/dev/null | tail -n 1; }

# A pid can be handed to another program once its own has ended, so its start time is kept with it.
start_time() { sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# pid_of DIR NAME: the pid if that very process still runs.
pid_of() {
    local pid started
    { read -r pid started <"$1/pids/$2"; } 2>/dev/null || return 1
    [[ -n $pid && $(start_time "$pid") == "$started" ]] || return 1
    [[ $(sed 's/^.*) //' "/proc/$pid/stat" 2>/dev/null) != Z* ]] || return 1
    printf '%s\n' "$pid"
}

# start DIR NAME COMMAND...: in a session of its own, holding none of the caller's files, so that a
# caller that waits for the end of its output is not kept waiting by a server.
start() {
    local dir=$1 name=$2 pid
    shift 2
    mkdir -p "$dir/pids" "$dir/log"
    [[ ! -s $dir/log/$name.log ]] || mv -f "$dir/log/$name.log" "$dir/log/$name.log.before"
    (
        cd "$dir" || exit 1
        for fd in /proc/self/fd/*; do
            fd=${fd##*/}
            [[ $fd -le 2 ]] || eval "exec $fd>&-" 2>/dev/null || true
        done
        exec setsid "$@" >"$dir/log/$name.log" 2>&1 </dev/null
    ) &
    pid=$!
    printf '%s %s\n' "$pid" "$(start_time "$pid")" >"$dir/pids/$name"
}

# fail_with_log DIR NAME WORDS
fail_with_log() {
    {
        printf '%s\n' "---- the end of $1/log/$2.log:"
        tail -n 40 "$1/log/$2.log" 2>/dev/null || true
        printf '%s\n' '----'
    } >&2
    die "$3"
}

# wait_ready DIR NAME SECONDS COMMAND...: until the command succeeds; fails at once when the program
# ends first.
wait_ready() {
    local dir=$1 name=$2 limit=$3 until
    shift 3
    until=$((SECONDS + limit))
    while ! "$@" >/dev/null 2>&1; do
        pid_of "$dir" "$name" >/dev/null || fail_with_log "$dir" "$name" "$name ended before it was ready"
        [[ $SECONDS -lt $until ]] || fail_with_log "$dir" "$name" "$name was not ready after $limit s (waited for: $*)"
        sleep 0.1
    done
}

# stop DIR NAME [SECONDS [SIGNAL]]: asks, waits, then insists. Nothing to stop is no error.
stop() {
    local dir=$1 name=$2 limit=${3:-20} signal=${4:-TERM} pid until
    if pid=$(pid_of "$dir" "$name"); then
        kill "-$signal" "$pid" 2>/dev/null || true
        kill -CONT "$pid" 2>/dev/null || true # one that is frozen could not end
        until=$((SECONDS + limit))
        while pid_of "$dir" "$name" >/dev/null; do
            if [[ $SECONDS -ge $until ]]; then
                say "$name ($pid) did not end within $limit s: killed"
                kill -KILL "$pid" 2>/dev/null || true
                until=$((SECONDS + 10))
            fi
            sleep 0.05
        done
    fi
    rm -f "$dir/pids/$name"
}

accepts() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

PORTS=/tmp/live-data-lab-ports.$(id -u)

# free_ports DIR N: numbers outside the range of outgoing connections, so that a port stays free while
# its server is stopped, and kept for DIR as long as that folder exists.
free_ports() {
    /usr/bin/python3 - "$PORTS" "$1" "$2" <<'PYTHON'
import os, random, socket, sys

kept, owner, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.makedirs(kept, exist_ok=True)
found = []
for port in random.sample(range(20000, 30000), 10000):
    path = os.path.join(kept, str(port))
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        try:
            with open(path) as held:
                holder = held.read()
            if holder and not os.path.isdir(holder):
                os.unlink(path)
        except FileNotFoundError:
            pass
        continue
    os.write(handle, owner.encode())
    os.close(handle)
    with socket.socket() as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            os.unlink(path)
            continue
    found.append(port)
    if len(found) == wanted:
        print(*found)
        sys.exit(0)
sys.exit("no free port between 20000 and 30000")
PYTHON
}

# forget_ports DIR
forget_ports() {
    local file
    for file in "$PORTS"/*; do
        [[ ! -f $file || $(cat "$file" 2>/dev/null) != "$1" ]] || rm -f "$file"
    done
}

# follow_owner DIR: where LAB_OWNER holds a pid, the part is taken down when that process is gone,
# however it ended: a killed test leaves nothing behind.
follow_owner() {
    [[ -n ${LAB_OWNER:-} ]] || return 0
    ! pid_of "$1" owner >/dev/null || return 0
    local owner=$LAB_OWNER
    unset LAB_OWNER
    # shellcheck disable=SC2016 # expanded by the inner shell
    start "$1" owner bash -c \
        'tail --pid="$1" -s 2 -f /dev/null; cd /; rm -f "$3/pids/owner"; exec "$2" down "$3"' \
        follow "$owner" "$(readlink -f "$0")" "$1"
}

# folder PATH: created, and made absolute.
folder() {
    mkdir -p "$1"
    (cd -- "$1" && pwd -P)
}

# common_options [--host ADDRESS] [--port-file FILE]: into the caller's `host` and `port_file`.
# shellcheck disable=SC2034 # the caller uses both
common_options() {
    host=127.0.0.1 port_file=''
    while [[ $# -gt 0 ]]; do
        [[ $# -gt 1 ]] || die "$1 needs a value"
        case $1 in
        --host) host=$2 ;;
        --port-file) port_file=$2 ;;
        *) die "unknown option $1" ;;
        esac
        shift 2
    done
}

# dispatch ACTION DIR OPTION...: the commands that every part has. The part defines
#   make DIR OPTION...   what is to be there before its first start (called where DIR/env is missing)
#   run DIR              starts what does not run, and waits until it answers
#   halt DIR OPTION...   ends it; its data and ports stay
# `up` prints DIR/env, `down` deletes DIR; both may be repeated.
dispatch() {
    local action=${1:-} dir=${2:-} words="use: ci/lab/${0##*/} up|start|stop|restart|down DIR [OPTION...]"
    [[ $# -lt 2 ]] || shift 2
    case $action in
    up | start | stop | restart | down) [[ -n $dir ]] || die "$words" ;;
    *) die "$words" ;;
    esac
    if [[ $action == up ]]; then
        dir=$(folder "$dir")
    elif [[ -d $dir ]]; then
        dir=$(folder "$dir")
    elif [[ $action == down ]]; then
        return 0
    else
        die "there is no folder $dir: use 'up' first"
    fi
    case $action in
    up)
        [[ -e $dir/made ]] || make "$dir" "$@"
        touch "$dir/made"
        run "$dir"
        follow_owner "$dir"
        cat "$dir/env"
        ;;
    start)
        [[ -e $dir/made ]] || die "nothing was made in $dir: use 'up' first"
        run "$dir"
        ;;
    stop) halt "$dir" "$@" ;;
    restart)
        halt "$dir" "$@"
        run "$dir"
        ;;
    down)
        stop "$dir" owner 5
        halt "$dir"
        forget_ports "$dir"
        rm -rf "$dir"
        ;;
    esac
}
