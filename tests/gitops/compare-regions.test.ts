import test from 'ava'
import { compareRegions } from '../../gitops/compare-regions.ts'
import type { Manifest } from '../../gitops/manifest.ts'

const metadata = (name: string) => ({ name, namespace: 'nats' })
const config = (region: string, peer: string, more = '') => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: metadata(`nats-config-${region === 'ams3' ? 'cdbkgfg5h7' : 'b2ff227bkd'}`),
  data: {
    [`${region}-0.conf`]: `server: ${region}\n${[region, peer].toSorted().join('\n')}\n${more}`,
  },
})
const servers = (region: string, replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: metadata(region),
  spec: { replicas },
})
const region = (name: string, ...manifests: Manifest[]) => ({ name, manifests })

test('regions that differ in their names and hashes alone are the same', (t) => {
  const ams3 = region('ams3', config('ams3', 'sfo2'), servers('ams3', 3))
  const sfo2 = region('sfo2', config('sfo2', 'ams3'), servers('sfo2', 3))
  t.deepEqual(compareRegions(ams3, sfo2), [])
})

test('a field, a line of a text and an object that only one has are told', (t) => {
  const ams3 = region('ams3', config('ams3', 'sfo2', 'debug: true\n'), servers('ams3', 3))
  const sfo2 = region('sfo2', config('sfo2', 'ams3'), servers('sfo2', 5), servers('extra', 1))
  t.deepEqual(compareRegions(ams3, sfo2), [
    {
      object: 'ConfigMap nats/nats-config-HASH',
      path: 'data.REGION-0.conf: debug: true',
      one: 'there',
      other: 'none',
    },
    { object: 'StatefulSet nats/REGION', path: 'spec.replicas', one: '3', other: '5' },
    { object: 'StatefulSet nats/extra', path: '', one: 'none', other: 'there' },
  ])
})
