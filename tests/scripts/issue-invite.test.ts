import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { parseInviteFile } from '../../core/access/invite-file.ts'
import { nowSeconds } from '../../scripts/command.ts'
import { good } from '../core/archipelago/example.ts'
import { runScript } from '../run-script.ts'
import { makeHomes, requireOperator } from '../store/home.ts'

function makePlace(t: Parameters<typeof makeHomes>[0]) {
  const { data, bootstrap } = makeHomes(t)
  const { operator } = requireOperator(bootstrap())
  const folder = join(data, '..')
  writeFileSync(join(folder, 'archipelago.yaml'), good)
  const file = join(folder, 'carol.invite.json')
  const invite = (...args: string[]) =>
    runScript('issue-invite', ['--data-dir', data, '--out', file, ...args], { cwd: folder })
  return { operator, file, invite }
}
const carol = ['--role', 'moderator', '--name', 'carol']

test.serial(
  'an invite is a file that only its owner may read, good for as long as was said',
  async (t) => {
    const { operator, file, invite } = makePlace(t)
    const { code, stdout, stderr } = await invite(...carol, '--ttl', '48h', '--json')
    t.is(code, 0, stderr)
    t.is(statSync(file).mode & 0o777, 0o600)
    const { ticket, key } = parseInviteFile(readFileSync(file, 'utf8'), {
      operator,
      nowSeconds: nowSeconds(),
    })
    const { iat, exp = 0, jti } = ticket.claims
    t.is(exp - iat, 48 * 3600)
    t.like(JSON.parse(stdout), { file, ticket: jti, key: key.publicKey, role: 'moderator' })
    t.false(stdout.includes(key.seed))
  },
)

for (const [what, args, stderr] of [
  [
    'a role without that door',
    ['--role', 'member', '--name', 'carol'],
    'issue-invite: role member has no door for invites\n' +
      'do: take a role whose doors in archipelago.yaml include invite\n',
  ],
  ['an illegal time', [...carol, '--ttl', 'soon'], "issue-invite: illegal duration: 'soon'\n"],
] as const)
  test.serial(`an invite to ${what} is refused, and writes nothing`, async (t) => {
    const { file, invite } = makePlace(t)
    const refused = await invite(...args)
    t.is(refused.code, 1)
    t.is(refused.stderr, stderr)
    t.false(existsSync(file))
  })
