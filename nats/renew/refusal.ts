import { Refusal, type RefusalCode } from '../../core/errors.ts'

const denied: readonly RefusalCode[] = ['ERR_NKEY_DENIED', 'ERR_NAME_DENIED', 'ERR_INVITE_DENIED']
const over: readonly RefusalCode[] = ['ERR_RENEWAL_ILLEGAL', 'ERR_RENEWAL_EXPIRED']

/** Nobody will give it another one, at whatever door. */
export function isDenied(reason: unknown): reason is Refusal {
  return reason instanceof Refusal && denied.includes(reason.code)
}

/** This credential is not renewed, however often one asks. */
export function isFinal(reason: unknown): reason is Refusal {
  return isDenied(reason) || (reason instanceof Refusal && over.includes(reason.code))
}
