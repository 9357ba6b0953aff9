import test from 'ava'
import { Refusal } from '../../core/errors.ts'
import { formatRegionKeys } from '../../core/trust/region-keys.ts'
import { makeRegionKeys, mountedAt, regionSecretNames } from '../../store/region-secrets.ts'
import { archipelago } from '../core/trust/example.ts'

const none = new Map()
const seed = /^SA[A-Z2-7]{56}$/

test('each process has a Secret of its own, whose keys no other Secret holds', (t) => {
  const { secrets, keys } = makeRegionKeys(archipelago, 'ams3', none)
  t.deepEqual([...secrets.keys()].toSorted(), regionSecretNames(archipelago).toSorted())
  t.deepEqual(Object.keys(secrets.get('leafnode') ?? {}).toSorted(), [
    'signing.leafnode.nk',
    'user.nk',
  ])
  t.deepEqual(Object.keys(secrets.get('monitor') ?? {}), ['signing.monitor.nk'])
  t.deepEqual(Object.keys(secrets.get('function-lobby') ?? {}).toSorted(), [
    'function.nk',
    'signing.member.nk',
  ])
  const texts = [...secrets.values()].flatMap((data) => Object.values(data))
  t.is(new Set(texts).size, texts.length)
  t.regex(secrets.get('leafnode')?.['signing.leafnode.nk']?.trim() ?? '', seed)
  t.notRegex(formatRegionKeys(keys), /\bS[AOU][A-Z2-7]{56}\b/)
})

test('what the Secrets hold stays to the letter, and a second time nothing is made', (t) => {
  const first = makeRegionKeys(archipelago, 'ams3', none)
  const again = makeRegionKeys(archipelago, 'ams3', first.secrets)
  t.deepEqual(again, first)
})

test('a key that is missing is made, and no other is touched', (t) => {
  const { secrets } = makeRegionKeys(archipelago, 'ams3', none)
  const { 'signing.member.nk': lost, ...rest } = secrets.get('function-lobby') ?? {}
  const held = new Map([...secrets, ['function-lobby', { ...rest, extra: 'of somebody else' }]])
  const again = makeRegionKeys(archipelago, 'ams3', held).secrets
  const lobby = again.get('function-lobby') ?? {}
  t.not(lobby['signing.member.nk'], lost)
  t.like(lobby, { ...rest, extra: 'of somebody else' })
  for (const name of ['leafnode', 'function-invite'])
    t.deepEqual(again.get(name), secrets.get(name))
})

test('a role that gets a door gets a key beside those that are there', (t) => {
  const { secrets } = makeRegionKeys(archipelago, 'ams3', none)
  const roles = archipelago.roles.map((role) =>
    role.name === 'moderator' ? { ...role, doors: ['invite', 'lobby'] as const } : role,
  )
  const again = makeRegionKeys({ ...archipelago, roles }, 'ams3', secrets)
  const before = secrets.get('function-lobby') ?? {}
  const lobby = again.secrets.get('function-lobby') ?? {}
  t.like(lobby, before)
  t.deepEqual(Object.keys(lobby).length, Object.keys(before).length + 1)
  t.truthy(again.keys.doors.lobby?.signingKeys['moderator'])
})

test('what is no key where one has to be is refused, and not repeated', (t) => {
  const { secrets } = makeRegionKeys(archipelago, 'ams3', none)
  const leafnode = { ...secrets.get('leafnode'), 'user.nk': 'no seed at all' }
  const error = t.throws(
    () => makeRegionKeys(archipelago, 'ams3', new Map([...secrets, ['leafnode', leafnode]])),
    { instanceOf: Refusal, code: 'ERR_SEED_ILLEGAL' },
  )
  t.notRegex(error.message, /no seed at all/)
})

test('a key of a Secret is mounted where the process looks for it', (t) => {
  t.is(mountedAt('signing.member.nk'), 'signing/member.nk')
  t.is(mountedAt('signing.member.next.nk'), 'signing/member.next.nk')
  t.is(mountedAt('function.nk'), 'function.nk')
})
