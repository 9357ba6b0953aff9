import test from 'ava'
import { permissionProblem } from '../../../core/archipelago/permission.ts'

for (const direction of ['publish', 'subscribe'] as const) {
  for (const subject of [
    'chat.KUBECON.>',
    'chat.KUBECON.posts.*',
    'chat.KUBECON.dms.{{subject()}}',
    'chat.{{subject()}}.>',
    'orders.*.posts',
    'chat.requests.>',
    'chat.req',
    'orders.>',
    'SYS.REQ',
  ]) {
    test(`a role may ${direction} ${subject}`, (t) => {
      t.is(permissionProblem(direction, subject), undefined)
    })
  }

  for (const [subject, rule] of [
    ['', 'illegal subject (tokens between dots, * for one, > at the end)'],
    ['a..b', 'illegal subject (tokens between dots, * for one, > at the end)'],
    ['a b', 'illegal subject (tokens between dots, * for one, > at the end)'],
    ['a.>.b', 'illegal subject (tokens between dots, * for one, > at the end)'],
    ['>', 'a wildcard may not be the first token'],
    ['*', 'a wildcard may not be the first token'],
    ['*.req.access', 'a wildcard may not be the first token'],
    ['$SYS.REQ.>', 'subjects that begin with $ or _ belong to NATS'],
    ['$JS.API.>', 'subjects that begin with $ or _ belong to NATS'],
    ['$SRV.PING', 'subjects that begin with $ or _ belong to NATS'],
    ['_INBOX.>', 'subjects that begin with $ or _ belong to NATS'],
    ['_INBOX_x.>', 'subjects that begin with $ or _ belong to NATS'],
    ['_R_.>', 'subjects that begin with $ or _ belong to NATS'],
    ['_GR_.>', 'subjects that begin with $ or _ belong to NATS'],
    ['chat.>', 'permissions under chat.req are added by the software'],
    ['chat.req.>', 'permissions under chat.req are added by the software'],
    ['chat.req.access', 'permissions under chat.req are added by the software'],
    ['chat.*.access', 'permissions under chat.req are added by the software'],
    ['chat.*.*', 'permissions under chat.req are added by the software'],
    ['chat.*.>', 'permissions under chat.req are added by the software'],
    ['chat.req.renew.lobby.ams3', 'permissions under chat.req are added by the software'],
  ] as const) {
    test(`no role may ${direction} '${subject}'`, (t) => {
      const problem = permissionProblem(direction, subject) ?? ''
      t.true(problem.startsWith(rule), problem)
      t.true(problem.endsWith(`: '${subject}'`), problem)
    })
  }

  for (const subject of [
    'chat.{{name()}}',
    'chat.{{tag(team)}}.>',
    'chat.{{account-name()}}',
    'chat.{{account-tag(a)}}',
    'chat.{{account-subject()}}',
    'chat.{{SUBJECT()}}',
    'chat.{{ subject() }}',
    'chat.{{subject()',
    'chat.subject()}}',
    'chat.dm-{{subject()}}',
    'chat.{{subject()}}-dm',
    'chat.{{subject()}}{{name()}}',
    'chat.{{na.me()}}',
  ]) {
    test(`no role may ${direction} by the template ${subject}`, (t) => {
      t.is(
        permissionProblem(direction, subject),
        `only {{subject()}} is safe, as a whole token: names and tags are chosen by whoever holds the signing key: '${subject}'`,
      )
    })
  }
}

test('a role may publish to chat.*, which has two tokens', (t) => {
  t.is(permissionProblem('publish', 'chat.*'), undefined)
})

test('no role may subscribe to chat.*, for on nats-server that opens chat.>', (t) => {
  t.is(
    permissionProblem('subscribe', 'chat.*'),
    "permissions under chat.req are added by the software (nats-server lets its subscribers take chat.>): 'chat.*'",
  )
})

test('no role may subscribe to chat.req.*, nor to chat.*.*', (t) => {
  t.regex(permissionProblem('subscribe', 'chat.req.*') ?? '', /added by the software/)
  t.regex(permissionProblem('subscribe', 'chat.*.*') ?? '', /added by the software/)
})
