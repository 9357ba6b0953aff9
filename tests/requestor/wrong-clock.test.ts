// Requestors whose clock is ten minutes off ask real functions: they are told both clocks, and ask once.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { makeExchange } from '../../core/access/ask-exchange.ts'
import { formatTokenAudience } from '../../core/access/token-audience.ts'
import type { FunctionDoor } from '../../core/network/access-subject.ts'
import { auditFile } from '../../laptop/functions.ts'
import { ams3Cluster } from '../core/access/token-example.ts'
import { serviceAccountClaims } from '../core/access/token-issuer.ts'
import { makeHolder, nowSeconds } from '../functions/ask.ts'
import { askingOrders, postMutual } from '../functions/exchange.ts'
import { startTokenNetwork } from '../functions/token-network.ts'
import { runScript, type Ran } from '../run-script.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import type { TestNetwork } from '../test-network.ts'

const region = 'ams3'
const minuteMs = 60_000

let network: TestNetwork
test.before(async () => {
  network = await startTokenNetwork()
})
test.after.always(() => network?.[Symbol.asyncDispose]())

/** The clock of a process; TLS has its own, and finds the functions' certificates good. */
const shifted = (shiftMs: number): NodeJS.ProcessEnv => {
  const code = `const now = Date.now; Date.now = () => now() + ${shiftMs}`
  const option = `--import=data:text/javascript,${encodeURIComponent(code)}`
  return { ...process.env, NODE_OPTIONS: option }
}

/** How many requests the functions of a door refused for their time. */
function refusedAt(door: FunctionDoor): number {
  const files = network.archipelago.regions.map(({ name }) => auditFile(network.homes, name, door))
  const lines = files.filter(existsSync).map((file) => readFileSync(file, 'utf8'))
  return lines.join('').match(/ERR_PROOF_STALE/g)?.length ?? 0
}

/** Both times, and how far they are apart. */
function requireBothClocks(t: ExecutionContext, text: string, shiftMs: number): void {
  const stale = /proof says (20\S+Z), this clock says (20\S+Z): 60 s apart at most/
  const [, ...times] = stale.exec(text) ?? []
  const [proof = 0, clock = 0] = times.map((time) => Date.parse(time))
  t.true(Math.abs(proof - clock - shiftMs) < 30_000, text)
}

const newcomer = (t: ExecutionContext, env: NodeJS.ProcessEnv, ...args: string[]): Promise<Ran> => {
  const out = join(temporaryFolder(t), 'creds')
  const asked = ['--network', network.networkFile, '--region', region, '--out', out, ...args]
  return runScript('request-credentials', asked, { env })
}

async function makeInvite(t: ExecutionContext): Promise<string> {
  const out = join(temporaryFolder(t), 'invite')
  const { archipelagoFile, homes } = network
  const where = ['--archipelago', archipelagoFile, '--data-dir', homes.data, '--out', out]
  await runScript('issue-invite', [...where, '--role', 'moderator', '--name', 'carol'])
  return out
}

async function workload(t: ExecutionContext, env: NodeJS.ProcessEnv, way: string): Promise<Ran> {
  const folder = temporaryFolder(t)
  const [key, token, out] = ['nk', 'token', 'creds'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const own = ['--network', network.networkFile, '--key', key]
  const { stdout } = await runScript('exchange-token', [...own, '--print-audience'])
  const claims = serviceAccountClaims({ audience: stdout.trim(), nowSeconds: nowSeconds() })
  writeFileSync(token, ams3Cluster.sign(claims))
  const asked = [...own, '--token-file', token, '--role', 'orders', '--out', out]
  return runScript('exchange-token', [...asked, '--transport', way], { env })
}

for (const [what, shiftMs] of [
  ['ahead', 10 * minuteMs],
  ['behind', -10 * minuteMs],
] as const) {
  const env = shifted(shiftMs)
  for (const way of ['nats', 'https', 'any'])
    test.serial(
      `over ${way} a newcomer ten minutes ${what} is told both clocks, once`,
      async (t) => {
        const before = refusedAt('lobby')
        const { code, stderr } = await newcomer(t, env, '--name', 'alice', '--transport', way)
        t.is(code, 1)
        requireBothClocks(t, stderr, shiftMs)
        t.regex(stderr, /\ndo: set this machine's clock\n$/)
        t.is(refusedAt('lobby') - before, 1)
      },
    )

  test.serial(
    `who comes with an invite, ten minutes ${what}, is told both clocks, once`,
    async (t) => {
      const before = refusedAt('invite')
      const { stderr } = await newcomer(t, env, '--invite', await makeInvite(t))
      requireBothClocks(t, stderr, shiftMs)
      t.is(refusedAt('invite') - before, 1)
    },
  )

  for (const way of ['nats', 'https'])
    test.serial(
      `over ${way} a workload ten minutes ${what} is told both clocks, once`,
      async (t) => {
        const before = refusedAt('identity')
        const { code, stderr } = await workload(t, env, way)
        t.is(code, 1)
        requireBothClocks(t, stderr, shiftMs)
        t.is(refusedAt('identity') - before, 1)
      },
    )

  test.serial(`a proof ten minutes ${what} in mTLS is told both clocks`, async (t) => {
    const asking = askingOrders(network, makeHolder(), { nowMs: Date.now() + shiftMs })
    const { status, error } = await postMutual(network, region, makeExchange(asking).form)
    t.is(status, 400)
    requireBothClocks(t, error ?? '', shiftMs)
  })
}

for (const [what, times, both] of [
  [
    'begins in ten minutes',
    { nbf: 600, iat: 600, exp: 3600 },
    /begins 20\S+Z, this clock says 20\S+Z/,
  ],
  [
    'ended ten minutes ago',
    { nbf: -4000, iat: -4000, exp: -600 },
    /ended 20\S+Z, this clock says 20\S+Z/,
  ],
] as const)
  test(`a token that ${what} by its issuer's clock is told both clocks`, async (t) => {
    const holder = makeHolder()
    const now = nowSeconds()
    const claims = {
      ...serviceAccountClaims({
        audience: formatTokenAudience('archipelago', holder.pair.publicKey),
        nowSeconds: now,
      }),
      ...Object.fromEntries(Object.entries(times).map(([name, seconds]) => [name, now + seconds])),
    }
    const asking = askingOrders(network, holder, { token: ams3Cluster.sign(claims) })
    const { error } = await postMutual(network, region, makeExchange(asking).form)
    t.regex(error ?? '', both)
  })
