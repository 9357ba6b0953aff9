/** What was expected to go wrong: the code names the rule, the message the rule and the value. */
export type RefusalCode =
  // core/trust
  | 'ERR_NKEY_ILLEGAL'
  | 'ERR_JWT_ILLEGAL'
  | 'ERR_CHAIN_BROKEN'

export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  constructor(code: RefusalCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
