// The program that holds the namespaces of a pod on the laboratory's node.
module live-data/ci/lab/pause

go 1.26.0
