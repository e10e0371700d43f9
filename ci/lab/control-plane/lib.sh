# shellcheck shell=bash
# etcd, kube-apiserver, kube-controller-manager and kube-scheduler, as every cluster of the laboratory has them. What differs
# between clusters is handed over: addresses, and options of the programs.
# To be sourced after ci/lab/lib.sh. DIR/env holds APISERVER_URL, APISERVER_PORT and ETCD_PORT; DIR/ports the inner ones.

READY_SECONDS=${KUBERNETES_READY_SECONDS:-180}
# Clients of the control plane are not throttled, or they are the bottleneck of every measurement.
FAST=(--kube-api-qps=500 --kube-api-burst=1000)

# certificates DIR ADDRESS: an authority, the apiserver's certificate and the one that it shows to nodes, the key of service
# accounts' tokens.
certificates() {
    local pki=$1/pki
    mkdir -p "$pki"
    (
        cd "$pki"
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=live-data-lab \
            -keyout ca.key -out ca.crt -addext keyUsage=critical,keyCertSign,digitalSignature
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=kube-apiserver \
            -keyout apiserver.key -out apiserver.csr
        openssl x509 -req -in apiserver.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -out apiserver.crt -extfile \
            <(echo "subjectAltName=IP:$2,IP:10.96.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc")
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /O=system:masters/CN=kube-apiserver-client \
            -keyout client.key -out client.csr
        openssl x509 -req -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -out client.crt \
            -extfile <(echo 'extendedKeyUsage=clientAuth')
        openssl ecparam -name prime256v1 -genkey -noout -out accounts.key
        openssl ec -in accounts.key -pubout -out accounts.pub
    ) >"$1/log/certificates.log" 2>&1 || fail_with_log "$1" certificates 'openssl failed'
}

kubeconfig() { # DIR TOKEN FILE
    cat >"$3.new" <<YAML
apiVersion: v1
kind: Config
current-context: lab
clusters:
  - name: lab
    cluster:
      server: $(env_get "$1" APISERVER_URL)
      certificate-authority-data: $(base64 -w0 <"$1/pki/ca.crt")
contexts:
  - name: lab
    context: {cluster: lab, user: lab}
users:
  - name: lab
    user: {token: $2}
YAML
    chmod 600 "$3.new"
    mv "$3.new" "$3"
}

# users DIR FILE,USER[,GROUP]...: a token for each, and DIR/FILE.kubeconfig with it.
users() {
    local dir=$1 token user file name group
    : >"$dir/tokens.csv"
    for user in "${@:2}"; do
        token=$(head -c 24 /dev/urandom | sha256sum | cut -c1-40)
        IFS=, read -r file name group <<<"$user"
        printf '%s,%s,%s%s\n' "$token" "$name" "$name" "${group:+,\"$group\"}" >>"$dir/tokens.csv"
        kubeconfig "$dir" "$token" "$dir/$file.kubeconfig"
    done
}

# need_programs NAME...: of those that ci/lab/go/build builds.
need_programs() {
    local program
    for program in openssl curl; do need "$program"; done
    for program in etcd kube-apiserver kube-controller-manager kube-scheduler kubectl "$@"; do
        [[ -x $TOOLS/$program ]] || die "$program was not built: run ci/lab/go/build"
    done
}

# kept_number DIR NAME: a number from 1 to 254 that no other laboratory of this machine holds under that name.
kept_number() {
    local n
    mkdir -p "$PORTS"
    for ((n = 1; n < 255; n++)); do
        if (set -C && printf '%s' "$1" >"$PORTS/$2-$n") 2>/dev/null; then
            echo "$n"
            return
        fi
        [[ -d $(cat "$PORTS/$2-$n") ]] || rm -f "$PORTS/$2-$n"
    done
    die "no number is free for $2: take other laboratories down"
}

port() { sed -n "s/^$2=//p" "$1/ports"; }

healthy() { curl -fsS --max-time 5 --noproxy '*' -k "$1"; }

kubectl_in() { # DIR ARGUMENT...
    local dir=$1
    shift
    KUBECONFIG=$dir/admin.kubeconfig "$TOOLS/kubectl" "$@"
}

# once DIR NAME COMMAND...: starts the program unless it runs.
once() { pid_of "$1" "$2" >/dev/null || start "$@"; }

