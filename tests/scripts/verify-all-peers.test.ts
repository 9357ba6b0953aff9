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

test('every listener of a network fits, and what is inferred stands apart', async (t) => {
  const { code, stdout, stderr } = await verify('--fail-under', 'intermediate=30d,root=1y')
  t.is(code, 0, stdout + stderr)
  const [observed = '', inferred = ''] = stdout.split(/^inferred, .*$/m)
  for (const listener of ['route', 'gateway', 'leafnode'])
    t.is(
      observed.match(new RegExp(`-[0-9] ${listener} .*/nats/server-[0-9], left`, 'g'))?.length,
      9,
    )
  t.is(observed.match(/-[0-9] client .*: public, left: leaf /g)?.length, 9)
  t.is(observed.match(/-leafnode client .*\/nats\/leafnode, left: /g)?.length, 3)
  t.is(observed.match(/ https .*: public, left: /g)?.length, 6)
  t.is(inferred.match(/^ {2}route .*: since .*, certified until /gm)?.length, 18)
  t.true((inferred.match(/^ {2}gateway .*: since .*, certified until /gm)?.length ?? 0) >= 18)
  t.is(inferred.match(/^ {2}leafnode .*: start is not reported$/gm)?.length, 3)
})

test('programs read it as JSON', async (t) => {
  const { code, stdout } = await verify('--json')
  const { observed, inferred } = JSON.parse(stdout)
  t.is(code, 0)
  t.is(observed.length, 9 * 5 + 3 + 6)
  t.deepEqual(inferred.findings, [])
})

test('leaves that end too soon are found at every listener', async (t) => {
  const { code, stdout } = await verify('--fail-under', 'leaf=9999d')
  t.is(code, 7)
  t.is(stdout.match(/✘ ERR_PEER_NEAR_END {2}leaf /g)?.length, 54)
})
