/** Codes by the folder whose rule they name. */
export type RefusalCode =
  | 'ERR_ARCHIPELAGO_MISSING'
  | 'ERR_ARCHIPELAGO_ILLEGAL'
  | 'ERR_DURATION_ILLEGAL'
  | 'ERR_SUBJECT_ILLEGAL'
  // core/trust
  | 'ERR_NKEY_ILLEGAL'
  | 'ERR_SEED_ILLEGAL'
  | 'ERR_JWT_ILLEGAL'
  | 'ERR_JWT_SIGNATURE'
  | 'ERR_JWT_EXPIRED'
  | 'ERR_CHAIN_BROKEN'
  | 'ERR_CREDS_ILLEGAL'
  | 'ERR_REGION_KEYS_ILLEGAL'
  | 'ERR_ACCOUNT_FOREIGN'
  | 'ERR_ACCOUNT_OLDER'
  | 'ERR_ACCOUNT_OPENS_ALL'
  | 'ERR_DENY_LIST_ILLEGAL'
  | 'ERR_DENY_LIST_OLDER'
  // core/access: what a requestor is told
  | 'ERR_REQUEST_OVERSIZE'
  | 'ERR_REQUEST_NOT_JSON'
  | 'ERR_REQUEST_ILLEGAL'
  | 'ERR_NAME_MISSING'
  | 'ERR_NAME_TOO_LONG'
  | 'ERR_NAME_ILLEGAL'
  | 'ERR_NAME_DENIED'
  | 'ERR_ROLE_UNKNOWN'
  | 'ERR_ROLE_DOOR'
  | 'ERR_CURVE_MISSING'
  | 'ERR_CURVE_ILLEGAL'
  | 'ERR_NKEY_DENIED'
  | 'ERR_PROOF_ILLEGAL'
  | 'ERR_PROOF_WRONG'
  | 'ERR_PROOF_STALE'
  | 'ERR_PROOF_AUDIENCE'
  | 'ERR_PROOF_OTHER_KEY'
  | 'ERR_INVITE_MISSING'
  | 'ERR_INVITE_ILLEGAL'
  | 'ERR_INVITE_EXPIRED'
  | 'ERR_INVITE_DENIED'
  | 'ERR_INVITE_OTHER'
  | 'ERR_INVITE_PROOF_WRONG'
  | 'ERR_RENEWAL_ILLEGAL'
  | 'ERR_RENEWAL_EXPIRED'
  | 'ERR_BUSY'
  | 'ERR_SEALED_ILLEGAL'
  | 'ERR_NETWORK_FILE_ILLEGAL'
  | 'ERR_REGION_UNKNOWN'
  | 'ERR_ANSWER_ILLEGAL'
  | 'ERR_NO_ANSWER'
  // store
  | 'ERR_STORE_UNREADABLE'
  | 'ERR_STORE_UNWRITABLE'
  | 'ERR_KEY_NOT_HERE'
  | 'ERR_KEY_UNPUBLISHED'
  | 'ERR_DEADLINE'
  | 'ERR_ENVIRONMENT'
  // nats
  | 'ERR_CONNECT'
  | 'ERR_SERVER_NONCE'
  | 'ERR_PORT_TAKEN'
  | 'ERR_TOOL_MISSING'
  | 'ERR_TOOL_UNBUILT'
  // core/network, laptop: the servers
  | 'ERR_PORTS_EXHAUSTED'
  | 'ERR_CONFIGURATION_ILLEGAL'
  | 'ERR_ADDRESS_UNUSABLE'
  | 'ERR_ALREADY_RUNNING'
  | 'ERR_SERVER_FAILED'
  | 'ERR_SERVER_REFUSED'
  | 'ERR_NOT_MESHED'
  | 'ERR_RELOAD_FAILED'

/** What was expected to go wrong: the code names the rule, the message the rule and the value. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  constructor(code: RefusalCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
