// `npm run invoke`: request and answer in one process, with the keys of a region's home on disk.
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { formatInviteFile } from '../../../core/access/invite-file.ts'
import { parseArchipelago } from '../../../core/archipelago.ts'
import { verifyChain } from '../../../core/trust/chain.ts'
import { parseCreds } from '../../../core/trust/creds.ts'
import { signTicket } from '../../../core/trust/invite.ts'
import { bootstrapAll } from '../../../store/bootstrap.ts'
import { openFiles } from '../../../store/files.ts'
import { homesOf } from '../../../store/homes.ts'
import { makeNkeyPair } from '../../../store/key-file.ts'
import { operatorSigner } from '../../../store/operator.ts'

const archipelagoFile = fileURLToPath(new URL('../../../archipelago.yaml', import.meta.url))
const script = fileURLToPath(new URL('../../../functions/triggers/command.ts', import.meta.url))
const nowSeconds = Math.floor(Date.now() / 1000)
const folder = mkdtempSync(join(tmpdir(), 'archipelago-'))
const data = join(folder, 'data')
const archipelago = parseArchipelago(readFileSync(archipelagoFile, 'utf8'), archipelagoFile)
const home = bootstrapAll({ files: openFiles(), homes: homesOf(data), archipelago, nowSeconds })
test.after.always(() => rmSync(folder, { recursive: true }))

interface Run {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function invoke(...args: string[]): Promise<Run> {
  const all = [script, '--archipelago', archipelagoFile, '--data-dir', data, ...args]
  return new Promise((resolve) => {
    execFile(process.execPath, all, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr })
    })
  })
}

function scopeOf(creds: string): string {
  const { user } = parseCreds(creds)
  const account = home.accounts.find(({ claims }) => claims.sub === user.claims.nats.issuer_account)
  const jwts = { userJwt: user.text, accountJwt: account?.text ?? '' }
  return verifyChain(jwts, { operator: home.operator, nowSeconds }).scope.role
}

test('prints a creds file that leads to the operator, and one audit line beside it', async (t) => {
  const { code, stdout, stderr } = await invoke('provision-credentials', '--name', 'alice')
  t.is(code, 0, stderr)
  t.is(scopeOf(stdout), 'member.lobby.ams3')
  t.is(parseCreds(stdout).user.claims.name, 'alice')
  const line = JSON.parse(stderr) as Record<string, unknown>
  t.like(line, { verdict: 'granted', rule: 'lobby', caller: { trigger: 'command' } })
  t.false(stderr.includes(parseCreds(stdout).pair.seed))
})

test('signs with the keys of the region that is named, and writes the file for its owner', async (t) => {
  const out = join(folder, 'alice.creds')
  const { code, stdout } = await invoke(
    ...['provision-credentials', '--name', 'alice', '--region', 'sgp1', '--out', out, '--json'],
  )
  t.is(code, 0)
  const said = { name: 'alice', role: 'member', region: 'sgp1', door: 'lobby', file: out }
  t.deepEqual(JSON.parse(stdout), said)
  t.is(scopeOf(readFileSync(out, 'utf8')), 'member.lobby.sgp1')
  t.is(statSync(out).mode & 0o777, 0o600)
})

test('with an invite it comes through that door', async (t) => {
  const key = makeNkeyPair('user')
  const ticket = signTicket(operatorSigner(home.store, home.operator), {
    ...{ key: key.publicKey, role: 'moderator', name: 'alice', nowSeconds },
    expiresAtSeconds: nowSeconds + 600,
  })
  const file = join(folder, 'alice.invite.json')
  writeFileSync(file, formatInviteFile('archipelago', { ticket, key }))
  const { stdout, code } = await invoke(
    ...['provision-credentials', '--name', 'alice', '--role', 'moderator', '--invite', file],
  )
  t.is(code, 0)
  t.is(scopeOf(stdout), 'moderator.invite.ams3')
})

for (const [what, args, line, hint] of [
  ['a bad name', ['--name', 'a*'], "invoke: ERR_NAME_ILLEGAL: illegal name: 'a*'", undefined],
  [
    'an unknown role',
    ['--name', 'a', '--role', 'king'],
    "invoke: ERR_ROLE_UNKNOWN: unknown role: 'king'",
    'do: name a role of archipelago.yaml with --role',
  ],
  [
    'a role that needs an invite',
    ['--name', 'a', '--role', 'moderator'],
    'invoke: ERR_INVITE_MISSING: no invite: ticket and ticketSignature are needed here',
    'do: make one with npx node scripts/issue-invite.ts, and come with --invite',
  ],
  [
    'an unknown region',
    ['--name', 'a', '--region', 'lon1'],
    "invoke: ERR_REGION_UNKNOWN: unknown region: 'lon1' (ams3, sfo2, sgp1)",
    undefined,
  ],
] as const)
  test(`says what is wrong with ${what}, and what to do`, async (t) => {
    const out = join(folder, `never-${what}`)
    const run = await invoke('provision-credentials', ...args, '--out', out)
    t.is(run.code, 1)
    t.is(run.stdout, '')
    const lines = run.stderr.split('\n')
    t.true(lines.includes(line), run.stderr)
    if (hint !== undefined) t.true(lines.includes(hint), run.stderr)
    t.false(existsSync(out))
  })

test('names the functions that there are', async (t) => {
  const { code, stderr } = await invoke('provision', '--name', 'a')
  t.is(code, 1)
  t.regex(
    stderr,
    /'provision' is invalid .* Allowed choices are provision-credentials, exchange-token\./,
  )
})

test('says how to make the trust where there is none', async (t) => {
  const missing = join(folder, 'missing')
  const run = await invoke('provision-credentials', '--name', 'a', '--data-dir', missing)
  t.is(run.code, 1)
  const [what, todo] = run.stderr.split('\n')
  t.is(what, `invoke: ERR_STORE_UNREADABLE: no operator JWT at ${missing}/public/operator.jwt`)
  t.regex(todo ?? '', /^do: make the trust with npx node scripts\/bootstrap-trust\.ts or npm start/)
})
