// What the Argo CD of a region is told alike in every region.

export const argocdNamespace = 'argocd'

/** The cluster that an Argo CD runs in: no other one is ever in its reach. */
export const inCluster = 'https://kubernetes.default.svc'
