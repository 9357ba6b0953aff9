import type { V1Container } from '@kubernetes/client-node'
import { containersOf, podsOf } from '../pods.ts'
import type { ManifestRule } from '../rule.ts'

/** Requests equal limits, so that no pod takes what another was promised; Go collects before it is killed. */
export const guaranteedResources: ManifestRule = {
  name: 'requests equal limits',
  scope: 'overlays',
  find: ({ manifests }) =>
    podsOf(manifests).flatMap((pod) =>
      containersOf(pod).flatMap((container) =>
        faults(container).map((fault) => `${pod.owner}: ${container.name}: ${fault}`),
      ),
    ),
}

const mebibyte = 2 ** 20

function faults({ resources, env = [] }: V1Container): string[] {
  const { requests = {}, limits = {} } = resources ?? {}
  const unequal = ['cpu', 'memory'].filter(
    (name) => requests[name] === undefined || requests[name] !== limits[name],
  )
  const soft = env.find(({ name }) => name === 'GOMEMLIMIT')?.value
  const tooMuch = soft !== undefined && bytes(soft) > bytes(limits['memory'] ?? '0') * 0.9
  return [
    ...unequal.map((name) => `request and limit of ${name} are not the same`),
    ...(tooMuch ? [`GOMEMLIMIT leaves less than a tenth of the memory limit: ${soft}`] : []),
  ]
}

/** `512Mi` of Kubernetes, `410MiB` of Go; not a number for what neither writes. */
function bytes(quantity: string): number {
  const [, number, unit = ''] = /^(\d+)(Mi|Gi|MiB|GiB)?$/.exec(quantity) ?? []
  return Number(number) * (unit === '' ? 1 : unit.startsWith('M') ? mebibyte : 1024 * mebibyte)
}
