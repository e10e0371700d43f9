"""The checks of `ci/charts/test`.

Layout, in the order of a run:
- prometheus: promtool and the Prometheus operator's definitions.
- static: what needs no cluster: lint, unit tests, generated files, alerts, dashboards.
- cluster: the control plane for one run, and questions to it.
- operator: the operator as a process beside it.
- installs, access, upgrades, uninstalls, workers, instruments, takeover: one subject each, on that control plane.
"""
