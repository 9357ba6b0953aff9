import test from 'ava'
import {
  gatewaysOf,
  judgeRegion,
  type OwedRegion,
  type SeenServer,
} from '../../../core/network/region-proof.ts'

const servers = ['ams3-0', 'ams3-1', 'ams3-2']
const owed: OwedRegion = { servers, peers: ['sfo2', 'sgp1'], leafnodes: ['function-lobby-'] }
const whole: SeenServer[] = servers.map((name) => ({
  name,
  version: '2.15.2',
  routes: servers.filter((peer) => peer !== name),
  gateways: ['sfo2', 'sgp1'],
  leafnodes: name === 'ams3-1' ? ['function-lobby-7d9c'] : [],
}))
const before = gatewaysOf(whole)
const proven = { broken: [], apart: [] }
const changed = (name: string, change: Partial<SeenServer>) =>
  whole.map((server) => (server.name === name ? { ...server, ...change } : server))

for (const { title, seen, was = before, verdict } of [
  { title: 'a whole region is proven', seen: whole, verdict: proven },
  {
    title: 'a server that is missing is a fault, and so are the routes to it',
    seen: whole.slice(1).map((server) => ({ ...server, routes: ['ams3-1', 'ams3-2'] })),
    verdict: {
      broken: ['ams3-0: no answer', 'ams3-1: no route to ams3-0', 'ams3-2: no route to ams3-0'],
      apart: [],
    },
  },
  {
    title: 'a gateway that was up before is a fault when it is not up after',
    seen: changed('ams3-2', { gateways: ['sfo2'] }),
    verdict: { broken: ['ams3-2: no gateway to sgp1 any more'], apart: [] },
  },
  {
    title: 'a peer that was out of reach before is named, and no fault',
    seen: whole.map((server) => ({ ...server, gateways: ['sfo2'] })),
    was: { 'ams3-0': ['sfo2'] },
    verdict: { broken: [], apart: ['sgp1'] },
  },
  {
    title: 'before the first region is joined all peers are apart',
    seen: whole.map((server) => ({ ...server, gateways: [] })),
    was: {},
    verdict: { broken: [], apart: ['sfo2', 'sgp1'] },
  },
  {
    title: 'a region that archipelago.yaml has no more is nobody’s gateway',
    seen: whole,
    was: { 'ams3-0': ['fra1', 'sfo2'] },
    verdict: proven,
  },
  {
    title: 'a door without a leafnode is a fault',
    seen: changed('ams3-1', { leafnodes: [] }),
    verdict: { broken: ['function-lobby-: no leafnode is connected'], apart: [] },
  },
  {
    title: 'an old server is a fault',
    seen: changed('ams3-0', { version: '2.14.4' }),
    verdict: { broken: ['ams3-0: runs 2.14.4, at least 2.14.5 is needed'], apart: [] },
  },
])
  test(title, (t) => t.deepEqual(judgeRegion(owed, seen, was), verdict))
