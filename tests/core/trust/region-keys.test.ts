import test from 'ava'
import { formatRegionKeys, parseRegionKeys } from '../../../core/trust/region-keys.ts'
import { pairOf, regionKeysOf } from './example.ts'

const keys = regionKeysOf('ams3')

test("a region's keys come back, and none of them is a seed", (t) => {
  const text = formatRegionKeys(keys)
  t.deepEqual(parseRegionKeys(text), keys)
  t.notRegex(text, /"S[A-Z2-7]{57}"/)
})

const { publicKey: account } = pairOf('account', 'a')
const { publicKey: user, seed } = pairOf('user', 'a')
const { doors, ...withoutDoors } = keys

for (const [what, value, message] of [
  ['no region', { ...keys, region: undefined }, /^illegal region keys: region: /],
  ['no leafnode key', { ...keys, leafnode: [] }, /^illegal region keys: leafnode: /],
  ['five keys', { ...keys, leafnode: Array(5).fill(account) }, /^illegal region keys: leafnode: /],
  ["a user's key that signs", { ...keys, leafnode: [user] }, /^illegal region keys: leafnode\.0: /],
  [
    'an account as user',
    { ...keys, leafnodeUser: account },
    /^illegal region keys: leafnodeUser: /,
  ],
  ['a seed', { ...keys, leafnodeUser: seed }, /^illegal region keys: leafnodeUser: /],
  ['an unknown field', { ...keys, operator: account }, /^illegal region keys: .*operator/],
  ['no doors', withoutDoors, /^illegal region keys: doors: /],
  ['an unknown door', { ...keys, doors: { ...doors, window: {} } }, /^illegal region keys: doors/],
  [
    'a door without a key',
    { ...keys, doors: { lobby: {} } },
    /^illegal region keys: doors\.lobby\./,
  ],
] as const)
  test(`${what} is refused`, (t) => {
    const error = t.throws(() => parseRegionKeys(JSON.stringify(value)), {
      code: 'ERR_REGION_KEYS_ILLEGAL',
      message,
    })
    t.false(error?.message.includes(seed))
  })

for (const text of ['', '{', 'null', '[]', '"ams3"'])
  test(`${JSON.stringify(text)} is refused`, (t) => {
    t.throws(() => parseRegionKeys(text), {
      code: 'ERR_REGION_KEYS_ILLEGAL',
      message: /^illegal region keys: (not JSON|.*: .*)$/,
    })
  })
