// Replaces signing keys of a region while the network runs; killed, it goes on where it was.
import { parseDuration } from '../core/duration.ts'
import { Refusal } from '../core/errors.ts'
import { quote } from '../core/quote.ts'
import { readApplied } from '../store/applied.ts'
import { hasHome, operatorHomeName } from '../store/bootstrap.ts'
import { openFiles } from '../store/files.ts'
import { beginRotation, listRegionKeys, readRotation, type Rotation } from '../store/rotation.ts'
import { networkCommand, openPlace, runCommand, type Place } from './command.ts'
import { connectOperator } from './operator-connection.ts'
import { rotateKeys } from './rotation/rotate-keys.ts'

const command = networkCommand(
  'rotate-signing-key',
  'Replace signing keys of a region without a failed request; one that was cut off is finished.',
)
  .requiredOption('--region <region>', 'where the keys have their home')
  .option('--role <role>', 'only the keys of this role')
  .option('--door <door>', 'only the keys of this door')
  .option('--leafnode', 'only the key of the leafnode')
  .option('--drain-deadline <duration>', 'remove the old keys then, although they are in use')

type Wanted = { region: string; role?: string; door?: string; leafnode?: true }

async function main(): Promise<void> {
  const { drainDeadline, ...wanted } = command.parse().opts()
  const drainDeadlineMs =
    drainDeadline === undefined ? Infinity : parseDuration(drainDeadline) * 1000
  const place = openApplied(wanted)
  requireRegion(place, wanted.region)
  const isOperator = hasHome({ ...place, files: openFiles() }, operatorHomeName)
  const pusher = isOperator ? await connectOperator(place, 'pusher') : undefined
  try {
    const rotation = continueOrBegin(place, wanted)
    const report = (line: string): void => console.log(line)
    await rotateKeys(rotation, { place, report, drainDeadlineMs, ...(pusher && { pusher }) })
  } finally {
    await pusher?.close()
  }
}

/** The network as it runs: an edit is for `apply`. */
function openApplied(where: { archipelago: string; dataDir?: string }): Place {
  const place = openPlace(where)
  return { ...place, archipelago: readApplied(openFiles(), place.homes) ?? place.archipelago }
}

function requireRegion({ archipelago }: Place, region: string): void {
  const names = archipelago.regions.map(({ name }) => name)
  if (!names.includes(region))
    throw new Refusal(
      'ERR_REGION_UNKNOWN',
      `unknown region: ${quote(region)} (${names.join(', ')})`,
    )
}

function continueOrBegin({ archipelago, homes }: Place, wanted: Wanted): Rotation {
  const { region } = wanted
  const begun = readRotation(archipelago, homes, region)
  if (begun !== undefined) {
    const scopes = begun.keys.map(({ scope }) => scope).join(', ')
    console.log(`going on with the rotation of ${scopes} at its step ${begun.step}`)
    return begun
  }
  const keys = listRegionKeys(archipelago, homes, region).filter((key) => isWanted(key, wanted))
  if (keys.length === 0)
    throw new Refusal('ERR_ROLE_UNKNOWN', `no key of this role and door in ${region}`)
  return beginRotation(homes, region, keys)
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
  ERR_DEADLINE: 'look why that function does not read its keys, then run it again',
  ERR_KEY_UNPUBLISHED:
    "at the operator's: bootstrap-trust --adopt public.json, push-accounts; then run it again here",
  ERR_ROLE_UNKNOWN: 'name a role and a door of archipelago.yaml',
})
