// docs/parity-with-the-chart.md, line by line, on what a region really gets.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type {
  V1Container,
  V1PodDisruptionBudget,
  V1Probe,
  V1Service,
  V1StatefulSet,
} from '@kubernetes/client-node'
import test from 'ava'
import { parseConfiguration, type Configuration } from '../../core/network/configuration.ts'
import { podIncludes } from '../../core/network/pod.ts'
import { buildKustomization } from '../../gitops/kustomize.ts'
import type { Manifest } from '../../gitops/manifest.ts'
import { breachesOf } from '../../gitops/rules.ts'
import { serverStopSignal } from '../../image/make-server.ts'
import { readArchipelago } from '../../store/archipelago.ts'

const root = join(import.meta.dirname, '../..')
const archipelago = readArchipelago(join(root, 'archipelago.yaml'))
const folder = 'manifests/overlays/sfo2'
const manifests = await buildKustomization(join(root, folder))

const find = (kind: string, name: string): Manifest => {
  const found = manifests.find((one) => one.kind === kind && one.metadata.name === name)
  if (found === undefined) throw new TypeError(`no ${kind} ${name}`)
  return found
}

type Texts = Manifest & { readonly data: Readonly<Record<string, string>> }

const set = find('StatefulSet', 'sfo2') as V1StatefulSet & Manifest
const spec = set.spec ?? never('spec')
const pod = spec.template.spec ?? never('pod')
const server = pod.containers.find(({ name }) => name === 'nats-server') ?? never('server')
const watcher = pod.initContainers?.find(({ name }) => name === 'watch-files') ?? never('watcher')
const headless = (find('Service', 'nats') as V1Service).spec ?? never('headless')
const client = (find('Service', 'nats-client') as V1Service).spec ?? never('client')
const budget =
  (find('PodDisruptionBudget', 'nats') as V1PodDisruptionBudget).spec ?? never('budget')
const configMap = manifests.find(
  ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('nats-config-'),
) as Texts | undefined
const reload = find('ConfigMap', 'nats-reload') as Texts

const configuration = parseConfiguration(
  (configMap?.data['sfo2-1.conf'] ?? '').replace(/^include .*$/gm, ''),
)
const limits = parseConfiguration(reload.data['limits.conf'] ?? '')
const part = (name: string) => configuration[name] as Configuration

const broken = breachesOf({ folder, region: 'sfo2', archipelago, manifests })
const holds = (rule: string) => !broken.some((breach) => breach.startsWith(`${rule}: `))

const path = (probe: V1Probe | undefined) => probe?.httpGet?.path
const mounts = ({ volumeMounts = [] }: V1Container, name: string) =>
  volumeMounts.find((mount) => mount.name === name)

