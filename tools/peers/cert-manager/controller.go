package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/cert-manager/cert-manager/pkg/controller"
	logf "github.com/cert-manager/cert-manager/pkg/logs"

	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/metrics"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
)

const workers = 5

// runController runs those of upstream's controllers that serve Certificates from CA and SelfSigned
// issuers: no ACME, Vault or Venafi, no Ingress or Gateway.
func runController(ctx context.Context, arguments []string) error {
	flags := pflag.NewFlagSet("controller", pflag.ContinueOnError)
	options := controller.ContextOptions{
		KubernetesAPIQPS:   20,
		KubernetesAPIBurst: 50,
		CertificateOptions: controller.CertificateOptions{
			CertificateRequestMinimumBackoffDuration: time.Second,
			CertificateRequestMaximumBackoffDuration: time.Minute,
			CopiedAnnotationPrefixes:                 []string{"*", "-kubectl.kubernetes.io/", "-fluxcd.io/", "-argocd.argoproj.io/"},
		},
	}
	flags.StringVar(&options.Kubeconfig, "kubeconfig", "", "instead of the pod's own credentials")
	flags.StringVar(&options.ClusterResourceNamespace, "cluster-resource-namespace", "kube-system", "of the secrets of cluster issuers")
	chosen := flags.StringSlice("controllers", []string{"*"}, "'*' for all, a name for one, '-name' for all but that one")
	acceptUnused(flags, "leader-election-namespace", "acme-http01-solver-image", "max-concurrent-challenges")
	addVerbosity(flags)
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	factory, err := controller.NewContextFactory(ctx, options)
	if err != nil {
		return err
	}
	return runControllers(ctx, factory, *chosen)
}

func runControllers(ctx context.Context, factory *controller.ContextFactory, chosen []string) error {
	shared, err := factory.Build()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for name, construct := range controller.Known() {
		if !isChosen(name, chosen) {
			logf.FromContext(ctx).Info("not starting", "controller", name)
			continue
		}
		one, err := construct(factory)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		group.Go(func() error { return one.Run(workers, ctx) })
	}
	shared.SharedInformerFactory.Start(ctx.Done())
	shared.KubeSharedInformerFactory.Start(ctx.Done())
	shared.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	return group.Wait()
}

// As upstream reads it: what is named with '-' is out, and a list of nothing else means all the rest.
func isChosen(name string, chosen []string) bool {
	if slices.Contains(chosen, "-"+name) {
		return false
	}
	named := slices.DeleteFunc(slices.Clone(chosen), func(each string) bool { return each[0] == '-' })
	return len(named) == 0 || slices.Contains(named, "*") || slices.Contains(named, name)
}
