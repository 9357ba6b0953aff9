// Exchanges that are refused, by whatever way they come.
import { makeExchange } from '../../core/access/ask-exchange.ts'
import { signProof } from '../../core/access/proof.ts'
import type { RefusalCode } from '../../core/errors.ts'
import { ams3Cluster } from '../core/access/token-example.ts'
import { encodeToken, signWithPublicKey } from '../core/access/token-issuer.ts'
import type { TestNetwork } from '../test-network.ts'
import { makeHolder, nowSeconds, type Holder } from './ask.ts'
import { askingOrders, orderClaims } from './exchange.ts'

export interface Forgery {
  readonly what: string
  readonly code: RefusalCode
  /** The form as it is sent. */
  readonly form: (network: TestNetwork) => string
}

/** Of a token that this holder sends under a proof of his own. */
const ofToken =
  (token: (holder: Holder) => string): Forgery['form'] =>
  (network) => {
    const holder = makeHolder()
    return makeExchange(askingOrders(network, holder, { token: token(holder) })).form
  }

const ofClaims = (changes: object): Forgery['form'] =>
  ofToken((holder) => ams3Cluster.sign(orderClaims(holder, changes)))

const otherNamespace = (holder: Holder) => {
  const { 'kubernetes.io': bound, ...claims } = orderClaims(holder)
  return { ...claims, 'kubernetes.io': { ...(bound as object), namespace: 'evil' } }
}

/** All of the holder's but the signature. */
function signedByAnother(network: TestNetwork): string {
  const form = new URLSearchParams(makeExchange(askingOrders(network, makeHolder())).form)
  const signature = signProof(makeHolder().pair, form.get('nkey_proof') ?? '', 'exchange')
  form.set('nkey_proof_signature', signature)
  return form.toString()
}

/** Read on its way, and sent with a key of the thief's. */
const stolen: Forgery['form'] = ofToken(() => ams3Cluster.sign(orderClaims(makeHolder())))

export const forgeries: readonly Forgery[] = [
  {
    what: 'for another audience',
    code: 'ERR_TOKEN_AUDIENCE',
    form: ofClaims({ aud: ['https://elsewhere.example'] }),
  },
  {
    what: 'of another issuer',
    code: 'ERR_TOKEN_ISSUER',
    form: ofClaims({ iss: 'https://evil.example' }),
  },
  {
    what: 'under another key id',
    code: 'ERR_TOKEN_KEY_ID',
    form: ofToken((holder) => ams3Cluster.sign(orderClaims(holder), { kid: 'other' })),
  },
  {
    what: 'of another namespace',
    code: 'ERR_TOKEN_NAMESPACE',
    form: ofToken((holder) => ams3Cluster.sign(otherNamespace(holder))),
  },
  {
    what: 'that has ended',
    code: 'ERR_TOKEN_EXPIRED',
    form: (network) => ofClaims({ exp: nowSeconds() - 1 })(network),
  },
  { what: 'under a proof by another key', code: 'ERR_PROOF_WRONG', form: signedByAnother },
  { what: 'that was stolen', code: 'ERR_TOKEN_BINDING', form: stolen },
  {
    what: 'that nobody signed',
    code: 'ERR_JWS_ALGORITHM',
    form: ofToken(
      (holder) => `${encodeToken({ alg: 'none', kid: 'ams3-key' }, orderClaims(holder))}.AA`,
    ),
  },
  {
    what: 'that was signed with the public key for a secret',
    code: 'ERR_JWS_ALGORITHM',
    form: ofToken((holder) => signWithPublicKey(ams3Cluster, orderClaims(holder))),
  },
]
