// What Prometheus is told to look for, against what is there to be found.
import { mkdirSync, mkdtempSync, rmSync, cpSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { formatMetrics, type ServerFigures } from '../../core/network/metrics.ts'
import { buildKustomization } from '../../gitops/kustomize.ts'
import type { Manifest } from '../../gitops/manifest.ts'
import { containersOf, podsOf } from '../../gitops/pods.ts'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'archipelago-monitoring-'))
let built: readonly Manifest[]

test.before('an overlay for a cluster with the Prometheus operator', async () => {
  cpSync(join(root, 'manifests'), join(folder, 'manifests'), { recursive: true })
  const watched = join(folder, 'manifests/watched')
  mkdirSync(watched)
  const text = [
    'apiVersion: kustomize.config.k8s.io/v1beta1',
    'kind: Kustomization',
    'resources: [../overlays/ams3]',
    'components: [../components/monitoring-operator]',
  ]
  writeFileSync(join(watched, 'kustomization.yaml'), text.join('\n'))
  built = await buildKustomization(watched)
})

test.after.always(() => rmSync(folder, { recursive: true }))

interface Watched {
  readonly spec?: {
    readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> }
    readonly podMetricsEndpoints?: readonly { readonly port: string }[]
    readonly groups?: readonly { readonly rules: readonly Alert[] }[]
  }
}

const specOf = (kind: string) =>
  (built.find((each) => each.kind === kind) as Watched | undefined)?.spec

const monitor = () => podsOf(built).find(({ owner }) => owner === 'Deployment nats/monitor')

test('its PodMonitor finds the monitor’s pod, by a port that it has', (t) => {
  const found = specOf('PodMonitor')
  t.like(monitor()?.labels, found?.selector?.matchLabels ?? { none: '' })
  const pod = monitor()
  const ports = pod === undefined ? [] : containersOf(pod).flatMap(({ ports = [] }) => ports)
  t.deepEqual(
    found?.podMetricsEndpoints?.map(({ port }) => port),
    ports.map(({ name }) => name),
  )
})

interface Alert {
  readonly alert: string
  readonly expr: string
  readonly annotations: Readonly<Record<string, string>>
}

test('every alert asks for figures that there are, and says what is wrong and what to do', (t) => {
  const rules = specOf('PrometheusRule')?.groups?.[0]?.rules ?? []
  t.true(rules.length >= 7)
  for (const { alert, expr, annotations } of rules) {
    const asked = expr.match(/nats_\w+/g) ?? []
    t.true(asked.length > 0 && asked.every((name) => shown.includes(name)), alert)
    t.deepEqual(Object.keys(annotations).toSorted(), ['next', 'summary'], alert)
    for (const [, label = ''] of Object.values(annotations)
      .join(' ')
      .matchAll(/\$labels\.(\w+)/g))
      t.true(labelsOf(asked).includes(label), `${alert}: ${label}`)
  }
})

const numbers = Object.fromEntries(
  ['connections', 'max_connections', 'total_connections', 'subscriptions', 'slow_consumers'].map(
    (name) => [name, 1],
  ),
)
const figures = {
  ...{ version: '2', start: '2026-11-01T00:00:00Z', tls_cert_not_after: '2026-11-01T00:00:00Z' },
  ...numbers,
} as unknown as ServerFigures
const text = formatMetrics({
  ...{ region: 'ams3', servers: ['ams3-0'], peers: ['sfo2'] },
  seen: new Map([['ams3-0', { figures, gateways: [] }]]),
})
const shown = [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name)

const labelsOf = (names: readonly string[]) =>
  text
    .split('\n')
    .filter((line) => names.some((name) => line.startsWith(`${name}{`)))
    .flatMap((line) => [...line.matchAll(/(\w+)="/g)].map(([, label]) => label))
