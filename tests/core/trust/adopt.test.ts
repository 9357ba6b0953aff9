import test from 'ava'
import { requireUnclaimed } from '../../../core/trust/adopt.ts'
import type { RegionKeys } from '../../../core/trust/region-keys.ts'
import { accounts, pairOf, regionKeysOf } from './example.ts'

const ams3 = regionKeysOf('ams3')
const others = [regionKeysOf('sfo2'), regionKeysOf('sgp1')]
const key = (name: string) => pairOf('account', name).publicKey

const withMember = (...member: RegionKeys['leafnode']): RegionKeys => ({
  ...ams3,
  doors: { lobby: { nkey: pairOf('user', 'lobby.ams3').publicKey, signingKeys: { member } } },
})

for (const [what, keys] of [
  ['the keys that are published already', ams3],
  ['new keys in their place', withMember(key('fresh'))],
  ['two keys while one is replaced', withMember(key('member.lobby.ams3'), key('fresh'))],
] as const)
  test(`${what} are adopted`, (t) => {
    t.notThrows(() => requireUnclaimed(keys, { regions: others, accounts }))
  })

const { publicKey: leafnodeUser } = pairOf('user', 'lobby.sfo2')
const taken: [what: string, keys: RegionKeys, place: string, of: string, key: string][] = [
  [
    "another region's signing key",
    withMember(key('member.lobby.sfo2')),
    'member.lobby.ams3',
    'member.lobby.sfo2',
    key('member.lobby.sfo2'),
  ],
  [
    "another role's signing key",
    withMember(key('moderator.invite.ams3')),
    'member.lobby.ams3',
    'moderator.invite.ams3',
    key('moderator.invite.ams3'),
  ],
  [
    "the operator's pusher",
    withMember(key('pusher')),
    'member.lobby.ams3',
    'pusher',
    key('pusher'),
  ],
  [
    'the identity of an account',
    withMember(key('KUBECON')),
    'member.lobby.ams3',
    'account KUBECON',
    key('KUBECON'),
  ],
  [
    'a key twice in the file',
    { ...withMember(key('fresh')), leafnode: [key('fresh')] },
    'member.lobby.ams3',
    'leafnode.ams3',
    key('fresh'),
  ],
  [
    "another region's function",
    { ...ams3, leafnodeUser },
    'leafnode user of ams3',
    'function lobby of sfo2',
    leafnodeUser,
  ],
]
for (const [what, keys, place, of, key] of taken)
  test(`${what} is not adopted`, (t) => {
    t.throws(() => requireUnclaimed(keys, { regions: others, accounts }), {
      code: 'ERR_REGION_KEYS_TAKEN',
      message: `region ams3: key of ${place} is already that of ${of}: ${key}`,
    })
  })
