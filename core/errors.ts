/** What was expected to go wrong: the code names the rule, the message the rule and the value. */
export type RefusalCode =
  // core/archipelago
  | 'ERR_ARCHIPELAGO_ILLEGAL'
  | 'ERR_DURATION_ILLEGAL'
  // core/network
  | 'ERR_SUBJECT_ILLEGAL'
  // core/trust
  | 'ERR_NKEY_ILLEGAL'
  | 'ERR_JWT_ILLEGAL'
  | 'ERR_CHAIN_BROKEN'
  // core/access: sealing
  | 'ERR_CURVE_KEY_ILLEGAL'
  | 'ERR_SEALED_ILLEGAL'

export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  constructor(code: RefusalCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
