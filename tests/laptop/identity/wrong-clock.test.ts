// Certificates on the disk were issued by a clock that was ten minutes off, and now it is right; for them
// that is the same as a clock that was right and is not any more.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { planNetwork } from '../../../laptop/configurations.ts'
import { renewCertificates } from '../../../laptop/identity/certificates.ts'
import { holdersOf } from '../../../laptop/identity/holders.ts'
import { keepRenewed } from '../../../laptop/identity/keep-renewed.ts'
import { leavesOf, readLeaf } from '../../../laptop/identity/leaves.ts'
import { rollAuthorities } from '../../../laptop/identity/roll-authority.ts'
import { dueAuthorities } from '../../../laptop/network/roll-network.ts'
import { startSupercluster } from '../../../laptop/supercluster.ts'
import { homesOf } from '../../../store/homes.ts'
import { until } from '../../until.ts'
import { makeBareNetwork, type BareNetwork } from '../bare-network.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
const size = { regions: 2, servers: 1 }
/** Of both kinds for two servers and four functions, and of one for two leafnode servers. */
const leaves = 14

/** Everything is made, by a clock that is so far off. */
const makeBy = ({ data, options }: BareNetwork, shiftMs: number) =>
  planNetwork(data, options, { nowMs: Date.now() + shiftMs, isStopped: true })

/** How many certificates were ever issued to processes. */
function issued({ data, archipelago }: BareNetwork): number {
  const folders = archipelago.regions.map(({ name }) => join(data, name, 'identity', 'issued'))
  const files = folders.flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)))
  return files.flatMap((file) => readFileSync(file, 'utf8').match(/^\{/gm) ?? []).length
}

/** Starts, tells what was said, and stops. */
async function start({ options }: BareNetwork): Promise<string[]> {
  const lines: string[] = []
  const supercluster = await startSupercluster({ ...options, report: (line) => lines.push(line) })
  await supercluster.stop()
  return lines
}

test('certificates of ten minutes ahead are made anew once, and both clocks are named', async (t) => {
  await using network = await makeBareNetwork(size)
  await makeBy(network, -dayMs)
  await makeBy(network, 10 * minuteMs)
  const before = issued(network)
  const lines = await start(network)
  t.is(lines.length, 1)
  t.regex(
    lines[0] ?? '',
    /^14 certificates begin 20\S+Z or before, this clock says 20\S+Z: it was put back, and they are made anew$/,
  )
  t.is(issued(network) - before, leaves)
  t.deepEqual(await start(network), [])
  t.is(issued(network) - before, leaves)
})

test('certificates of ten minutes ago are good', async (t) => {
  await using network = await makeBareNetwork(size)
  await makeBy(network, -10 * minuteMs)
  const before = issued(network)
  t.deepEqual(await start(network), [])
  t.is(issued(network), before)
})

test('with authorities of ten minutes ahead nothing starts, nothing is issued, and both clocks are named', async (t) => {
  await using network = await makeBareNetwork(size)
  await makeBy(network, 10 * minuteMs)
  const before = issued(network)
  await t.throwsAsync(start(network), {
    code: 'ERR_CERTIFICATE_NOT_YET_VALID',
    message:
      /^certificate 'spiffe:\S+': its issuer's clock said 20\S+Z or later, this clock says 20\S+Z$/,
  })
  t.is(issued(network), before)
})

test('an authority that begins in ten minutes is not replaced for it', async (t) => {
  await using network = await makeBareNetwork(size)
  const { archipelago, data, options } = network
  const homes = homesOf(data)
  await makeBy(network, -dayMs)
  await rollAuthorities(
    {
      ...{ homes, archipelago, report: () => {} },
      nowMs: () => Date.now() + 10 * minuteMs,
      confirm: () => Promise.resolve(),
    },
    [{ region: 'ams3', kind: 'identity', placement: 'laptop' }],
  )
  const refusal = {
    code: 'ERR_CERTIFICATE_NOT_YET_VALID',
    message:
      /^certificate 'spiffe:\/\/ams3\S+': its issuer's clock said 20\S+Z or later, this clock/,
  }
  await t.throwsAsync(planNetwork(data, options, { isStopped: true }), refusal)
  t.throws(() => dueAuthorities({ homes, archipelago }), refusal)
})

test('a clock that is put back while everything runs renews once, and what cannot be renewed is tried ever more seldom', async (t) => {
  await using network = await makeBareNetwork(size)
  const { archipelago, data, options } = network
  await makeBy(network, -dayMs)
  const { regions } = await makeBy(network, 0)
  const clock = { shiftMs: 0 }
  const nowMs = () => Date.now() + clock.shiftMs
  const lines: string[] = []
  const holders = new Map(
    holdersOf(archipelago, regions, options.doors).map((one) => [one.name, one]),
  )
  const holderOf = (name: string) => holders.get(name) ?? t.fail()
  let tries = 0
  const work = {
    names: () => [...holders.keys()].slice(0, 1),
    life: (name: string) => leavesOf(data, holderOf(name)).map((place) => readLeaf(place)?.leaf)[0],
    renew: (name: string) => {
      tries += 1
      return renewCertificates(
        { homes: homesOf(data), archipelago, nowMs: nowMs() },
        holderOf(name),
      )
    },
    isServed: () => true,
    serve: () => Promise.resolve(),
  }
  // Looks every 10 ms.
  const lifetimeMs = () => 400
  const report = (line: string) => void lines.push(line)
  const before = issued(network)
  await using _renewing = keepRenewed(work, { report, nowMs, random: () => 1, lifetimeMs })

  clock.shiftMs = -10 * minuteMs
  await until('it is renewed', () => issued(network) === before + 2)
  t.is(lines.length, 1)
  t.regex(
    lines[0] ?? '',
    /^ams3-0's certificates begin 20\S+Z, this clock says 20\S+Z: it was put back/,
  )

  clock.shiftMs = -2 * dayMs
  await until('it was tried four times', () => tries >= 5)
  t.is(issued(network), before + 2)
  const [, , first] = lines
  t.regex(
    first ?? '',
    /^ams3-0's certificates are not renewed: .*: its issuer's clock said 20\S+Z or later, this clock says 20\S+Z; tried 1 times$/,
  )
  t.deepEqual(
    lines.slice(3, 5).map((line) => /tried (\d+) times$/.exec(line)?.[1]),
    ['2', '4'],
  )
})
