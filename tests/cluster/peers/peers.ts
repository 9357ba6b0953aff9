// The real programs that the clusters of the tests are made of, and where each comes from. Versions
// stand in tools/peers/<name>: in go.mod with Go's checksums, or in packages.txt with Debian's.

interface Trees {
  /** What is kept of Go modules beside the programs: charts, manifests. */
  readonly [name: string]: { readonly module: string; readonly path: string }
}

export interface GoPeer {
  readonly kind: 'go'
  /** The module whose version is the peer's; none for a program of the project's own. */
  readonly module?: string
  /** Program → Go package, '.' for the one that lies in tools/peers/<name>. */
  readonly programs: Readonly<Record<string, string>>
  /** Names by which a program is called instead of its own. */
  readonly names?: readonly string[]
  readonly linker?: string
  readonly trees?: Trees
  /** With an empty build cache, on two cores. */
  readonly buildSeconds: number
}

export interface DebianPeer {
  readonly kind: 'debian'
  readonly buildSeconds: number
}

const kubernetesVersion = 'k8s.io/component-base/version'

export const peers = {
  pause: { kind: 'go', programs: { pause: '.' }, buildSeconds: 5 },
  'wan-delay': { kind: 'go', programs: { 'wan-delay': '.' }, buildSeconds: 5 },
  'node-runtime': { kind: 'debian', buildSeconds: 15 },
  kubernetes: {
    kind: 'go',
    module: 'k8s.io/kubernetes',
    programs: { kubernetes: '.' },
    names: [
      'etcd',
      'kube-apiserver',
      'kube-controller-manager',
      'kube-proxy',
      'kube-scheduler',
      'kubectl',
      'kubelet',
    ],
    // Without them the API server calls itself v0.0.0, and clients refuse it.
    linker: ['gitVersion=v1.36.3', 'gitMajor=1', 'gitMinor=36']
      .map((each) => `-X ${kubernetesVersion}.${each}`)
      .join(' '),
    buildSeconds: 420,
  },
  coredns: {
    kind: 'go',
    module: 'github.com/coredns/coredns',
    programs: { coredns: 'github.com/coredns/coredns' },
    buildSeconds: 120,
  },
  helm: {
    kind: 'go',
    module: 'helm.sh/helm/v4',
    programs: { helm: 'helm.sh/helm/v4/cmd/helm' },
    buildSeconds: 90,
  },
  'cert-manager': {
    kind: 'go',
    module: 'github.com/cert-manager/cert-manager',
    programs: { 'cert-manager': '.' },
    names: ['cert-manager-controller', 'cert-manager-webhook', 'cert-manager-cainjector'],
    trees: {
      chart: {
        module: 'github.com/cert-manager/cert-manager',
        path: 'deploy/charts/cert-manager',
      },
    },
    buildSeconds: 110,
  },
  'approver-policy': {
    kind: 'go',
    module: 'github.com/cert-manager/approver-policy',
    programs: { 'approver-policy': 'github.com/cert-manager/approver-policy/cmd' },
    trees: {
      chart: {
        module: 'github.com/cert-manager/approver-policy',
        path: 'deploy/charts/approver-policy',
      },
    },
    buildSeconds: 60,
  },
  'argocd-runtime': { kind: 'debian', buildSeconds: 15 },
  argocd: {
    kind: 'go',
    module: 'github.com/argoproj/argo-cd/v3',
    programs: { argocd: '.' },
    names: ['argocd-application-controller', 'argocd-repo-server'],
    trees: {
      'core-install.yaml': {
        module: 'github.com/argoproj/argo-cd/v3',
        path: 'manifests/core-install.yaml',
      },
      // It is looked for even where no signature is asked for.
      'bin/git-verify-wrapper.sh': {
        module: 'github.com/argoproj/argo-cd/v3',
        path: 'hack/git-verify-wrapper.sh',
      },
    },
    buildSeconds: 400,
  },
  'sealed-secrets': {
    kind: 'go',
    module: 'github.com/bitnami-labs/sealed-secrets',
    programs: {
      'sealed-secrets-controller': 'github.com/bitnami-labs/sealed-secrets/cmd/controller',
      kubeseal: 'github.com/bitnami-labs/sealed-secrets/cmd/kubeseal',
    },
    trees: {
      chart: { module: 'github.com/bitnami-labs/sealed-secrets', path: 'helm/sealed-secrets' },
    },
    buildSeconds: 70,
  },
  registry: {
    kind: 'go',
    module: 'github.com/distribution/distribution/v3',
    programs: { registry: '.' },
    buildSeconds: 60,
  },
  cyclonus: {
    kind: 'go',
    module: 'github.com/mattfenwick/cyclonus',
    programs: { cyclonus: 'github.com/mattfenwick/cyclonus/cmd/cyclonus' },
    buildSeconds: 90,
  },
} as const satisfies Record<string, GoPeer | DebianPeer>

export type PeerName = keyof typeof peers

export const peerNames = Object.keys(peers) as PeerName[]
