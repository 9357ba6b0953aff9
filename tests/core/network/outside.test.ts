import { join } from 'node:path'
import test from 'ava'
import type { Region } from '../../../core/archipelago.ts'
import { outsideOfClusters } from '../../../core/network/outside.ts'
import { readArchipelago } from '../../../store/archipelago.ts'

const archipelago = readArchipelago(join(import.meta.dirname, '../../../archipelago.yaml'))

const outside = (change: Partial<Region>) => {
  const [first, ...regions] = archipelago.regions as [Region, ...Region[]]
  return outsideOfClusters({ ...archipelago, regions: [{ ...first, ...change }, ...regions] })[0]
}

test('on node addresses a region has one name, and a port for each listener', (t) => {
  t.deepEqual(outside({ clients: 'node-address' }), {
    name: 'ams3',
    servers: ['tls://ams3.nats.archipelago.example:30422'],
    https: {
      lobby: 'https://ams3.nats.archipelago.example:30424/',
      invite: 'https://ams3.nats.archipelago.example:30425/',
      identity: 'https://ams3.nats.archipelago.example:30426/token',
    },
    workloads: {
      servers: ['wss://ams3.nats.archipelago.example:30423'],
      exchange: 'https://ams3.nats.archipelago.example:30427/token',
    },
  })
})

for (const clients of ['load-balancer', 'cluster'] as const)
  test(`${clients}: each door has a name of its own, and the ports of archipelago.yaml`, (t) => {
    t.deepEqual(outside({ clients }), {
      name: 'ams3',
      servers: ['tls://ams3.nats.archipelago.example:4222'],
      https: {
        lobby: 'https://ams3-lobby.ams3.archipelago.example:8443/',
        invite: 'https://ams3-invite.ams3.archipelago.example:8443/',
        identity: 'https://ams3-identity.ams3.archipelago.example:8443/token',
      },
      workloads: {
        servers: ['wss://ams3.nats.archipelago.example:9222'],
        exchange: 'https://ams3-identity.ams3.archipelago.example:8444/token',
      },
    })
  })

test('every address of a region is one of its servers, also one that is a number', (t) => {
  const found = outside({ clients: 'node-address', addresses: ['2001:db8::1', '192.0.2.1'] })
  t.deepEqual(found?.servers, ['tls://[2001:db8::1]:30422', 'tls://192.0.2.1:30422'])
  t.is(found?.https.lobby, 'https://[2001:db8::1]:30424/')
})
