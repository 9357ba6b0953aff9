import test from 'ava'
import { parseArchipelago } from '../../../core/archipelago.ts'
import {
  parseConfiguration,
  requireNotOlder,
  signConfiguration,
} from '../../../core/trust/configuration.ts'
import { encodeJwt } from '../../../core/trust/jwt.ts'
import { signOperator } from '../../../core/trust/operator.ts'
import { good } from '../archipelago/example.ts'
import { pairOf } from './example.ts'

const identity = pairOf('operator', 'identity')
const signer = pairOf('operator', 'signer')
const operator = signOperator(identity, {
  name: 'test',
  signingKeys: [signer.publicKey],
  systemAccount: pairOf('account', 'sys').publicKey,
  nowSeconds: 1,
})
const archipelago = parseArchipelago(good, 'archipelago.yaml')

function sign(change: Partial<Parameters<typeof signConfiguration>[1]> = {}) {
  const applied = {
    operator: identity.publicKey,
    archipelago,
    nowSeconds: 100,
    previous: undefined,
  }
  return signConfiguration(signer, { ...applied, ...change })
}

test('what was signed is read back as it was parsed', (t) => {
  t.deepEqual(parseConfiguration(sign().text, operator).claims.nats.archipelago, archipelago)
})

test('without a change it stays the same document; with one it is issued later', (t) => {
  const previous = sign()
  t.is(sign({ previous, nowSeconds: 200 }), previous)
  const changed = { ...archipelago, leafnode: { lifetimeSeconds: 60 } }
  t.is(sign({ previous, archipelago: changed, nowSeconds: 90 }).claims.iat, 101)
})

test('another operator’s document is refused, also when it names ours', (t) => {
  const stranger = pairOf('operator', 'stranger')
  const { jti: _, iss: __, ...claims } = sign().claims
  t.throws(() => parseConfiguration(encodeJwt(claims, stranger).text, operator), {
    code: 'ERR_CONFIGURATION_FOREIGN',
    message: `configuration: signed by a foreign operator: ${stranger.publicKey}`,
  })
  const other = sign({ operator: stranger.publicKey })
  t.throws(() => parseConfiguration(other.text, operator), { code: 'ERR_CONFIGURATION_FOREIGN' })
})

test('the identity key signs no configuration', (t) => {
  const { jti: _, iss: __, ...claims } = sign().claims
  t.throws(() => parseConfiguration(encodeJwt(claims, identity).text, operator), {
    code: 'ERR_CONFIGURATION_FOREIGN',
  })
})

test('an older document does not follow a newer one', (t) => {
  const [older, newer] = [sign({ nowSeconds: 100 }), sign({ nowSeconds: 200 })]
  t.notThrows(() => requireNotOlder(older, newer))
  t.notThrows(() => requireNotOlder(older, older))
  t.throws(() => requireNotOlder(newer, older), {
    code: 'ERR_CONFIGURATION_OLDER',
    message: 'configuration: issued at 100, before the one that is held: 200',
  })
})