const lines: Readonly<Record<string, () => boolean>> = {
  'parallel-pods': () =>
    spec.podManagementPolicy === 'Parallel' &&
    spec.serviceName === 'nats' &&
    headless.clusterIP === 'None',
  'names-before-readiness': () => headless.publishNotReadyAddresses === true,
  'no-service-links': () => pod.enableServiceLinks === false,
  'shared-processes': () => pod.shareProcessNamespace === true,
  reloader: () =>
    watcher.restartPolicy === 'Always' &&
    variable(watcher, 'PROCESS_FILE') === configuration['pid_file'] &&
    variable(watcher, 'OTHER_FILES') === '/etc/nats/reload/limits.conf' &&
    ['tls-server', 'tls-public', 'authorities', 'trust', 'reload', 'run'].every((name) =>
      mounts(watcher, name),
    ),
  'restart-by-hash': () =>
    pod.volumes?.find(({ name }) => name === 'config')?.configMap?.name ===
    configMap?.metadata.name,
  'graceful-end': () =>
    configuration['lame_duck_duration'] === '30s' &&
    configuration['lame_duck_grace_period'] === '5s' &&
    pod.terminationGracePeriodSeconds === 60,
  'startup-probe': () => seconds(server.startupProbe) >= 300,
  'readiness-probe': () => path(server.readinessProbe) === '/healthz?js-server-only=true',
  'liveness-probe': () =>
    path(server.livenessProbe)?.startsWith('/healthz') === true &&
    server.livenessProbe?.periodSeconds === 30,
  'disruption-budget': () => budget.maxUnavailable === 1,
  spread: () => spreads('kubernetes.io/hostname') === 'DoNotSchedule',
  volume: () =>
    spec.volumeClaimTemplates?.[0]?.metadata?.name === 'data' &&
    mounts(server, 'data')?.mountPath === '/data',
  'no-advertise': () => part('cluster')['no_advertise'] === true,
  'routes-by-name': () =>
    JSON.stringify(part('cluster')['routes']) ===
    JSON.stringify([0, 2].map((index) => `tls://sfo2-${index}.nats.nats.svc.cluster.local:6222`)),
  'client-service': () => client.clusterIP === undefined && client.ports?.[0]?.port === 4222,
  'memory-limit-of-go': () =>
    variable(server, 'GOMEMLIMIT') === '410MiB' && server.resources?.limits?.['memory'] === '512Mi',
  guaranteed: () => holds('requests equal limits'),
  'tls-everywhere': () =>
    [configuration, ...['cluster', 'gateway', 'leafnodes', 'websocket'].map(part)].every(
      ({ tls }) => (tls as Configuration)['min_version'] === '1.3',
    ),
  resolver: () =>
    configuration['resolver'] === 'MEMORY' &&
    podIncludes.some((file) => file.endsWith('/data/trust/accounts.conf')),
  'broken-consumer': () =>
    [server.startupProbe, server.readinessProbe, server.livenessProbe].every(
      (probe) => path(probe) === '/healthz?js-server-only=true',
    ),
  'no-race-at-the-end': () => server.lifecycle === undefined && serverStopSignal === 'SIGUSR2',
  restricted: () =>
    holds('pods are restricted') &&
    find('Namespace', 'nats').metadata.labels?.['pod-security.kubernetes.io/enforce'] ===
      'restricted',
  'no-token': () => holds('service account tokens for few'),
  'region-in-names': () =>
    variableField(server, 'SERVER_NAME') === 'metadata.name' &&
    server.args?.[1] === '/etc/nats/config/$(SERVER_NAME).conf' &&
    configuration['server_name'] === 'sfo2-1' &&
    Object.keys(configMap?.data ?? {}).join() === 'sfo2-0.conf,sfo2-1.conf,sfo2-2.conf',
  'verified-peers': () =>
    ['cluster', 'gateway'].every(
      (name) => (part(name)['tls'] as Configuration)['verify_cert_and_check_known_urls'] === true,
    ) && (part('leafnodes')['tls'] as Configuration)['verify'] === true,
  'own-region-only': () =>
    ['cluster', 'leafnodes'].every(
      (name) =>
        (part(name)['tls'] as Configuration)['ca_file'] === '/etc/nats/authorities/region.pem',
    ),
  'unknown-gateways-refused': () =>
    part('gateway')['reject_unknown_cluster'] === true &&
    (part('gateway')['gateways'] as readonly unknown[]).length === archipelago.regions.length,
  'gateway-per-server': () =>
    [0, 1, 2].every((index) => {
      const { type, externalTrafficPolicy, selector, ports } =
        (find('Service', `nats-gateway-${index}`) as V1Service).spec ?? never('gateway')
      return (
        type === 'NodePort' &&
        externalTrafficPolicy === 'Local' &&
        selector?.['statefulset.kubernetes.io/pod-name'] === `sfo2-${index}` &&
        ports?.[0]?.nodePort === 30522 + index
      )
    }),
  'narrow-client-service': () =>
    client.ports?.map(({ port }) => port).join() === '4222,9222' && holds('services lead to pods'),
  'volumes-stay': () =>
    spec.persistentVolumeClaimRetentionPolicy?.whenDeleted === 'Retain' &&
    spec.persistentVolumeClaimRetentionPolicy.whenScaled === 'Retain' &&
    asks(set) &&
    asks(find('Namespace', 'nats')),
  zones: () => spreads('topology.kubernetes.io/zone') === 'ScheduleAnyway',
  'unhealthy-may-go': () => budget.unhealthyPodEvictionPolicy === 'AlwaysAllow',
  'slow-rollout': () => spec.minReadySeconds === 10 && spec.updateStrategy === undefined,
  'waits-with-a-reason': () =>
    watcher.startupProbe?.exec?.command?.at(-1) === '--ready' &&
    ['trust', 'authorities', 'tls-server', 'tls-public'].every(isOptional),
  digests: () => holds('images by digest'),
  'limits-written-down': () =>
    Object.keys(limits).join() ===
    'max_connections,max_payload,max_control_line,ping_interval,ping_max,write_deadline,authorization',
  'few-lookups': () => pod.dnsConfig?.options?.[0]?.value === '1',
  'live-reload': () =>
    pod.volumes?.find(({ name }) => name === 'reload')?.configMap?.name === 'nats-reload',
}

const document = readFileSync(join(root, 'docs/parity-with-the-chart.md'), 'utf8')
const written = [...document.matchAll(/^\| `([a-z-]+)`/gm)].map(([, name]) => name)

test('every line of the document has its assertion, and every assertion its line', (t) => {
  t.deepEqual(written, Object.keys(lines))
})

for (const [name, isHeld] of Object.entries(lines)) {
  test(`parity with the chart: ${name}`, (t) => t.true(isHeld()))
}

function never(what: string): never {
  throw new TypeError(`not rendered: ${what}`)
}

function variable({ env = [] }: V1Container, name: string): string | undefined {
  return env.find((one) => one.name === name)?.value
}

function variableField({ env = [] }: V1Container, name: string): string | undefined {
  return env.find((one) => one.name === name)?.valueFrom?.fieldRef?.fieldPath
}

function seconds(probe: V1Probe | undefined): number {
  return (probe?.periodSeconds ?? 10) * (probe?.failureThreshold ?? 3)
}

function spreads(key: string): string | undefined {
  return pod.topologySpreadConstraints?.find(({ topologyKey }) => topologyKey === key)
    ?.whenUnsatisfiable
}

function asks({ metadata }: Manifest): boolean {
  const options = metadata.annotations?.['argocd.argoproj.io/sync-options']
  return options === 'Prune=confirm,Delete=confirm'
}

function isOptional(name: string): boolean {
  const volume = pod.volumes?.find((one) => one.name === name)
  const sources = volume?.projected?.sources?.map(({ configMap }) => configMap)
  return (sources ?? [volume?.configMap ?? volume?.secret]).every((source) => source?.optional)
}
