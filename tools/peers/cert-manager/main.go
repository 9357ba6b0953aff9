// cert-manager's controller, webhook and CA injector in one program: the name by which it is called
// says which. They take the flags that upstream's chart gives them, and refuse others.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

var components = map[string]func(context.Context, []string) error{
	"cert-manager-controller": runController,
	"cert-manager-webhook":    runWebhook,
	"cert-manager-cainjector": runCAInjector,
}

func main() {
	name := filepath.Base(os.Args[0])
	run, known := components[name]
	if !known {
		fmt.Fprintf(os.Stderr, "cert-manager: no component is called '%s'\n", name)
		os.Exit(2)
	}
	ctrl.SetLogger(klog.Background())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(logf.NewContext(ctx, klog.Background()), os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}
