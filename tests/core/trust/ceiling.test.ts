import test from 'ava'
import { parseArchipelago } from '../../../core/archipelago.ts'
import type { FunctionDoor } from '../../../core/network/access-subject.ts'
import type { PermissionTemplate } from '../../../core/trust/account.ts'
import {
  leafnodeCeiling,
  legacyRequestorCeiling,
  monitorCeiling,
  roleCeiling,
} from '../../../core/trust/ceiling.ts'
import { serviceUsers } from '../../../core/trust/declare.ts'
import { edited, file } from '../archipelago/example.ts'
import { accounts, archipelago } from './example.ts'

const scopes = accounts.flatMap(({ claims }) => claims.nats.signing_keys)
const subjectsOf = ({ pub, sub }: PermissionTemplate) =>
  [pub.allow, pub.deny, sub.allow, sub.deny].flatMap((subjects) => subjects ?? [])

for (const { role, template } of scopes) {
  test(`${role} is closed: both lists say what they allow, and no bare wildcard does`, (t) => {
    for (const { allow = [], deny = [] } of [template.pub, template.sub])
      t.true(deny.includes('>') || (allow.length > 0 && !allow.some((each) => /^[*>]/.test(each))))
  })

  test(`${role} has no template operation but {{subject()}}: others are chosen by a thief`, (t) => {
    const operations = subjectsOf(template).flatMap(
      (subject) => subject.match(/\{\{.*?\}\}/g) ?? [],
    )
    t.deepEqual(new Set(operations), new Set(operations.length > 0 ? ['{{subject()}}'] : []))
  })

  test(`${role} says by what connections one may come, and allows no responses`, (t) => {
    t.true(template.allowed_connection_types.length > 0)
    t.false('resp' in template)
    t.is(template.allowed_connection_types.includes('LEAFNODE'), role.startsWith('leafnode.'))
  })
}

for (const { role, template } of scopes.filter(({ role }) => /^(member|moderator)\./.test(role)))
  test(`${role} hears an inbox of its own, and renews at its own door only`, (t) => {
    const door = role.split('.')[1] as string
    const inboxes = (template.sub.allow ?? []).filter((subject) => subject.startsWith('_INBOX'))
    t.deepEqual(inboxes, ['_INBOX.{{subject()}}.>'])
    const asked = (template.pub.allow ?? []).filter((subject) => subject.startsWith('chat.req'))
    t.deepEqual(asked, [`chat.req.renew.${door}`, `chat.req.renew.${door}.*`])
  })

test('workloads connect with a certificate, unless they are outside and can have none', (t) => {
  const [member] = archipelago.roles
  if (member === undefined) return t.fail()
  const typesOf = (outside: boolean, door: FunctionDoor) =>
    roleCeiling({ ...member, outside }, door).allowed_connection_types
  t.deepEqual(typesOf(false, 'identity'), ['WEBSOCKET'])
  t.deepEqual(typesOf(true, 'identity'), ['STANDARD'])
  for (const door of ['lobby', 'invite', 'legacy'] as const)
    t.deepEqual(typesOf(false, door), ['STANDARD'])
})

test('a role at the legacy door knows nothing of renewals', (t) => {
  const [member] = archipelago.roles
  if (member === undefined) return t.fail()
  t.deepEqual(roleCeiling(member, 'legacy').pub.allow, member.publish)
})

test('a role that may publish nothing may really publish nothing', (t) => {
  const [member] = archipelago.roles
  if (member === undefined) return t.fail()
  t.deepEqual(roleCeiling({ ...member, publish: [] }, 'legacy').pub, { deny: ['>'] })
})

test('without a door the lobby may ask for nothing', (t) => {
  const closed = edited('doors: [lobby]', 'doors: []').replace('doors: [invite]', 'doors: []')
  const lobby = serviceUsers.lobby.ceiling(parseArchipelago(closed, file))
  t.deepEqual(lobby.pub, { deny: ['>'] })
})

test('the lobby asks at the open doors, in every region, and at no other', (t) => {
  t.deepEqual(serviceUsers.lobby.ceiling(archipelago).pub.allow, [
    'chat.req.access',
    'chat.req.access.*',
    'chat.req.invite',
    'chat.req.invite.*',
  ])
})

test("the tutorial's requestor knows one subject", (t) => {
  t.deepEqual(legacyRequestorCeiling(archipelago).pub.allow, ['chat.req.access'])
})

test("a leafnode hears its own region's requests, and no other's", (t) => {
  const { sub } = leafnodeCeiling(['lobby'], 'ams3')
  const asked = (sub.allow ?? []).filter((subject) => subject.startsWith('chat.req.'))
  t.deepEqual(asked, [
    'chat.req.access',
    'chat.req.access.ams3',
    'chat.req.renew.lobby',
    'chat.req.renew.lobby.ams3',
  ])
})

test('the observer asks for a list of things, and changes nothing', (t) => {
  const asked = serviceUsers.observer.ceiling().pub.allow ?? []
  t.true(asked.length > 0)
  for (const subject of asked)
    t.regex(subject, /^\$SYS\.REQ\.SERVER\.(PING|\*)\.(IDZ|[A-Z]+Z|HEALTHZ)$/)
  t.false(asked.some((subject) => /PROFILEZ|CLAIMS|KICK|RELOAD|LDM/.test(subject)))
})

test('a monitor asks for figures of servers, all at once, and for nothing else', (t) => {
  t.deepEqual(monitorCeiling.pub, {
    allow: ['$SYS.REQ.SERVER.PING.VARZ', '$SYS.REQ.SERVER.PING.STATSZ'],
  })
  t.deepEqual(monitorCeiling.sub, { allow: ['_INBOX.{{subject()}}.>'] })
})

test('the pusher deletes no account and stops no server', (t) => {
  const asked = serviceUsers.pusher.ceiling().pub.allow ?? []
  t.true(asked.includes('$SYS.REQ.CLAIMS.UPDATE'))
  t.false(asked.some((subject) => /DELETE|LDM|PROFILEZ|>$/.test(subject)))
})
