import test from 'ava'
import fc from 'fast-check'
import { oauthError } from '../../../core/access/oauth-error.ts'
import { answerRefusal } from '../../../core/access/status.ts'
import { Refusal, type RefusalCode } from '../../../core/errors.ts'

for (const [code, error, status] of [
  ['ERR_TOKEN_MISSING', 'invalid_request', 400],
  ['ERR_FORM_TWICE', 'invalid_request', 400],
  ['ERR_REQUEST_OVERSIZE', 'invalid_request', 400],
  ['ERR_TOKEN_AUDIENCE', 'invalid_request', 400],
  ['ERR_JWS_SIGNATURE', 'invalid_request', 400],
  ['ERR_PROOF_WRONG', 'invalid_request', 400],
  ['ERR_ROLE_DOOR', 'invalid_request', 400],
  ['ERR_NKEY_DENIED', 'invalid_request', 400],
  ['ERR_GRANT_TYPE', 'unsupported_grant_type', 400],
  ['ERR_TARGET_UNKNOWN', 'invalid_target', 400],
  ['ERR_SCOPE_OTHER', 'invalid_scope', 400],
  ['ERR_CLIENT_AUTHENTICATION', 'invalid_client', 401],
  ['ERR_METHOD_ILLEGAL', 'invalid_request', 405],
  ['ERR_PATH_UNKNOWN', 'invalid_request', 404],
  ['ERR_BUSY', 'temporarily_unavailable', 429],
] as const satisfies [RefusalCode, string, number][])
  test(`${code} is ${error}`, (t) => {
    const answered = oauthError(answerRefusal(new Refusal(code, 'rule: value')))
    t.deepEqual(answered, { status, error, description: `${code}: rule: value` })
  })

test('what is nobody’s fault but ours says nothing of itself', (t) => {
  const answered = oauthError(answerRefusal(new TypeError('secret')))
  t.deepEqual(answered, {
    status: 500,
    error: 'server_error',
    description: 'ERR_INTERNAL: internal error',
  })
})

test('a description has no character that RFC 6749 does not allow', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (message) => {
      const { description } = oauthError({ status: 400, code: 'ERR_TOKEN_ISSUER', message })
      return /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/.test(description)
    }),
  )
  t.pass()
})
