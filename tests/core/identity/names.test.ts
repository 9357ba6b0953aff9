import test from 'ava'
import { parseArchipelago } from '../../../core/archipelago.ts'
import { authorityProfile } from '../../../core/identity/authority.ts'
import { functionLeaf, leafnodeLeaf, serverLeaf } from '../../../core/identity/names.ts'
import { type DoorPlace, placeNetwork, type RegionPlace } from '../../../core/network/endpoint.ts'
import { good } from '../archipelago/example.ts'

const kubernetes = 'kubernetes: { namespace: sea, service: nats, clusterDomain: c.local }\n'
const archipelago = parseArchipelago(`${good}${kubernetes}`, 'archipelago.yaml')
const [, sfo2] = placeNetwork(archipelago, 'distributed') as [RegionPlace, RegionPlace]

test('in a cluster a server has its name below the region’s domain, and its pod’s', (t) => {
  const [, server] = sfo2.servers
  t.deepEqual<unknown, unknown>(server && serverLeaf(archipelago, server), {
    id: 'spiffe://sfo2.archipelago.example/nats/server-1',
    dns: ['sfo2-1.sfo2.archipelago.example', 'sfo2-1.nats.sea.svc.c.local'],
    ips: [],
  })
})

test('leafnode servers and functions have that of a service of their own', (t) => {
  const invite = sfo2.doors.find(({ door }) => door === 'invite') as DoorPlace
  t.deepEqual<unknown, unknown>(leafnodeLeaf(archipelago, sfo2.leafnode), {
    id: 'spiffe://sfo2.archipelago.example/nats/leafnode',
    dns: ['sfo2-leafnode.sfo2.archipelago.example', 'sfo2-leafnode.sea.svc.c.local'],
    ips: [],
  })
  t.deepEqual<unknown, unknown>(functionLeaf(archipelago, invite), {
    id: 'spiffe://sfo2.archipelago.example/function/invite',
    dns: ['sfo2-invite.sfo2.archipelago.example', 'sfo2-invite.sea.svc.c.local'],
    ips: [],
  })
})

test('a region’s authority may make them, and no address', (t) => {
  const place = { region: 'sfo2', kind: 'identity', placement: 'distributed' } as const
  t.deepEqual(authorityProfile(archipelago, place).nameConstraints, {
    permitted: {
      uris: ['sfo2.archipelago.example'],
      dns: ['sfo2.archipelago.example', 'sea.svc.c.local'],
      ips: [],
    },
    excluded: { uris: [], dns: [], ips: ['0.0.0.0/0', '::/0'] },
  })
})

test('on a laptop there is no cluster, so no authority makes names of one', (t) => {
  const place = { region: 'sfo2', kind: 'identity', placement: 'laptop' } as const
  t.deepEqual(authorityProfile(archipelago, place).nameConstraints.permitted, {
    uris: ['sfo2.archipelago.example'],
    dns: ['sfo2.archipelago.example'],
    ips: ['127.0.0.0/8', '::1/128'],
  })
})

test('outside clients are shown names of the region alone', (t) => {
  const place = { region: 'sfo2', kind: 'public', placement: 'distributed' } as const
  const { permitted } = authorityProfile(archipelago, place).nameConstraints
  t.deepEqual(permitted.dns, ['sfo2.nats.archipelago.example', 'sfo2.archipelago.example'])
})
