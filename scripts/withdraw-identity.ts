// Takes an identity out of the network. Written down first, then everywhere: processes, connections,
// functions. A certificate is good until its end, so who shows it is cut instead.
import { parseSpiffeId, type SpiffeId } from '../core/identity/spiffe-id.ts'
import { placeNetwork } from '../core/network/endpoint.ts'
import {
  placeOfIdentity,
  withoutWithdrawn,
  type WithdrawnPlace,
} from '../core/network/withdrawn.ts'
import type { Revoked } from '../core/trust/declared-state.ts'
import { parseRegionKeys } from '../core/trust/region-keys.ts'
import { askControl } from '../laptop/control/ask-control.ts'
import type { Followed } from '../laptop/network/apply-network.ts'
import type { RevocationReport } from '../nats/enforce-revocation.ts'
import { readOrRefuse } from '../store/files.ts'
import { forgetIdentity } from '../store/forget-identity.ts'
import { publicFiles } from '../store/public.ts'
import { networkCommand, openPlace, runCommand, type Place } from './command.ts'
import { describeDenyListPush } from './describe-push.ts'
import { openOperatorSession, type OperatorSession } from './operator-session.ts'
import { enforce, find, showFound, showReport } from './revocation/enforce.ts'

const command = networkCommand(
  'withdraw-identity',
  'Cut whoever is connected by this identity, and admit it nowhere until it is reinstated.',
)
  .argument('<id>', 'a SPIFFE ID, such as spiffe://ams3.example/workload/billing')
  .option('--reinstate', 'take it back in, with new keys where we make them')
  .option('--dry-run', 'change nothing, say who would be cut')
  .option('--json', 'print what was cut as JSON')

interface Target extends WithdrawnPlace {
  readonly id: SpiffeId
}

async function main(): Promise<void> {
  const { reinstate, dryRun, json, ...where } = command.parse().opts()
  const place = openPlace(where)
  const session = openOperatorSession(place)
  const id = parseSpiffeId(command.processedArgs[0])
  const all = placeNetwork(session.archipelago, 'laptop')
  if (reinstate) {
    const target = { id, ...placeOfIdentity(session.archipelago, all, id) }
    return bringBack(place, session, { target, isDryRun: dryRun ?? false })
  }
  const { identities } = session.state.read().denyList.claims.nats
  const others = identities.filter((each) => each !== id)
  const left = withoutWithdrawn(session.archipelago, all, others)
  const target = { id, ...placeOfIdentity(session.archipelago, left, id) }
  const revoked = revokedOf(place, target)
  if (dryRun) return showFound(await find(session, revoked), json)
  session.state.revoke(revoked)
  const report = await cut(place, session, { revoked, kind: target.kind })
  showReport(report, json)
  if (!json) for (const line of nextSteps(target)) console.log(line)
}

/** A leafnode's credential is known before it is seen connected. */
function revokedOf({ homes }: Place, { id, kind, region }: Target): Revoked {
  const named = { names: [], tickets: [], identities: [id] }
  if (kind !== 'leafnode' || region === undefined) return { ...named, nkeys: [], accounts: [] }
  const path = publicFiles.region(homes.public, region)
  const { leafnodeUser } = parseRegionKeys(readOrRefuse(path, 'region keys'))
  return { ...named, nkeys: [leafnodeUser], accounts: ['ACCESS'] }
}

/**
 * A function is cut by its leafnode server, a server by its peers, and only then does the mesh tell the
 * truth; all others are cut by the servers' system account.
 */
async function cut(
  place: Place,
  session: OperatorSession,
  { revoked, kind }: { revoked: Revoked; kind: Target['kind'] },
): Promise<RevocationReport> {
  const isCutByPeers = kind === 'function' || kind === 'server'
  if (isCutByPeers) await follow(place)
  const report = await enforce(session, revoked)
  if (!isCutByPeers) await follow(place)
  return report
}

/** Undefined where no network runs from this folder. */
function follow({ homes }: Place): Promise<Followed | undefined> {
  return askControl(homes.run, { do: 'follow' }, (line) => console.error(line))
}

/** Its processes get new keys: those of before may be known. */
async function bringBack(
  place: Place,
  session: OperatorSession,
  { target, isDryRun }: { target: Target; isDryRun: boolean },
): Promise<void> {
  const { id, kind, region } = target
  const { denyList } = session.state.read()
  if (!denyList.claims.nats.identities.includes(id)) return console.log(`${id}: not withdrawn`)
  if (isDryRun) return console.log(`${id}: would be taken back in`)
  if (kind !== 'workload' && region !== undefined) {
    const name = `${region}-${id.slice(id.lastIndexOf('/') + 1).replace(/^server-/, '')}`
    forgetIdentity(place.homes, { region, name, isLeafnode: kind === 'leafnode' })
  }
  session.state.reinstate([id])
  await follow(place)
  const nobody = { nkeys: [], names: [], tickets: [], accounts: [] }
  const { denyList: push, isDone } = await enforce(session, nobody)
  for (const line of describeDenyListPush(push)) console.log(line)
  console.log(`${id}: taken back in`)
  if (!isDone) process.exitCode = 1
}

function nextSteps({ id, kind, region }: Target): string[] {
  const back = `when its keys are safe again: npx node scripts/withdraw-identity.ts --reinstate ${id}`
  const signing = `next: npx node scripts/rotate-signing-key.ts --region ${region}, for its keys may be known`
  return kind === 'function' || kind === 'leafnode' ? [signing, back] : [back]
}

runCommand(command.name(), main, {
  ERR_CONNECT: 'it is written down; start the network or mend the way to it, then run it again',
  ERR_SERVER_LAST:
    'take the whole region out of archipelago.yaml, then run npx node scripts/apply.ts',
})
