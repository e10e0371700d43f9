"""Helpers that the charts' checks (`ci/charts/test`) and the end-to-end checks (`ci/e2e/test`) share.

- report: one line a check, and the count.
- programs: folders, and calls of programs.
- kubernetes: kubectl against one cluster, its answers as JSON.
"""
