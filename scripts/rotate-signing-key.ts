// Replaces signing keys of a region while the network runs; killed, it goes on where it was.
import { formatDuration, parseDuration } from '../core/duration.ts'
import { Refusal } from '../core/errors.ts'
import { requireRegion } from '../core/known-region.ts'
import { readApplied } from '../store/applied.ts'
import { hasHome, operatorHomeName } from '../store/bootstrap.ts'
import { openFiles } from '../store/files.ts'
import {
  beginRotation,
  currentKey,
  listRegionKeys,
  readRotation,
  type RegionKey,
  type RotatingKey,
} from '../store/rotation.ts'
import { networkCommand, openPlace, runCommand, type Place } from './command.ts'
import { openOperatorSession } from './operator-session.ts'
import { rotateKeys } from './rotation/rotate-keys.ts'

const command = networkCommand(
  'rotate-signing-key',
  'Replace signing keys of a region without a failed request; one that was cut off is finished.',
)
  .requiredOption('--region <region>', 'where the keys have their home')
  .option('--role <role>', 'only the keys of this role')
  .option('--door <door>', 'only the keys of this door')
  .option('--leafnode', 'only the key of the leafnode')
  .option('--dry-run', 'change nothing, say which keys would be replaced')
  .option('--json', 'print the keys as JSON at the end')
  .option('--drain-deadline <duration>', 'remove the old keys then, although they are in use')

type Wanted = { region: string; role?: string; door?: string; leafnode?: true }

async function main(): Promise<void> {
  const { drainDeadline, dryRun, json, ...wanted } = command.parse().opts()
  const drainDeadlineMs =
    drainDeadline === undefined ? Infinity : parseDuration(drainDeadline) * 1000
  const place = openApplied(wanted)
  requireRegion(place.archipelago.regions, wanted.region)
  const begun = readRotation(place.archipelago, place.homes, wanted.region)
  const keys = begun?.keys ?? chooseKeys(place, wanted)
  if (dryRun) return showPlan(begun?.step ?? 'make', keys)
  const report = (line: string): void => (json ? console.error(line) : console.log(line))
  await using connections = new AsyncDisposableStack()
  const operator = await connectIfHere(place, connections)
  if (begun) report(`going on with the rotation of ${nameKeys(keys)} at its step ${begun.step}`)
  const rotation = begun ?? beginRotation(place.homes, wanted.region, keys)
  await rotateKeys(rotation, { place, report, drainDeadlineMs, ...operator })
  if (json) console.log(JSON.stringify(rotation.keys.map(describeKey)))
}

/** Where the operator has its home: who pushes, and who asks the functions. */
async function connectIfHere(place: Place, connections: AsyncDisposableStack) {
  if (!hasHome({ ...place, files: openFiles() }, operatorHomeName)) return {}
  const { connectAs } = openOperatorSession(place)
  // They last as long as somebody lives by an old key.
  const connect = async (user: 'pusher' | 'access-operator') =>
    connections.adopt(await connectAs(user, { reconnect: true }), (nc) => nc.close())
  return { pusher: await connect('pusher'), access: await connect('access-operator') }
}

function showPlan(step: string, keys: readonly RegionKey[]): void {
  console.log(`would begin at its step ${step}: ${nameKeys(keys)}`)
  const seconds = Math.max(...keys.map(({ role, lifetimeSeconds }) => (role ? lifetimeSeconds : 0)))
  if (seconds > 0) console.log(`old credentials live for ${formatDuration(seconds)} at most`)
}

const nameKeys = (keys: readonly RegionKey[]) => keys.map(({ scope }) => scope).join(', ')

function describeKey(key: RotatingKey) {
  return { scope: key.scope, key: currentKey(key), replaced: key.old }
}

/** The network as it runs: an edit is for `apply`. */
function openApplied(where: { archipelago: string; dataDir?: string }): Place {
  const place = openPlace(where)
  return { ...place, archipelago: readApplied(openFiles(), place.homes) ?? place.archipelago }
}

function chooseKeys({ archipelago, homes }: Place, wanted: Wanted): RegionKey[] {
  const { region } = wanted
  const keys = listRegionKeys(archipelago, homes, region).filter((key) => isWanted(key, wanted))
  if (keys.length > 0) return keys
  throw new Refusal('ERR_ROLE_UNKNOWN', `no key of this role and door in ${region}`)
}

function isWanted(
  key: { role?: string; door?: string },
  { role, door, leafnode }: Wanted,
): boolean {
  if (leafnode) return key.role === undefined
  if (role === undefined && door === undefined) return true
  return (
    key.role !== undefined && key.role === (role ?? key.role) && key.door === (door ?? key.door)
  )
}

runCommand(command.name(), main, {
  ERR_NOT_PUSHED: 'start the servers that are named, then run it again: it goes on where it was',
  ERR_DEADLINE: 'look why what is named does not read its keys, or end it, then run it again',
  ERR_KEY_UNPUBLISHED:
    "at the operator's: bootstrap-trust --adopt public.json, push-accounts; then run it again here",
  ERR_ROLE_UNKNOWN: 'name a role and a door of archipelago.yaml',
})
