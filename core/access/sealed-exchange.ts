// An exchange on its way through the lobby, where everybody may listen: a token is a secret, so the
// whole form is sealed to the one region that is asked.
import { Refusal } from '../errors.ts'
import { exchangeSubject } from '../network/access-subject.ts'
import type { CurveKey, CurveKeyPair } from './curve-key.ts'
import { open, seal } from './hpke.ts'

const info = Buffer.from('archipelago-token-request-v1')
/** In the clear, so that a token that was not sealed is told from a message that does not open. */
const mark = Buffer.from('sealed-exchange-v1\0')

/** Opens in that region and nowhere else. */
export function sealExchange(form: string, to: { region: string; key: CurveKey }): Uint8Array {
  const aad = Buffer.from(exchangeSubject(to.region))
  return Buffer.concat([mark, seal(to.key, { info, aad, plaintext: Buffer.from(form) })])
}

/** The form's bytes. Refuses a request in the clear, and one for another region; repeats nothing of either. */
export function openExchange(
  bytes: Uint8Array,
  { region, key }: { region: string; key: CurveKeyPair },
): Uint8Array {
  const aad = Buffer.from(exchangeSubject(region))
  if (!mark.equals(bytes.subarray(0, mark.length)))
    throw new Refusal(
      'ERR_TOKEN_UNSEALED',
      `request is not sealed to ${region}'s key: a token in it was readable by others, so withdraw it`,
    )
  return open(key, { info, aad, sealed: bytes.subarray(mark.length) })
}
