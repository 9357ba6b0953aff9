package main

import (
	"flag"

	"github.com/spf13/pflag"
	"k8s.io/klog/v2"
)

// acceptUnused takes what upstream's chart always gives and what has no meaning here: there is one
// replica, so none is elected, and there is no ACME.
func acceptUnused(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		flags.String(name, "", "accepted, not used")
	}
}

func addVerbosity(flags *pflag.FlagSet) {
	all := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(all)
	flags.AddGoFlag(all.Lookup("v"))
}
