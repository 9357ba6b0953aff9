import test from 'ava'
import { signAccount, type AccountJwt } from '../../../core/trust/account.ts'
import { parseCarried, requireForwardTrust, requireOperator } from '../../../core/trust/carried.ts'
import { signDenyList } from '../../../core/trust/deny-list.ts'
import type { Nkey } from '../../../core/trust/nkey.ts'
import { signOperator } from '../../../core/trust/operator.ts'
import { accounts, nowSeconds, operator, pairOf, signer, stranger } from './example.ts'

const key = pairOf('user', 'thief').publicKey
const subject = operator.claims.sub as Nkey<'operator'>
const lists = {
  empty: signDenyList(signer, { operator: subject, previous: undefined, added: {}, nowSeconds }),
}
const denying = signDenyList(signer, {
  ...{ operator: subject, previous: lists.empty, nowSeconds: nowSeconds + 1 },
  added: { nkeys: [key] },
})

const kubecon = accounts.find(({ claims }) => claims.name === 'KUBECON') as AccountJwt

/** The account again, later, with these revocations. */
function later(revocations: Record<string, number>, seconds = 1): AccountJwt {
  const { name = '', sub, nats } = kubecon.claims
  const declared = { name, publicKey: sub as Nkey<'account'>, body: { ...nats, revocations } }
  return signAccount(signer, declared, { nowSeconds: nowSeconds + seconds, previous: undefined })
}

const carried = (account = kubecon, denyList = lists.empty) => {
  const found = parseCarried({
    'operator.jwt': operator.text,
    'deny-list.jwt': denyList.text,
    'accounts.KUBECON.jwt': account.text,
    'archipelago.lobby.json': '{}',
  })
  if (found === undefined) throw new RangeError('no trust')
  return found
}

test('as cloned there is no trust, and anything is forward from there', (t) => {
  t.is(parseCarried({}), undefined)
  t.notThrows(() => requireForwardTrust(undefined, carried()))
})

test('the same again, and what was signed later, is forward', (t) => {
  t.notThrows(() => requireForwardTrust(carried(), carried()))
  t.notThrows(() => requireForwardTrust(carried(), carried(later({ [key]: 1 }), denying)))
})

for (const [title, before, after, message] of [
  [
    'an older account',
    carried(later({}, 5)),
    carried(),
    /^account KUBECON would go back: issued at/,
  ],
  [
    'another account of the same second',
    carried(later({}, 5)),
    carried(later({ [key]: 1 }, 5)),
    /^account KUBECON would go back/,
  ],
  [
    'a lost revocation',
    carried(later({ [key]: 1 })),
    carried(later({}, 2)),
    /^revocation of U\w+ in account KUBECON would be lost$/,
  ],
] as const)
  test(`refuses ${title}`, (t) => {
    const code = 'ERR_MANIFEST_OLDER'
    t.regex(t.throws(() => requireForwardTrust(before, after), { code })?.message ?? '', message)
  })

test('a revocation may leave the account when the deny list still has its key', (t) => {
  const before = carried(later({ [key]: 1 }), denying)
  t.notThrows(() => requireForwardTrust(before, carried(later({}, 2), denying)))
})

test('refuses an older deny list', (t) => {
  const back = () => requireForwardTrust(carried(kubecon, denying), carried())
  t.throws(back, { code: 'ERR_DENY_LIST_OLDER' })
})

test("refuses another operator's trust, and an account that its operator did not sign", (t) => {
  const other = signOperator(stranger, {
    ...{ name: 'archipelago', signingKeys: [signer.publicKey], nowSeconds },
    systemAccount: pairOf('account', 'SYS').publicKey,
  })
  const found = parseCarried({ 'operator.jwt': other.text })
  if (found === undefined) throw new RangeError('no trust')
  t.throws(() => requireForwardTrust(carried(), found), { code: 'ERR_OPERATOR_OTHER' })
  t.throws(() => requireOperator(operator.claims.sub, found), { code: 'ERR_OPERATOR_OTHER' })
  t.throws(() => parseCarried({ 'accounts.KUBECON.jwt': kubecon.text }), {
    code: 'ERR_CHAIN_BROKEN',
  })
  const foreign = signOperator(stranger, {
    ...{ name: 'archipelago', signingKeys: [stranger.publicKey], nowSeconds },
    systemAccount: pairOf('account', 'SYS').publicKey,
  })
  const planted = { 'operator.jwt': foreign.text, 'accounts.KUBECON.jwt': kubecon.text }
  t.throws(() => parseCarried(planted), { code: 'ERR_ACCOUNT_FOREIGN' })
})
