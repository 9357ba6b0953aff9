// Who has which address. All of them lie in network namespaces of the lab: labs do not meet, and the
// machine's own interfaces see none of them.

export interface RegionAddresses {
  /** From 1 on. */
  readonly index: number
  /** The region's own network, in which nodes are reachable from everywhere. */
  readonly nodes: string
  readonly gateway: string
  readonly uplink: { readonly router: string; readonly region: string }
  readonly pods: string
  readonly services: string
  readonly apiService: string
  readonly dnsService: string
}

export interface NodeAddresses {
  /** Also what a cloud would call its external address. */
  readonly node: string
  readonly pods: string
}

/** The client's place on the internet, where the git repository is served, too. */
export const client = { router: '10.70.100.1', client: '10.70.100.2' } as const

export function regionAddresses(index: number): RegionAddresses {
  if (index < 1 || index > 9) throw new RangeError(`no addresses for region ${index} of 9`)
  return {
    index,
    nodes: `10.71.${index}.0/24`,
    gateway: `10.71.${index}.1`,
    uplink: { router: `10.70.${index}.1`, region: `10.70.${index}.2` },
    pods: `10.8${index}.0.0/16`,
    services: `10.9${index}.0.0/16`,
    apiService: `10.9${index}.0.1`,
    dnsService: `10.9${index}.0.10`,
  }
}

/** Of a region's node; nodes count from 1. */
export function nodeAddresses({ index }: RegionAddresses, node: number): NodeAddresses {
  return { node: `10.71.${index}.${node + 1}`, pods: `10.8${index}.${node}.0/24` }
}
