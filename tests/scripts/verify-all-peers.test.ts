import { join } from 'node:path'
import test from 'ava'
import { runScript } from '../run-script.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'

let network: TestNetwork
test.before(async () => {
  network = await startTestNetwork()
})
test.after.always(() => network?.[Symbol.asyncDispose]())

const verify = (...options: string[]) =>
  runScript('verify-peer', [
    ...['--all', '--archipelago', network.archipelagoFile],
    ...['--data-dir', join(network.folder, 'data'), ...options],
  ])

test('everything of a network fits, and what is inferred stands apart', async (t) => {
  const { code, stdout, stderr } = await verify('--fail-under', 'intermediate=30d,root=1y')
  t.is(code, 0, stdout + stderr)
  const [shown = '', connected = '', inferred = ''] = stdout
    .split(/^(?:observed|inferred), .*$/m)
    .slice(1)
  for (const listener of ['route', 'gateway', 'leafnode', 'workload'])
    t.is(shown.match(new RegExp(`-[0-9] ${listener} .*/nats/server-[0-9], left`, 'g'))?.length, 9)
  t.is(shown.match(/-[0-9] client .*: public, left: leaf /g)?.length, 9)
  t.is(shown.match(/-leafnode client .*\/nats\/leafnode, left: /g)?.length, 3)
  t.is(shown.match(/ https .*: public, left: /g)?.length, 9)
  t.is(shown.match(/-identity mtls .*\/function\/identity, left: /g)?.length, 3)
  t.is(connected.match(/^ {2}leafnode \w+-[0-9]#.*\/nats\/leafnode, serial /gm)?.length, 3)
  t.is(connected.match(/^ {2}leafnode \w+-leafnode#.*\/nats\/server-[0-9], serial /gm)?.length, 3)
  t.is(connected.match(/^ {2}client \w+-leafnode#.*\/function\/\w+, serial /gm)?.length, 9)
  const checked = (kind: string) =>
    inferred.match(
      new RegExp(`^  ${kind} .*: identity was checked at .*, under a certificate until `, 'gm'),
    )
  t.is(checked('route')?.length, 18)
  t.true((checked('gateway')?.length ?? 0) >= 18)
  t.is(checked('leafnode')?.length, 6)
  t.is(checked('client')?.length, 9)
})

test('programs read it as JSON', async (t) => {
  const { code, stdout } = await verify('--json')
  const { observed, connected, inferred } = JSON.parse(stdout)
  t.is(code, 0)
  t.is(observed.length, 9 * 5 + 3 + 9 + 3)
  t.is(connected.connections.length, 15)
  t.deepEqual([connected.findings, inferred.findings], [[], []])
})

test('a link may be no older than is wished', async (t) => {
  const { code, stdout } = await verify('--link-age-max', '1s')
  t.is(code, 9)
  t.true((stdout.match(/✘ ERR_LINK_OLD {2}\w+ .* old, over 1s$/gm)?.length ?? 0) >= 48)
})

test('leaves that end too soon are found at every listener', async (t) => {
  const { code, stdout } = await verify('--fail-under', 'leaf=9999d')
  t.is(code, 7)
  t.is(stdout.match(/✘ ERR_PEER_NEAR_END {2}leaf /g)?.length, 60)
})
