// Moves the regions to a commit of the repository, one when the one before it has proven it, or back.
// Trust is never moved: it is always as the branch has it.
import { dirname, resolve } from 'node:path'
import { Command } from '@commander-js/extra-typings'
import { parseDuration } from '../core/duration.ts'
import { Refusal } from '../core/errors.ts'
import { chooseRegions, describePin, type Pin } from '../gitops/promotion.ts'
import { parseRevision, revisionFile, shortCommit, type Commit } from '../gitops/revision.ts'
import { readArchipelago } from '../store/archipelago.ts'
import { collect, runCommand } from './command.ts'
import { moveBack, previousCommit } from './promotion/move-back.ts'
import { moveForward } from './promotion/move-forward.ts'
import {
  fetchHead,
  isAncestor,
  newestChange,
  readAt,
  resolveCommit,
  type Remote,
} from './promotion/repository.ts'
import { watchClusters, watchFile } from './promotion/watched.ts'
import type { Moving, Moved } from './promotion/moving.ts'

const command = new Command('promote')
  .description(
    'Move each region’s servers to a commit, in the order of archipelago.yaml: the next when the one before is Synced, Healthy and proven.',
  )
  .argument(
    '[commit]',
    'where to (default: the newest that changes more than trust; back: the one before)',
  )
  .option('--archipelago <file>', 'the description of the network', 'archipelago.yaml')
  .option('--region <region>', 'only this one; can be given more than once', collect)
  .option('--without <region>', 'a lost one, which nobody waits for; more than once', collect)
  .option('--rollback', 'move back, all at once; trust stays as it is')
  .option(
    '--context <region=context>',
    'of your kubeconfig (default: named as the region)',
    collect,
  )
  .option('--status <file>', 'ask this file, a JSON map of regions to their Application nats')
  .option('--remote <name>', 'where the repository is pushed to', 'origin')
  .option('--timeout <duration>', 'how long one region may take', '15m')
  .option('--dry-run', 'push nothing, say what would move')
  .option('--json', 'print what was moved as JSON at the end')
  .addHelpText(
    'after',
    '\nExits with 1 when it is refused, with 2 when a region has not proven the commit.',
  )

async function main(): Promise<void> {
  const { region: only = [], without = [], ...options } = command.parse().opts()
  const contexts = parseContexts(options.context)
  const file = resolve(options.archipelago)
  const archipelago = readArchipelago(file, options.archipelago)
  const { branch, signers } = archipelago.gitops
  const place = { folder: dirname(file), remote: options.remote, branch }
  const head = await fetchHead(place)
  const pins = await readPins(place, head, archipelago.regions)
  const moving: Moving = {
    place,
    pins,
    chosen: chooseRegions(pins, { only, without }),
    without,
    isSigned: signers.length > 0,
    isDryRun: options.dryRun ?? false,
    watched: options.status === undefined ? watchClusters(contexts) : watchFile(options.status),
    timeoutMs: parseDuration(options.timeout) * 1000,
    report: (line) => console.error(line),
  }
  for (const pin of pins) moving.report(describePin(pin))
  const [wanted] = command.processedArgs
  const commit = await chooseCommit(wanted, options.rollback, moving, head)
  const move = options.rollback ? moveBack : moveForward
  show(commit, await move(moving, commit), options)
}

async function readPins(
  { folder }: Remote,
  head: Commit,
  regions: readonly { readonly name: string }[],
): Promise<Pin[]> {
  return await Promise.all(
    regions.map(async ({ name: region }) => {
      const text = await readAt(folder, head, revisionFile(region))
      if (text !== undefined) return { region, commit: parseRevision(text) }
      const what = `no ${revisionFile(region)} on the branch`
      throw new Refusal('ERR_REVISION_ILLEGAL', what)
    }),
  )
}

async function chooseCommit(
  wanted: string | undefined,
  isRollback: true | undefined,
  moving: Moving,
  head: Commit,
): Promise<Commit> {
  if (wanted !== undefined) return await resolveCommit(moving.place.folder, wanted, head)
  return isRollback ? await previousCommit(moving, head) : await newestToMove(moving, head)
}

/** What promote itself commits, and trust, which every region takes at once, are nothing to move to. */
async function newestToMove({ place: { folder }, pins, chosen }: Moving, head: Commit) {
  const own = pins.map(({ region }) => revisionFile(region))
  const change = await newestChange(folder, head, [...own, 'manifests/trust'])
  for (const { commit } of chosen)
    if (commit !== undefined && !(await isAncestor(folder, commit, change))) return head
  return change
}

function parseContexts(given: readonly string[] = []): Map<string, string> {
  return new Map(
    given.map((text) => {
      const [, region, context] = /^([^=]+)=(.+)$/.exec(text) ?? []
      if (region !== undefined && context !== undefined) return [region, context]
      throw new Refusal('ERR_OPTION_ILLEGAL', `not region=context: '${text}'`)
    }),
  )
}

const notProven = 2

function show(
  commit: Commit,
  moved: readonly Moved[],
  { json, dryRun }: { json?: true; dryRun?: true },
): void {
  if (json) console.log(JSON.stringify({ commit, isDryRun: dryRun ?? false, regions: moved }))
  else for (const one of moved) console.log(describeMoved(one, commit))
  if (moved.some(({ state }) => state !== 'proven' && state !== 'would-move'))
    process.exitCode = notProven
}

function describeMoved({ region, state, why }: Moved, commit: Commit): string {
  if (state === 'proven') return `✔ ${region} runs ${shortCommit(commit)}: ${why}`
  if (state === 'would-move') return `would move ${region} to ${shortCommit(commit)}`
  return `✘ ${region} has not proven ${shortCommit(commit)}: ${why}`
}

runCommand(command.name(), main, {
  ERR_GIT: 'look what git says; the branch of gitops in archipelago.yaml has to be there',
  ERR_COMMIT_UNKNOWN: 'push it first: a region moves only to what is on the branch',
  ERR_REVISION_ILLEGAL: 'run npx node scripts/render-manifests.ts and push what it wrote',
  ERR_PROMOTION_ORDER: 'move the region before it first, or name a lost one with --without',
  ERR_PROMOTION_OLDER: 'to go back, say --rollback',
  ERR_CLUSTER_UNREACHABLE: 'name it with --context, or a lost region with --without',
  ERR_PROMOTION_NOWHERE: 'name the commit to go back to',
})
