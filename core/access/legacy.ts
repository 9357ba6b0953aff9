// The door of the tutorial of 2020: a bare name is asked, a whole creds file is the answer, and so a
// seed travels. It is the one exception to "no seed on the wire", open only where a role names it.
import type { Role } from '../archipelago.ts'
import { Refusal } from '../errors.ts'
import { formatLegacyCreds, signLegacyUser, type LegacyUserJwt } from '../trust/legacy-user.ts'
import type { Nkey, NkeyPair } from '../trust/nkey.ts'
import type { DecisionContext } from './decision.ts'
import { requireNameAllowed } from './denial.ts'
import type { RoleSigner } from './issue.ts'
import { parseName } from './name.ts'
import { requestBytesMax } from './request.ts'

const nameBytesMax = 8

/** Times are Unix seconds. */
export interface LegacyGrant {
  readonly rule: 'legacy'
  readonly role: Role
  readonly name: string
  readonly issuedAtSeconds: number
  readonly expiresAtSeconds: number
}

/** The one role with this door, for the name that was sent. */
export function decideLegacy(bytes: Uint8Array, context: DecisionContext): LegacyGrant {
  const name = parseLegacyName(bytes)
  requireNameAllowed(context.denyList, name)
  const role = context.archipelago.roles.find(({ doors }) => doors.includes('legacy'))
  if (role === undefined)
    throw new Refusal('ERR_ROLE_DOOR', 'no role is given at this door: legacy')
  const issuedAtSeconds = Math.floor(context.nowMs / 1000)
  const expiresAtSeconds = issuedAtSeconds + role.lifetimeSeconds
  return { rule: 'legacy', role, name, issuedAtSeconds, expiresAtSeconds }
}

/** The first word, in lower case, as far as it fits into eight bytes; then a name like any other. */
export function parseLegacyName(bytes: Uint8Array): string {
  if (bytes.length > requestBytesMax)
    throw new Refusal(
      'ERR_REQUEST_OVERSIZE',
      `request: ${bytes.length} bytes, ${requestBytesMax} at most`,
    )
  const [word = ''] = decode(bytes).toLowerCase().split(/\s/u)
  // The text of the tutorial's function.
  if (word === '') throw new Refusal('ERR_NAME_MISSING', 'Name can not be empty')
  return parseName(cut(word))
}

/** The creds file for a key pair that was made for it, here. */
export function issueLegacyCreds(
  grant: LegacyGrant,
  made: { pair: Pick<NkeyPair<'user'>, 'publicKey' | 'seed'>; signer: RoleSigner; region: string },
): { user: LegacyUserJwt; creds: string } {
  const { pair, signer, region } = made
  const user = signLegacyUser(signer.key, {
    publicKey: pair.publicKey,
    name: grant.name,
    account: signer.account.claims.sub as Nkey<'account'>,
    issuedAtSeconds: grant.issuedAtSeconds,
    expiresAtSeconds: grant.expiresAtSeconds,
  })
  return { user, creds: formatLegacyCreds(user.text, { seed: pair.seed, place: region }) }
}

/** What the tutorial's requestors take for a refusal. */
export function formatLegacyRefusal(message: string): string {
  return `-ERR '${message.replaceAll("'", '"')}'`
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new Refusal('ERR_NAME_ILLEGAL', 'illegal name: not UTF-8')
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Whole characters only. */
function cut(word: string): string {
  let length = 0
  const fitting = [...word].filter((character) => {
    length += Buffer.byteLength(character)
    return length <= nameBytesMax
  })
  return fitting.join('')
}
