# shellcheck shell=bash
# The configuration of a node's programs. To be sourced by ci/lab/node; DIR/env is there already.

containerd_files() { # DIR
    mkdir -p "$1/containerd/certs.d"
    cat >"$1/containerd/config.toml" <<TOML
version = 2
root = "$1/containerd/root"
state = "$1/containerd/state"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
[grpc]
address = "$1/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
path = "$1/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "live-data-lab.local/pause:1"
restrict_oom_score_adj = true
disable_apparmor = true
disable_hugetlb_controller = true
tolerate_missing_hugetlb_controller = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "$1/cni"
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "$1/containerd/certs.d"
TOML
    mkdir -p "$1/cni"
    cat >"$1/cni/10-pods.conflist" <<JSON
{
  "cniVersion": "1.0.0",
  "name": "pods",
  "plugins": [
    {
      "type": "bridge", "bridge": "pods", "isGateway": true, "hairpinMode": true,
      "ipam": {
        "type": "host-local", "dataDir": "$1/cni/addresses",
        "ranges": [[{"subnet": "$(env_get "$1" POD_NET)"}]], "routes": [{"dst": "0.0.0.0/0"}]
      }
    },
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
JSON
}

kubelet_files() { # DIR
    mkdir -p "$1/kubelet"
    printf 'nameserver %s\n' "$(env_get "$1" NODE_ADDRESS)" >"$1/resolv.conf"
    cat >"$1/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix://$1/containerd.sock
resolvConf: $1/resolv.conf
clusterDNS: [$(env_get "$1" NODE_ADDRESS)]
clusterDomain: cluster.local
podLogsDir: $1/pod-logs
volumePluginDir: $1/kubelet/plugins-of-volumes
cgroupDriver: cgroupfs
cgroupRoot: /$(env_get "$1" NODE_CGROUP)
cgroupsPerQOS: true
enforceNodeAllocatable: [pods]
failCgroupV1: false
failSwapOn: false
healthzBindAddress: 0.0.0.0
# The machine's sysctls are as the kubelet wants them, as far as it sees: it changes none.
protectKernelDefaults: true
makeIPTablesUtilChains: false
oomScoreAdj: 0
maxOpenFiles: 20000
maxPods: 60
serializeImagePulls: false
# A disk that is nearly full for other reasons is no reason to throw a test's pods away.
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {memory.available: 50Mi, nodefs.available: 1Mi, nodefs.inodesFree: "1", imagefs.available: 1Mi, imagefs.inodesFree: "1"}
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: $1/pki/ca.crt}
authorization: {mode: Webhook}
YAML
}

names_files() { # DIR
    cat >"$1/Corefile" <<COREFILE
. {
    errors
    health :8081
    ready :8181
    kubernetes cluster.local {
        kubeconfig $1/coredns.kubeconfig
    }
}
COREFILE
}
