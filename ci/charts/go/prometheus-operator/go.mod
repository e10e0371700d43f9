// The Prometheus operator's definitions, against which the monitors and the alerts are installed.
module live-data/ci/charts/prometheus-operator

go 1.26.0

require github.com/prometheus-operator/prometheus-operator v0.85.0
