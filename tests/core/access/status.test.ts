import test from 'ava'
import { answerRefusal } from '../../../core/access/status.ts'
import { Refusal, type RefusalCode } from '../../../core/errors.ts'

const statuses: [RefusalCode, number][] = [
  ['ERR_REQUEST_NOT_JSON', 400],
  ['ERR_NAME_MISSING', 400],
  ['ERR_PROOF_WRONG', 401],
  ['ERR_INVITE_EXPIRED', 401],
  ['ERR_ROLE_DOOR', 403],
  ['ERR_NKEY_DENIED', 403],
  ['ERR_ROLE_UNKNOWN', 404],
  ['ERR_PATH_UNKNOWN', 404],
  ['ERR_METHOD_ILLEGAL', 405],
  ['ERR_REQUEST_OVERSIZE', 413],
  ['ERR_BUSY', 429],
]
for (const [code, status] of statuses)
  test(`${code} is told as ${status}, with its text`, (t) => {
    t.deepEqual(answerRefusal(new Refusal(code, 'why')), { status, code, message: 'why' })
  })

const internal = { status: 500, code: 'ERR_INTERNAL', message: 'internal error' }
for (const [what, error] of [
  ['an unknown error', new Error('a secret')],
  ['what is no error', 'a secret'],
  [
    "a refusal that is none of the requestor's concern",
    new Refusal('ERR_KEY_NOT_HERE', 'a secret'),
  ],
] as const)
  test(`${what} tells nothing`, (t) => {
    t.deepEqual(answerRefusal(error), internal as ReturnType<typeof answerRefusal>)
  })
