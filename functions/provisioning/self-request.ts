// A function asks itself as a client would, and believes the answer only after the same checks.
import { randomBytes } from 'node:crypto'
import { makeAsk, readAnswer, type Ask, type Asking } from '../../core/access/ask.ts'
import { makeExchange } from '../../core/access/ask-exchange.ts'
import { generateCurveKeyPair, type CurveKey } from '../../core/access/curve-key.ts'
import { issueCredential, type RoleSigner } from '../../core/access/issue.ts'
import { sealExchange } from '../../core/access/sealed-exchange.ts'
import { Refusal, type RefusalCode } from '../../core/errors.ts'
import type { FunctionDoor } from '../../core/network/access-subject.ts'
import { verifyChain } from '../../core/trust/chain.ts'
import type { FunctionTrust } from '../../store/function-trust.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import type { Work } from './work.ts'

export interface SelfRequest {
  readonly region: string
  readonly door: FunctionDoor
  readonly trust: () => FunctionTrust
  readonly nowMs: () => number
  readonly deadlineMs: number
  readonly work: Pick<Work, 'answered'>
}

/** The way to itself: rejects when no answer came. */
export type AskSelf = (bytes: Uint8Array) => Promise<Uint8Array>

/** Makes keys for one process; what comes back rejects with the reason when something is wrong. */
export function makeSelfRequest(self: SelfRequest): (ask: AskSelf) => Promise<void> {
  const keys = { pair: makeNkeyPair('user'), curve: generateCurveKeyPair() }
  // A name that nobody can have been denied.
  const name = randomBytes(4).toString('hex')
  const { region, door, trust, nowMs, deadlineMs, work } = self
  return async (ask) => {
    const { archipelago, operator, signers, tokenKey } = trust()
    const role = archipelago.roles.find(({ doors }) => doors.includes(door))
    if (role === undefined) throw new Refusal('ERR_ROLE_DOOR', `no role has this door: ${door}`)
    const nonce = randomBytes(18).toString('base64url')
    const asking = { operator, door, role: role.name, name, ...keys, nonce, nowMs: nowMs() }
    for (const [of, signer] of signers) requireSigning(asking, of, signer)
    const request = tokenKey ? askSealed(asking, region, tokenKey.publicKey) : makeAsk(asking)
    const bytes = door === 'legacy' ? Buffer.from(name) : request.bytes
    const before = work.answered
    const answer = await ask(bytes).catch(() => undefined)
    // Behind a flood its own request comes late: who gets on with others' is busy, and does not hang.
    if (answer === undefined && work.answered > before) return
    if (answer === undefined)
      throw new Refusal('ERR_NO_ANSWER', `no answer to itself within ${deadlineMs} ms`)
    if (door === 'legacy') requireCreds(answer)
    else requireExpected(door, readAnswer(answer, request, asking))
  }
}

/** With something that is no token: it opens, and comes as far as that. */
function askSealed(asking: Asking, region: string, key: CurveKey): Ask {
  const { form, claims } = makeExchange({ ...asking, token: 'its-own' })
  return { bytes: sealExchange(form, { region, key }), claims }
}

/**
 * No request without an invite or a token is granted at those doors, and its own is no exception: it
 * comes as far as what is missing, and that every key still signs is tried apart.
 */
function requireExpected(door: FunctionDoor, answer: ReturnType<typeof readAnswer>): void {
  if (answer.kind === 'ignored')
    throw new Refusal('ERR_ANSWER_ILLEGAL', `its own answer is not good: ${answer.reason}`)
  if (answer.kind === 'refused' && answer.refusal.code === missing[door]) return
  if (answer.kind === 'refused')
    throw new Refusal('ERR_ANSWER_ILLEGAL', `it refuses itself: ${answer.refusal.message}`)
}

const missing: Partial<Record<FunctionDoor, RefusalCode>> = {
  invite: 'ERR_INVITE_MISSING',
  identity: 'ERR_JWS_ILLEGAL',
}

function requireSigning(asking: Asking, role: string, signer: RoleSigner): void {
  const nowSeconds = Math.floor(asking.nowMs / 1000)
  const { pair, name, operator } = asking
  const user = issueCredential(
    { name, nkey: pair.publicKey, issuedAtSeconds: nowSeconds, expiresAtSeconds: nowSeconds + 1 },
    signer,
  )
  const { scope } = verifyChain(
    { userJwt: user.text, accountJwt: signer.account.text },
    { operator, nowSeconds },
  )
  if (!scope.role.startsWith(`${role}.`))
    throw new Refusal('ERR_KEY_UNPUBLISHED', `its key of ${role} signs for ${scope.role}`)
}

function requireCreds(answer: Uint8Array): void {
  const text = Buffer.from(answer).toString()
  if (!text.includes('BEGIN NATS USER JWT'))
    throw new Refusal('ERR_ANSWER_ILLEGAL', `it refuses itself: ${text.slice(0, 80)}`)
}
