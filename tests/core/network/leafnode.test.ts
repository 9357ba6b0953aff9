import test from 'ava'
import { placeNetwork } from '../../../core/network/endpoint.ts'
import { configureLeafnode, type FunctionUser } from '../../../core/network/leafnode.ts'
import { makeBareNetwork } from '../../laptop/bare-network.ts'

const { archipelago, ...network } = await makeBareNetwork()
test.after.always(() => network[Symbol.asyncDispose]())

const lobby: FunctionUser = {
  publicKey: 'ULOBBY',
  publish: ['_INBOX.>'],
  subscribe: ['chat.req.access'],
}

function configure(functions: readonly FunctionUser[], pins?: ReadonlyMap<string, string>) {
  const [region] = placeNetwork(archipelago, 'laptop')
  if (region === undefined) throw new TypeError('no region')
  const tls = { certificate: 'a.crt', key: 'a.key', trusted: 'ca.crt' }
  const files = { tls, credentials: 'leafnode.creds' }
  const place = { region, account: 'ACCESS', functions, ...(pins && { pins }) }
  return configureLeafnode(region.leafnode, place, files)
}

test('it dials its own region, with the credential file', (t) => {
  const { firstPort } = archipelago.laptop
  t.like(configure([lobby]), {
    leafnodes: {
      remotes: [
        {
          account: 'ACCESS',
          credentials: 'leafnode.creds',
          urls: [2, 12, 22].map((offset) => `tls://127.0.0.1:${firstPort + offset}`),
        },
      ],
    },
  })
})

test('it listens for functions on loopback, and for no leafnode', (t) => {
  const leafnode = configure([lobby])
  t.is(leafnode['listen'], `127.0.0.1:${archipelago.laptop.firstPort + 80}`)
  t.false('listen' in Object(leafnode['leafnodes']))
  t.false('port' in Object(leafnode['leafnodes']))
})

test('a function may do what its lists say', (t) => {
  const permissions = {
    publish: { allow: ['_INBOX.>'] },
    subscribe: { allow: ['chat.req.access'] },
  }
  t.like(configure([lobby]), { accounts: { ACCESS: { users: [{ nkey: 'ULOBBY', permissions }] } } })
})

test('an empty list denies all, though nats-server would allow all', (t) => {
  const mute = { ...lobby, publish: [], subscribe: [] }
  const permissions = { publish: { deny: ['>'] }, subscribe: { deny: ['>'] } }
  t.like(configure([mute]), { accounts: { ACCESS: { users: [{ permissions }] } } })
})

test('without a function there is no server, for one without users admits anybody', (t) => {
  const message = 'ams3-leafnode has no function'
  t.throws(() => configure([]), { instanceOf: TypeError, message })
})

test('it dials only servers whose keys it knows', (t) => {
  const pins = new Map([0, 1, 2].map((n) => [`ams3-${n}`, `pin ${n}`]))
  const tls = { verify: true, handshake_first: true, pinned_certs: ['pin 0', 'pin 1', 'pin 2'] }
  t.like(configure([lobby], pins), { leafnodes: { tls, remotes: [{ tls }] } })
})
