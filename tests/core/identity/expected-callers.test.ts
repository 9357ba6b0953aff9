import test from 'ava'
import { callersOfLeafnode, callersOfServer } from '../../../core/identity/expected-callers.ts'
import { placeNetwork } from '../../../core/network/endpoint.ts'
import { archipelago, pairOf } from '../trust/example.ts'

const [region] = placeNetwork(archipelago, 'laptop')
if (region === undefined) throw new RangeError('no region')
const domain = `spiffe://${region.name}.${archipelago.trustDomain}`
const nkey = pairOf('user', 'lobby').publicKey
const account = pairOf('account', 'leafnode').publicKey
const keys = {
  region: region.name,
  leafnode: [account],
  leafnodeUser: pairOf('user', 'leafnode').publicKey,
  doors: { lobby: { nkey, signingKeys: {} } },
}

const at = { region: region.name }
const texts = (ids: readonly string[] | undefined) => ids?.map(String)

test('a server expects its region’s leafnode server, and workloads by their credentials', (t) => {
  const server = (caller: Parameters<typeof callersOfServer>[2]) =>
    texts(callersOfServer(archipelago, at, caller))
  t.deepEqual(server({ kind: 'leafnode' }), [`${domain}/nats/leafnode`])
  const jwtName = `spiffe://sfo2.${archipelago.trustDomain}/workload/billing`
  t.deepEqual(server({ kind: 'client', jwtName }), [jwtName])
  // A token of another trust domain comes beside a certificate of ours.
  t.is(server({ kind: 'client', jwtName: 'spiffe://mesh.test/shop/orders' }), undefined)
  t.deepEqual(server({ kind: 'client', jwtName: `${jwtName}/..` }), [])
  t.is(server({ kind: 'client', jwtName: 'alice' }), undefined)
})

test('a leafnode server expects its functions by their nkeys, and the servers that it dials', (t) => {
  const leafnode = (caller: Parameters<typeof callersOfLeafnode>[2]) =>
    texts(callersOfLeafnode(archipelago, { region, keys }, caller))
  t.deepEqual(leafnode({ kind: 'client', nkey }), [`${domain}/function/lobby`])
  t.deepEqual(leafnode({ kind: 'client', nkey: pairOf('user', 'other').publicKey }), [])
  t.deepEqual(leafnode({ kind: 'client' }), [])
  const servers = region.servers.map(({ index }) => `${domain}/nats/server-${index}`)
  t.deepEqual(leafnode({ kind: 'leafnode' }), servers)
})
