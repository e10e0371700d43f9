"""The checks of `ci/e2e/test`: the published system in real pods.

Layout, in the order of use:
- machine: what a machine has of links, rules, mounts and control groups, to compare before and after.
- site: the parts that stand for a site (node, Kafka, Redis, registry, FIA API), started and ended together.
- scripts: the stand-in of the FIA API. instrument: the simulated MERLIN. volume: the reduced files.
- cluster: questions to the cluster and changes of the resource. release: publishing, and Helm.
- installation, rights, faults, versions, counts, removal: one subject each, in this order on one site.
"""
