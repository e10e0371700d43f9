// Names of Services for the laboratory's node: CoreDNS with the few plugins that this takes.
package main

import (
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
)

// A query goes through them in this order.
func init() { dnsserver.Directives = []string{"errors", "health", "ready", "kubernetes"} }

func main() { coremain.Run() }
