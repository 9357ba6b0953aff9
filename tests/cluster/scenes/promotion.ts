// What all regions share goes through them one after the other, and back; trust goes forward only.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../until.ts'
import { isHeard, joinAsMember, speakAt, type Member } from '../network/member.ts'
import { writeOperatorKubeconfig } from '../network/kubeconfig.ts'
import { push, since, type Assertions, type Network } from '../network/network.ts'

const patient = { deadlineMs: 120_000 }
const promotionMs = 600_000

/** Pins the regions, changes what they share, and moves it from one to the next. */
export async function promoteThroughRegions(t: Assertions, network: Network): Promise<void> {
  const { say } = network
  const start = performance.now()
  t.regex(await promote(network), /^✔ ams3[^]*^✔ sfo2[^]*^✔ sgp1/m)
  say(`three regions are pinned after ${since(start)} s`)
  await push(network, shareNote(network, 'shared'))
  t.regex(await promote(network, '--region', 'ams3'), /^✔ ams3 runs/m)
  t.deepEqual(await sharedNotes(network), { ams3: 'shared', sfo2: '', sgp1: '' })
  say('a change of the base is in ams3 alone')
  const rest = performance.now()
  t.regex(await promote(network), /^✔ sfo2[^]*^✔ sgp1/m)
  say(`sfo2 and sgp1 have it ${since(rest)} s after it was promoted further`)
  t.deepEqual(await sharedNotes(network), { ams3: 'shared', sfo2: 'shared', sgp1: 'shared' })
}

/** Between forward and back somebody is revoked; he stays so. */
export async function rollBackAcrossRevocation(t: Assertions, network: Network): Promise<void> {
  const { lab, operator, say } = network
  const mallory = await joinAsMember(lab, operator, lab.cluster('ams3'), 'mallory')
  t.true(await isHeard(mallory))
  await revoke(network, mallory)
  await push(network, 'mallory is revoked')
  const revoked = performance.now()
  await until('mallory to be refused', async () => !(await isHeard(mallory)), patient)
  say(`refused ${since(revoked)} s after the push`)
  const start = performance.now()
  t.regex(await promote(network, '--rollback'), /^✔ ams3[^]*^✔ sfo2[^]*^✔ sgp1/m)
  say(`three regions are back after ${since(start)} s`)
  t.deepEqual(await sharedNotes(network), { ams3: '', sfo2: '', sgp1: '' })
  for (const cluster of lab.clusters)
    t.is(await isHeard(await speakAt(lab, operator, { cluster, creds: mallory.creds })), false)
}

/** From the operator's own machine, which no server hears: the push is what brings it to them. */
async function revoke({ operator }: Network, { creds }: Member): Promise<void> {
  const nkey = nkeyIn(readFileSync(creds, 'utf8'))
  const asked = ['--nkey', nkey, '--manifests', 'manifests']
  await operator.script('revoke-credentials', ...asked).catch((error: unknown) => {
    if (!/it is written down/.test(String(error))) throw error
  })
}

function nkeyIn(creds: string): string {
  const [, payload = ''] = /^eyJ[^.]*\.([^.]*)\./m.exec(creds) ?? []
  return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string }).sub
}

/** A note on the Service that no region has of its own; answers with what the commit is about. */
function shareNote({ operator }: Network, note: string): string {
  const file = join(operator.folder, 'manifests', 'base', 'server', 'service.yaml')
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace(/^metadata:$/m, `metadata:\n  annotations: { note: ${note} }`))
  return `a note on the servers of all regions: ${note}`
}

async function sharedNotes({ lab }: Network): Promise<Record<string, string>> {
  const path = 'jsonpath={.metadata.annotations.note}'
  const notes = lab.clusters.map(async ({ region, kubectl }) => [
    region,
    await kubectl(['-n', 'nats', 'get', 'service', 'nats', '-o', path]),
  ])
  return Object.fromEntries(await Promise.all(notes)) as Record<string, string>
}

function promote({ lab, operator }: Network, ...args: string[]): Promise<string> {
  const script = join(operator.folder, 'scripts', 'promote.ts')
  return lab.client.run(process.execPath, [script, ...args], {
    cwd: operator.folder,
    env: { ...process.env, KUBECONFIG: writeOperatorKubeconfig(lab) },
    deadlineMs: promotionMs,
  })
}
