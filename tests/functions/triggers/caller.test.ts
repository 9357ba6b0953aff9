import test from 'ava'
import { callerOf } from '../../../functions/triggers/caller.ts'
import type { Msg } from '../../../nats/connect.ts'
import { alice, makeCredential, makePair, makeTrust } from '../../core/access/trust.ts'

const jwt = makeCredential(makeTrust(), 'member.lobby.ams3')
const { publicKey: nkey } = alice.pair

function messageWith(info: string | undefined): Msg {
  return { headers: { get: () => info ?? '' } } as unknown as Msg
}

test('a connection is known by its server, its number there and the key that it proved', (t) => {
  const info = JSON.stringify({ server: 'ams3-0', id: 7, user: nkey, jwt })
  t.deepEqual(callerOf(messageWith(info)), {
    trigger: 'nats',
    source: 'ams3-0#7',
    server: 'ams3-0',
    connection: 7,
    nkey,
  })
})

test('what a client says of itself is no proof: the key is the one in its JWT', (t) => {
  const info = JSON.stringify({ server: 'ams3-0', id: 7, user: makePair('user').publicKey, jwt })
  t.is(callerOf(messageWith(info)).nkey, nkey)
})

for (const [what, info] of [
  ['without the header', undefined],
  ['with what is not JSON', '{'],
  ['with null', 'null'],
  ['without a server', JSON.stringify({ acc: 'A', rtt: 7 })],
] as const)
  test(`a message ${what} is of nobody known`, (t) => {
    t.deepEqual(callerOf(messageWith(info)), { trigger: 'nats', source: 'unknown' })
  })

for (const token of ['', 'x', 'x.y.z', 7, null])
  test(`a connection whose JWT is ${JSON.stringify(token)} has no key`, (t) => {
    const info = JSON.stringify({ server: 'ams3-0', id: 7, user: nkey, jwt: token })
    t.is(callerOf(messageWith(info)).nkey, undefined)
  })
