/** Whom cert-manager asks for authorities: nobody in the cluster, so each request waits for what the operator signs. */
export const offlineSigner = { group: 'archipelago.example', kind: 'OfflineSigner' } as const
