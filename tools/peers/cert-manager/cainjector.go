package main

import (
	"context"

	"github.com/spf13/pflag"
	core "k8s.io/api/core/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metrics "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	certmanager "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/cert-manager/cert-manager/pkg/controller/cainjector"
	"github.com/cert-manager/cert-manager/pkg/util"
)

// runCAInjector writes the webhooks' CA bundles into their configurations.
func runCAInjector(ctx context.Context, arguments []string) error {
	flags := pflag.NewFlagSet("cainjector", pflag.ContinueOnError)
	acceptUnused(flags, "leader-election-namespace")
	addVerbosity(flags)
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	known := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, apiextensions.AddToScheme, certmanager.AddToScheme} {
		if err := add(known); err != nil {
			return err
		}
	}
	configuration, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	// The owner of the fields that are applied is named after it.
	configuration = util.RestConfigWithUserAgent(configuration, "cainjector")
	manager, err := ctrl.NewManager(configuration, ctrl.Options{
		Scheme:  known,
		Metrics: metrics.Options{BindAddress: "0"},
		// As upstream has it: the injector hears of a Secret's change by its metadata, and a copy in a
		// cache of its own may be older than what it hears of.
		Client: client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&core.Secret{}}}},
	})
	if err != nil {
		return err
	}
	if err := cainjector.RegisterAllInjectors(ctx, manager, cainjector.SetupOptions{
		EnableCertificatesDataSource: true,
		EnabledReconcilersFor: map[string]bool{
			cainjector.MutatingWebhookConfigurationName:   true,
			cainjector.ValidatingWebhookConfigurationName: true,
			cainjector.CustomResourceDefinitionName:       true,
		},
	}); err != nil {
		return err
	}
	return manager.Start(ctx)
}
