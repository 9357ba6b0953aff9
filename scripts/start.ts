// The main job: the whole network on this machine, proved, and kept up until Ctrl-C.
import { rmSync } from 'node:fs'
import { relative } from 'node:path'
import { requireFree } from '../laptop/control/open-control.ts'
import { startNetwork, type RunningNetwork } from '../laptop/network.ts'
import type { Proof } from '../laptop/proofs/proof.ts'
import { proveNetwork } from '../laptop/proofs/prove-network.ts'
import { formatMs, formatProofs } from '../laptop/table.ts'
import { findTool } from '../laptop/tools.ts'
import { readWithdrawn } from '../store/public.ts'
import { networkCommand, openPlace, runCommand, type Place } from './command.ts'

interface StartOptions {
  readonly once?: true
  readonly json?: true
  readonly fresh?: true
}

async function main(): Promise<void> {
  const command = networkCommand(
    'start',
    'Start the supercluster on this machine, prove it, keep it up.',
  )
    .option('--once', 'prove, stop, and exit with 0 or 1')
    .option('--json', 'print the proofs as JSON')
    .option('--fresh', 'forget the trust of earlier runs and make a new one')
    .parse()
  const options = command.opts()
  const stop = listenForStop()
  try {
    await run(openPlace(options), options, stop)
  } catch (error) {
    if (!stop.aborted) throw error
  }
}

async function run(place: Place, options: StartOptions, signal: AbortSignal): Promise<void> {
  const started = performance.now()
  if (options.fresh) await forget(place)
  progress(`network ${place.archipelago.network}: keys and state in ${place.data}`)
  const natsServer = await findTool('nats-server', { report: progress, signal })
  progress(`starting ${countServers(place)} nats-servers, their leafnode servers and functions`)
  const { archipelago, data } = place
  await using running = await startNetwork({
    archipelago,
    data,
    natsServer,
    onExit: ({ name, lastLine, restartMs }) =>
      progress(`${name} ended (${lastLine}); starts again in ${restartMs} ms`),
    report: progress,
    signal,
  })
  const readyMs = performance.now() - started
  progress(`up after ${formatMs(readyMs)}; now proving it`)
  const withdrawn = readWithdrawn(running.homes)
  if (withdrawn.length > 0) progress(`withdrawn, and so not here: ${withdrawn.join(', ')}`)
  const proofs = [readyRow(readyMs, running), ...(await proveNetwork(running))]
  signal.throwIfAborted()
  report(proofs, { ...options, totalMs: performance.now() - started })
  if (options.once) return
  await using _watch = running.watch(({ message, measure }) =>
    progress(measure === 'none' ? message : `${message}: ${measure}`),
  )
  explain(place, running)
  await aborted(signal)
  progress('stopping')
}

/** What another one runs from is left alone. */
async function forget({ data, homes }: Place): Promise<void> {
  await requireFree(homes.run)
  rmSync(data, { recursive: true, force: true })
}

function readyRow(readyMs: number, { supercluster }: RunningNetwork): Proof {
  const { spawnedMs, readyMs: meshMs } = supercluster.timings
  const observed = `servers spawned after ${formatMs(spawnedMs)}, meshed after ${formatMs(meshMs)}`
  return { what: 'the network is up', observed, isProven: true, tookMs: readyMs }
}

function report(
  proofs: readonly Proof[],
  { json, totalMs }: StartOptions & { totalMs: number },
): void {
  const isProven = proofs.every((proof) => proof.isProven)
  if (!isProven) process.exitCode = 1
  if (json) console.log(JSON.stringify({ isProven, totalMs: Math.round(totalMs), proofs }))
  else console.log(`\n${formatProofs(proofs)}, in ${formatMs(totalMs)}`)
}

function explain({ archipelago, homes }: Place, { networkFile }: RunningNetwork): void {
  const [region] = archipelago.regions
  const file = relative(process.cwd(), networkFile)
  console.error(`
It stays up until Ctrl-C. In another terminal:
  a credential   npx node scripts/request-credentials.ts --network ${file} --name alice --out alice.creds
  in-process     npm run invoke -- provision-credentials --name alice
  look at it     npx node scripts/verify-supercluster.ts
  certificates   npx node scripts/verify-peer.ts --all
  change it      edit archipelago.yaml, then npx node scripts/plan.ts and npx node scripts/apply.ts
Files:
  for newcomers  ${networkFile}
  what git carries  ${homes.public}
  audit lines    ${homes.data}/${region?.name}/functions/lobby/audit.log`)
}

function countServers({ archipelago }: Place): number {
  return archipelago.regions.reduce((sum, { servers }) => sum + servers, 0)
}

function progress(line: string): void {
  console.error(`• ${line}`)
}

/** npm hands a Ctrl-C on to us, and so does the terminal: the second one changes nothing. */
function listenForStop(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => controller.abort())
  return controller.signal
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (signal.aborted) resolve()
  signal.addEventListener('abort', () => resolve(), { once: true })
  // Nothing else keeps the process alive while it waits.
  const alive = setInterval(() => {}, 60_000)
  return promise.finally(() => clearInterval(alive))
}

runCommand('start', main, {
  ERR_AUTHORITY_UNSIGNED:
    'for each: npx node scripts/sign-region.ts --laptop --region … --kind …, then start again',
})
