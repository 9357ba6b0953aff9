import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import test from 'ava'
import { openFiles } from '../../store/files.ts'
import { readKey, requireKey } from '../../store/key-file.ts'
import { bootstrapRegion } from '../../store/region.ts'
import { publishRegion } from '../../store/publish-region.ts'
import {
  beginRotation,
  currentKey,
  dropOldKey,
  endRotation,
  listRegionKeys,
  makeNextKey,
  readRotation,
  stepAfter,
  switchKey,
  writeRotation,
  type RotatingKey,
  type Rotation,
} from '../../store/rotation.ts'
import { archipelago, nowSeconds, pairOf, regionKeysOf } from '../core/trust/example.ts'
import { makeHomes, type TestHomes } from './home.ts'

const region = 'ams3'
const scope = 'member.lobby.ams3'

function begin({ homes }: TestHomes): { rotation: Rotation; key: RotatingKey } {
  const keys = listRegionKeys(archipelago, homes, region).filter((key) => key.scope === scope)
  const rotation = beginRotation(homes, region, keys)
  return { rotation, key: rotation.keys[0] as RotatingKey }
}
const nextOf = ({ files: { next } }: RotatingKey) =>
  requireKey(openFiles(), 'account', next).publicKey
const publish = ({ options }: TestHomes) =>
  publishRegion({ ...options, files: openFiles(), nowSeconds: nowSeconds + 1 }, region)
const published = (homes: TestHomes) =>
  publish(homes)
    .flatMap(({ claims }) => claims.nats.signing_keys)
    .filter(({ role }) => role === scope)
    .map(({ key }) => key)

test("a region's keys are those of its roles and of its leafnode, with the longest lives of what they sign", (t) => {
  const { homes } = makeHomes(t)
  t.deepEqual(
    listRegionKeys(archipelago, homes, region).map(({ scope, account, lifetimeSeconds }) => [
      scope,
      account,
      lifetimeSeconds,
    ]),
    [
      ['leafnode.ams3', 'ACCESS', 86_400],
      ['member.lobby.ams3', 'KUBECON', 3600],
      ['moderator.invite.ams3', 'KUBECON', 900],
    ],
  )
})

test('a key goes its way: made, published, current, removed', (t) => {
  const homes = makeHomes(t)
  homes.bootstrap()
  const { key } = begin(homes)
  t.deepEqual(published(homes), [key.old])
  makeNextKey(key)
  const next = nextOf(key)
  t.is(currentKey(key), key.old)
  t.deepEqual(published(homes), [key.old, next].toSorted())
  switchKey(key)
  t.is(currentKey(key), next)
  t.deepEqual(published(homes), [key.old, next].toSorted())
  dropOldKey(key)
  t.deepEqual(published(homes), [next])
  t.deepEqual(readdirSync(dirname(key.files.current)), ['member.nk'])
})

test('the switch changes nothing of what is published: no server has to hear of it', (t) => {
  const homes = makeHomes(t)
  homes.bootstrap()
  const { key } = begin(homes)
  makeNextKey(key)
  const before = publish(homes).map(({ text }) => text)
  switchKey(key)
  t.deepEqual(
    publish(homes).map(({ text }) => text),
    before,
  )
})

test('every step may be done twice', (t) => {
  const homes = makeHomes(t)
  homes.bootstrap()
  const { key } = begin(homes)
  makeNextKey(key)
  makeNextKey(key)
  const next = nextOf(key)
  switchKey(key)
  switchKey(key)
  t.is(currentKey(key), next)
  t.is(readKey(openFiles(), 'account', key.files.previous)?.publicKey, key.old)
  dropOldKey(key)
  dropOldKey(key)
  t.false(existsSync(key.files.previous))
})

test('a switch that was cut off after the old key was put aside is finished', (t) => {
  const homes = makeHomes(t)
  homes.bootstrap()
  const { key } = begin(homes)
  makeNextKey(key)
  const seed = openFiles().read(key.files.current) ?? ''
  writeFileSync(key.files.previous, seed, { mode: 0o600 })
  t.is(published(homes).length, 2)
  switchKey(key)
  t.not(currentKey(key), key.old)
})

test('a next key that got lost is noticed before anything is removed', (t) => {
  const homes = makeHomes(t)
  homes.bootstrap()
  const { key } = begin(homes)
  makeNextKey(key)
  rmSync(key.files.next)
  t.throws(() => switchKey(key), {
    code: 'ERR_KEY_NOT_HERE',
    message: `the next key of ${scope} is gone: ${key.files.current}`,
  })
})

test('the journal says what is next, survives, and holds no secret', (t) => {
  const { homes, ...rest } = makeHomes(t)
  rest.bootstrap()
  const { rotation } = begin({ homes, ...rest })
  t.deepEqual(readRotation(archipelago, homes, region), rotation)
  const switched: Rotation = { ...rotation, step: 'drain', switchedAtMs: 1_790_000_000_000 }
  writeRotation(homes, switched)
  t.deepEqual(readRotation(archipelago, homes, region), switched)
  t.is(readRotation(archipelago, homes, 'sfo2'), undefined)
  endRotation(homes, region)
  t.is(readRotation(archipelago, homes, region), undefined)
})

test('the steps come in their order', (t) => {
  t.deepEqual((['make', 'publish', 'switch', 'drain', 'remove'] as const).map(stepAfter), [
    'publish',
    'switch',
    'drain',
    'remove',
    'done',
  ])
})

test('where the operator is elsewhere, keys wait until he has published them', (t) => {
  const homes = makeHomes(t)
  homes.bootstrap({ homes: [region] })
  const operator = makeHomes(t)
  const adopt = () => {
    const keys = bootstrapRegion({ ...homes.options, files: openFiles() }, region)
    const adopted = [keys, regionKeysOf('sfo2'), regionKeysOf('sgp1')]
    operator.bootstrap({ homes: ['operator'], adopted }, { files: openFiles() })
    const { operator: home } = operator.bootstrap({}, { files: openFiles() })
    for (const { claims, text } of home?.accounts ?? [])
      openFiles().write(`${homes.homes.public}/accounts/${claims.name}.jwt`, text)
    openFiles().write(`${homes.homes.public}/operator.jwt`, home?.operator.text ?? '')
    openFiles().write(`${homes.homes.public}/deny-list.jwt`, home?.denyList.text ?? '')
  }
  adopt()
  const { key } = begin(homes)
  makeNextKey(key)
  t.throws(() => publish(homes), {
    code: 'ERR_KEY_UNPUBLISHED',
    message: `the operator has not published the keys of ${scope}`,
  })
  adopt()
  t.is(published(homes).length, 2)
  t.false(published(homes).includes(pairOf('account', scope).publicKey))
})
