// What a cloud's own controller does: it says which addresses a new node has, and lets it be used.
import type { Kubectl } from './kubectl.ts'

const waitMs = 60_000
const uninitialized = 'node.cloudprovider.kubernetes.io/uninitialized'

export interface CloudNode {
  readonly name: string
  readonly address: string
}

/** Returns when the node has its addresses, an external one among them. */
export async function admitNode(kubectl: Kubectl, { name, address }: CloudNode): Promise<void> {
  const node = `node/${name}`
  await kubectl(['wait', '--for=create', node, '--timeout=90s'], { deadlineMs: waitMs * 2 })
  const addresses = [
    { type: 'InternalIP', address },
    { type: 'ExternalIP', address },
    { type: 'Hostname', address: name },
  ]
  const patch = JSON.stringify({ status: { addresses } })
  await kubectl(['patch', node, '--subresource=status', '--type=strategic', '--patch', patch])
  await kubectl(['taint', 'node', name, `${uninitialized}-`]).catch((error: unknown) => {
    // One that was here before has been let in then.
    if (!String(error).includes('not found')) throw error
  })
}

export async function awaitReady(kubectl: Kubectl, { name }: CloudNode): Promise<void> {
  const wait = ['wait', '--for=condition=Ready', `node/${name}`, '--timeout=90s']
  await kubectl(wait, { deadlineMs: waitMs * 2 })
}
