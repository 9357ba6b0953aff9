import { spawn } from 'node:child_process'
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import type { AccountBody } from '../../core/trust/account.ts'
import { decodeJwt } from '../../core/trust/jwt.ts'
import { parseFunctionEnvironment } from '../../functions/provisioning/environment.ts'
import { startFunction } from '../../functions/provisioning/start-function.ts'
import { connectWithCreds } from '../../nats/connect.ts'
import { startRenewing } from '../../nats/renew.ts'
import { renewCredential } from '../../requestor/renew-credential.ts'
import { awaitSwitched } from '../../scripts/rotation/await-switched.ts'
import { functionHome, regionHome } from '../../store/homes.ts'
import { publicFiles } from '../../store/public.ts'
import {
  currentKey,
  listRegionKeys,
  readRotation,
  switchKey,
  type Rotation,
} from '../../store/rotation.ts'
import { environmentOf } from '../functions/in-process.ts'
import { runScript } from '../run-script.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { serversOf, startTestNetwork, type TestNetwork } from '../test-network.ts'

let network: TestNetwork
test.before(async () => {
  network = await startTestNetwork((yaml) =>
    yaml.replaceAll(/lifetime: (1h|15m)/g, 'lifetime: 10s'),
  )
})
test.after.always(() => network?.[Symbol.asyncDispose]())

const where = () => ['--archipelago', network.archipelagoFile, '--data-dir', network.homes.data]
const rotate = (...args: string[]) => runScript('rotate-signing-key', [...where(), ...args])

const keysOf = (account: string, scope: string): string[] => {
  const text = readFileSync(publicFiles.account(network.homes.public, account), 'utf8')
  const { signing_keys: keys } = decodeJwt<AccountBody>('account', text).claims.nats
  return keys.filter(({ role }) => role === scope).map(({ key }) => key)
}

/** Asks, connects and publishes in a region again and again, until disposed; then counts. */
function askOn(region: string) {
  const issuers = new Set<string>()
  const seen = { issuers, asked: 0 }
  let isOver = false
  const asking = (async () => {
    while (!isOver) {
      const credential = await network.request({ name: 'alice', region })
      // Where a region is slow another one answers, with its own key.
      if (credential.region === region) issuers.add(credential.creds.user.claims.iss)
      await using nc = await network.connect(credential, region)
      nc.publish('chat.KUBECON.posts.General', 'ahoy')
      await nc.flush()
      seen.asked += 1
    }
    return seen
  })()
  return {
    stop: () => {
      isOver = true
      return asking
    },
  }
}

for (const [args, stderr] of [
  [['--region', 'ams4'], /unknown region: 'ams4' \(ams3, sfo2, sgp1\)\ndo: name a region/],
  [['--region', 'ams3', '--role', 'captain'], /no key of this role and door in ams3\ndo: name a/],
] as const)
  test.serial(`${args.join(' ')} is refused and begins nothing`, async (t) => {
    const refused = await rotate(...args)
    t.is(refused.code, 1)
    t.regex(refused.stderr, stderr)
    t.false(existsSync(journal('ams3')))
  })

test.serial('a dry run says which keys would be replaced, and begins nothing', async (t) => {
  const { code, stdout } = await rotate('--region', 'ams3', '--dry-run')
  t.is(code, 0)
  t.is(
    stdout,
    'would begin at its step make: leafnode.ams3, member.lobby.ams3, moderator.invite.ams3, announcer.identity.ams3\n' +
      'old credentials live for 10s at most\n',
  )
  t.false(existsSync(journal('ams3')))
})

test.serial(
  'a replica that does not switch is named, and the rotation goes on without it',
  async (t) => {
    const [folder, door] = [temporaryFolder(t), functionHome(network.homes, 'sfo2', 'invite')]
    cpSync(door, folder, { recursive: true })
    const { https: _, ...told } = parseFunctionEnvironment(environmentOf(network, 'sfo2-invite'))
    const stale = await startFunction(
      { ...told, folders: { ...told.folders, keysFolder: folder } },
      { report: () => {}, writeAudit: () => {} },
    )
    await stale.health.ready
    await using access = await network.connectAs('access-operator')
    await killAfter(/^every server takes/, [...where(), '--region', 'sfo2', '--role', 'moderator'])
    const rotation = readRotation(network.archipelago, network.homes, 'sfo2')
    const [key] = rotation?.keys ?? []
    if (rotation === undefined || key === undefined) return t.fail('nothing is rotating')
    switchKey(key)
    const place = { ...network, data: network.homes.data }
    const error = await t.throwsAsync(
      awaitSwitched(rotation, { place, access }, { deadlineMs: 3_000 }),
      {
        code: 'ERR_DEADLINE',
      },
    )
    t.is(
      error?.message,
      'not every function has switched in 3000 ms: ' +
        `moderator.invite.sfo2: ${hostname()}:${process.pid} signs with ${key.old}`,
    )
    await stale[Symbol.asyncDispose]()
    const { code, stdout, stderr } = await rotate('--region', 'sfo2')
    t.is(code, 0, stderr)
    t.regex(stdout, /^going on with the rotation of moderator\.invite\.sfo2 at its step switch$/m)
  },
)

