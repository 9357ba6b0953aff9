// Why something in a cluster does not come up, for the message of a test that has waited in vain.
import type { Kubectl } from './kubectl.ts'

interface Pod {
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly status: {
    readonly phase: string
    readonly containerStatuses?: readonly { readonly name: string; readonly ready: boolean }[]
  }
}

const linesMax = 8

/** Pods that are not ready, the last lines of each container, and the latest warnings. */
export async function describeTroubles(kubectl: Kubectl, namespace: string): Promise<string> {
  const own = ['-n', namespace]
  const pods = JSON.parse(await kubectl([...own, 'get', 'pods', '-o', 'json'])) as { items: Pod[] }
  const troubled = pods.items.filter((pod) => !isWell(pod))
  const told = await Promise.all(troubled.map((pod) => describePod(kubectl, pod)))
  const columns = 'custom-columns=OF:.involvedObject.name,WHY:.reason,WHAT:.message'
  const ordered = ['--field-selector=type=Warning', '--sort-by=.lastTimestamp', '-o', columns]
  const warnings = await kubectl([...own, 'get', 'events', '--no-headers', ...ordered])
  return [...told, lastLines(warnings)].join('\n')
}

function isWell({ status }: Pod): boolean {
  if (status.phase === 'Succeeded') return true
  return status.phase === 'Running' && (status.containerStatuses ?? []).every(({ ready }) => ready)
}

async function describePod(kubectl: Kubectl, { metadata, status }: Pod): Promise<string> {
  const { name, namespace } = metadata
  const every = ['--all-containers', '--prefix', `--tail=${linesMax}`]
  const log = await kubectl(['-n', namespace, 'logs', name, ...every]).catch(() => 'no log')
  return `${name} is ${status.phase}\n${lastLines(log)}`
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-linesMax).join('\n')
}