start_etcd() { # DIR
    local port
    port=$(env_get "$1" ETCD_PORT)
    once "$1" etcd "$TOOLS/etcd" --data-dir "$1/etcd" --unsafe-no-fsync --log-level warn \
        --listen-client-urls "http://127.0.0.1:$port" --advertise-client-urls "http://127.0.0.1:$port" \
        --listen-peer-urls "http://127.0.0.1:$(port "$1" PEER)" --quota-backend-bytes 4294967296
}

start_apiserver() { # DIR ADDRESS OPTION...
    once "$1" apiserver "$TOOLS/kube-apiserver" --etcd-servers "http://127.0.0.1:${APISERVER_ETCD_PORT:-$(env_get "$1" ETCD_PORT)}" \
        --bind-address "$2" --secure-port "$(env_get "$1" APISERVER_PORT)" \
        --tls-cert-file "$1/pki/apiserver.crt" --tls-private-key-file "$1/pki/apiserver.key" --cert-dir "$1/pki" \
        --client-ca-file "$1/pki/ca.crt" --token-auth-file "$1/tokens.csv" \
        --service-account-issuer https://kubernetes.default.svc --service-account-signing-key-file "$1/pki/accounts.key" \
        --service-account-key-file "$1/pki/accounts.pub" --service-cluster-ip-range 10.96.0.0/16 --allow-privileged \
        --audit-policy-file "$1/audit.yaml" --audit-log-path "$1/audit.log" --audit-log-maxsize 4000 \
        --shutdown-delay-duration 0s --shutdown-send-retry-after=false "${@:3}"
}

# A node agent of a busy machine may be late: its pods are not to be thrown away for that.
start_manager() { # DIR OPTION...
    mkdir -p "$1/pki/manager"
    once "$1" controller-manager "$TOOLS/kube-controller-manager" --kubeconfig "$1/controller-manager.kubeconfig" \
        --leader-elect=false --bind-address 127.0.0.1 --secure-port "$(port "$1" MANAGER)" --cert-dir "$1/pki/manager" \
        --service-account-private-key-file "$1/pki/accounts.key" --root-ca-file "$1/pki/ca.crt" \
        --concurrent-deployment-syncs=20 --concurrent-replicaset-syncs=20 --pvclaimbinder-sync-period=1s \
        --node-monitor-grace-period=10m --authorization-always-allow-paths=/healthz "${FAST[@]}" "${@:2}"
}

start_scheduler() { # DIR
    mkdir -p "$1/pki/scheduler"
    # On a busy machine it may learn that a claim is bound, look at the pod again, and only then note the claim
    # where it looks: the pod is put aside, and with no further event that is for five minutes.
    once "$1" scheduler "$TOOLS/kube-scheduler" --kubeconfig "$1/scheduler.kubeconfig" --leader-elect=false \
        --bind-address 127.0.0.1 --secure-port "$(port "$1" SCHEDULER)" --cert-dir "$1/pki/scheduler" \
        --authorization-always-allow-paths=/healthz --pod-max-in-unschedulable-pods-duration=5s "${FAST[@]}"
}

nodes_ready() {
    local out
    out=$(kubectl_in "$1" get nodes --no-headers) && [[ -n $out ]] && ! grep -qv ' Ready ' <<<"$out"
}

# wait_for_answers DIR: until the controllers and the scheduler work.
wait_for_answers() {
    wait_ready "$1" controller-manager "$READY_SECONDS" healthy "https://127.0.0.1:$(port "$1" MANAGER)/healthz"
    wait_ready "$1" scheduler "$READY_SECONDS" healthy "https://127.0.0.1:$(port "$1" SCHEDULER)/healthz"
}

account() { # DIR NAMESPACE SERVICE-ACCOUNT FILE
    [[ $# -eq 4 ]] || die "use: ci/lab/${0##*/} account DIR NAMESPACE SERVICE-ACCOUNT FILE"
    local dir token
    [[ -d $1 ]] || die "there is no folder $1: use 'up' first"
    dir=$(folder "$1")
    token=$(kubectl_in "$dir" -n "$2" create token "$3" --duration 24h)
    kubeconfig "$dir" "$token" "$4"
}