test.serial('a door where no function answers has not switched', async (t) => {
  await using access = await network.connectAs('access-operator')
  const keys = listRegionKeys(network.archipelago, network.homes, 'ams3')
    .filter(({ role }) => role === 'member')
    .map((key) => ({ ...key, old: currentKey(key) }))
  const rotation: Rotation = { region: 'nowhere', step: 'switch', keys }
  const place = { ...network, data: network.homes.data }
  await t.throwsAsync(awaitSwitched(rotation, { place, access }, { deadlineMs: 0 }), {
    code: 'ERR_DEADLINE',
    message: 'not every function has switched in 0 ms: member.lobby.ams3: no function answers',
  })
})

// The three at the same time, each in its region: they share the accounts.
test('a key is replaced while requests and renewals go on, and none fails', async (t) => {
  const [before, others] = [
    keysOf('KUBECON', 'member.lobby.ams3'),
    keysOf('KUBECON', 'moderator.invite.ams3'),
  ]
  const credential = await network.request({ region: 'ams3' })
  await using member = await startRenewing({
    credential,
    connect: (current) => {
      const servers = serversOf(network.network, 'ams3')
      return connectWithCreds({ servers, ca: network.network.file.ca, name: 'test' }, current)
    },
    renew: (current, nc) => renewCredential(nc, { network: network.network, current }),
  })
  const asking = askOn('ams3')
  const { code, stdout, stderr } = await rotate('--region', 'ams3', '--role', 'member')
  const { issuers, asked } = await asking.stop()
  t.is(code, 0, stderr)
  t.regex(stdout, /^connections with the old keys: [1-9]\d*; until \d{4}/m)
  const after = keysOf('KUBECON', 'member.lobby.ams3')
  t.is(after.length, 1)
  t.notDeepEqual(after, before)
  t.deepEqual(keysOf('KUBECON', 'moderator.invite.ams3'), others)
  t.deepEqual(issuers, new Set([...before, ...after]))
  t.true(asked > 20, `${asked} requests`)
  t.deepEqual([member.credential.creds.user.claims.iss], after)
  t.false(member.ended.aborted)
  await member.flush()
})

test("all of a region's keys are replaced, its leafnode's too, and no request fails", async (t) => {
  const read = () => [
    ...keysOf('ACCESS', 'leafnode.sfo2'),
    ...keysOf('KUBECON', 'member.lobby.sfo2'),
    ...keysOf('KUBECON', 'moderator.invite.sfo2'),
    ...keysOf('KUBECON', 'announcer.identity.sfo2'),
  ]
  const before = read()
  const asking = askOn('sfo2')
  const { code, stdout, stderr } = await rotate('--region', 'sfo2', '--json')
  t.is(code, 0, stderr)
  t.true((await asking.stop()).asked > 20)
  const after = read()
  t.is(after.length, 4)
  t.false(after.some((key) => before.includes(key)))
  const replaced = JSON.parse(stdout) as { key: string; replaced: string }[]
  t.deepEqual(
    replaced.map(({ key, replaced }) => [key, replaced]),
    after.map((key, at) => [key, before[at]]),
  )
  const { region } = await network.request({ region: 'sfo2' })
  t.is(region, 'sfo2')
})

test('killed after any step, it goes on where it was', async (t) => {
  const before = keysOf('KUBECON', 'moderator.invite.sgp1')
  const args = [...where(), '--region', 'sgp1', '--role', 'moderator']
  for (const [line, next] of [
    [/^made the next keys/, 'publish'],
    [/^every server takes/, 'switch'],
    [/^every function signs/, 'drain'],
    [/^the old keys are not needed/, 'remove'],
  ] as const) {
    await killAfter(line, args)
    t.is(readStep('sgp1'), next)
  }
  const { code, stdout, stderr } = await runScript('rotate-signing-key', args)
  t.is(code, 0, stderr)
  t.regex(stdout, /^going on with the rotation of moderator\.invite\.sgp1 at its step remove$/m)
  const after = keysOf('KUBECON', 'moderator.invite.sgp1')
  t.is(after.length, 1)
  t.notDeepEqual(after, before)
  t.false(existsSync(journal('sgp1')))
})

test.after('then bootstrap-trust finds nothing to change', async (t) => {
  const { stdout } = await runScript('bootstrap-trust', where())
  t.regex(stdout, /^nothing to change$/m)
})

const journal = (region: string) => join(regionHome(network.homes, region), 'rotation.json')
const readStep = (region: string): unknown =>
  (JSON.parse(readFileSync(journal(region), 'utf8')) as { step: unknown }).step

async function killAfter(line: RegExp, args: readonly string[]): Promise<void> {
  const script = fileURLToPath(new URL('../../scripts/rotate-signing-key.ts', import.meta.url))
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  for await (const text of createInterface({ input: child.stdout })) {
    if (!line.test(text)) continue
    child.kill('SIGKILL')
    break
  }
  await ended
}
