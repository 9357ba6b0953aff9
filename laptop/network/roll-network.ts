// Rollovers of a network's authorities: while it runs with every process's confirmation; while it does
// not, at once, for what starts next reads what is published then.
import type { AuthorityKind } from '../../core/identity/authority.ts'
import type { Archipelago } from '../../core/archipelago.ts'
import { Refusal } from '../../core/errors.ts'
import { requireRegion } from '../../core/known-region.ts'
import { isIntermediateDue } from '../../core/identity/lifetime.ts'
import { readIntermediates, readRoots } from '../../store/authority-files.ts'
import { openFiles } from '../../store/files.ts'
import type { Homes } from '../../store/homes.ts'
import { isHere, readSigning } from '../../store/intermediate.ts'
import { readAuthorities } from '../../store/authorities.ts'
import {
  isOverlapOver,
  publishNext,
  rollStage,
  type RollStage,
} from '../../store/roll-intermediate.ts'
import { rootStage, type NextRootKey } from '../../store/roll-root.ts'
import { readRoot, type AuthorityStore } from '../../store/root.ts'
import { laptopPlace, laptopPlaces } from '../identity/make-authorities.ts'
import { rollAuthorities, type Rollover } from '../identity/roll-authority.ts'
import { advanceRoot, rollRoot } from '../identity/roll-root.ts'
import { writeNetworkFile } from './network-file.ts'
import type { NetworkRuntime } from './runtime.ts'

export interface RollRequest {
  readonly kind: AuthorityKind
  /** Its authority alone; without it the root and all authorities below it. */
  readonly region?: string | undefined
  /** A root is made known, and not used yet. */
  readonly isOnlyPublished?: boolean | undefined
}

/** What is in force afterwards. */
export interface Rolled {
  readonly stage: RollStage
  /** By serial number; the first signs. */
  readonly roots: readonly string[]
  readonly authorities: readonly { readonly region: string; readonly serials: readonly string[] }[]
}

interface Owner {
  readonly homes: Homes
  readonly archipelago: Archipelago
}

/** As the network that is asked over its control socket. */
export async function rollRunning(
  runtime: NetworkRuntime,
  request: RollRequest,
  report: (line: string) => void,
): Promise<Rolled> {
  const { homes, trust, supercluster } = runtime
  const owner = { homes, archipelago: trust.archipelago }
  const confirm = async (): Promise<void> => {
    // Newcomers trust a root as soon as the processes do.
    writeNetworkFile(runtime)
    await supercluster.confirm(report)
  }
  await advanceRoll({ ...owner, nowMs: Date.now, confirm, report }, request)
  return describeRoll(owner, request)
}

/** What needs a root's key, in the process that was given it; the network, if one runs, does the rest. */
export interface RollOwner extends Omit<Rollover, 'confirm'> {
  readonly key?: NextRootKey | undefined
  readonly advance: (request: RollRequest) => Promise<void>
}

/** While nothing runs there is nobody to confirm. */
export function rollStopped(
  owner: Owner & Pick<RollOwner, 'key'>,
  request: RollRequest,
  report: (line: string) => void,
): Promise<Rolled> {
  const rollover = { ...owner, nowMs: Date.now, confirm: () => Promise.resolve(), report }
  return rollSigned({ ...rollover, advance: (next) => advanceRoll(rollover, next) }, request)
}

export async function rollSigned(owner: RollOwner, request: RollRequest): Promise<Rolled> {
  const { kind, region, isOnlyPublished } = request
  const { key } = owner
  requireKnown(owner, region)
  if (region === undefined) await rollRoot(owner, { kind, isOnlyPublished, key })
  else {
    const [store, place] = [storeOf(owner), laptopPlace(region, kind)]
    if (readAuthorities(store, place).length > 0 && !isHere(store, place))
      throw new Refusal('ERR_HOME_ELSEWHERE', `${region} signs in a home that is elsewhere`)
    if (rollStage(store, place) === 'steady')
      await publishNext(store, place, () => readRoot(store, kind, key))
    await owner.advance(request)
  }
  return describeRoll(owner, request)
}

/** What needs no key of a root, unless a region's next authority is not signed yet. */
async function advanceRoll(rollover: Rollover, request: RollRequest): Promise<void> {
  const { kind, region, isOnlyPublished } = request
  requireKnown(rollover, region)
  if (region === undefined) await advanceRoot(rollover, { kind, isOnlyPublished })
  else await rollAuthorities(rollover, [laptopPlace(region, kind)])
}

/** Changes nothing. */
export function describeRoll(owner: Owner, request: RollRequest): Rolled {
  const { kind, region } = request
  requireKnown(owner, region)
  const store = storeOf(owner)
  const { files, homes, archipelago } = store
  const serials = (certificates: readonly { serial: string }[]) =>
    certificates.map(({ serial }) => serial)
  const regions = archipelago.regions.filter(({ name }) => name === (region ?? name))
  return {
    stage:
      region === undefined ? rootStage(store, kind) : rollStage(store, laptopPlace(region, kind)),
    roots: serials(readRoots(files, homes, kind)),
    authorities: regions.map(({ name }) => ({
      region: name,
      serials: serials(readIntermediates(files, homes, { kind, region: name })),
    })),
  }
}

/**
 * Authorities that have 30 days left or less, or were not rolled to the end, though nobody lives by the
 * old one any more.
 */
export function dueAuthorities(owner: Owner, nowMs = Date.now()) {
  const store = { ...storeOf(owner), nowMs }
  return laptopPlaces(store).filter((place) => {
    const signing = readSigning(store, place)
    const stage = rollStage(store, place)
    if (stage === 'adopted') return isOverlapOver(store, place)
    const isDue = signing === undefined || isIntermediateDue(signing.certificate, nowMs)
    return isDue || stage !== 'steady'
  })
}

/** The due ones of a running network, kind by kind; nothing where there is none. */
export async function rollDue(
  runtime: NetworkRuntime,
  report: (line: string) => void,
): Promise<void> {
  const { homes, trust, supercluster } = runtime
  const owner = { homes, archipelago: trust.archipelago }
  const due = dueAuthorities(owner)
  if (due.length === 0) return
  const confirm = () => supercluster.confirm(() => {})
  await rollAuthorities({ ...owner, nowMs: Date.now, confirm, report }, due, { isPatient: true })
}

const storeOf = ({ homes, archipelago }: Owner): AuthorityStore => ({
  ...{ homes, archipelago },
  files: openFiles(),
  nowMs: Date.now(),
})

function requireKnown({ archipelago }: Owner, region: string | undefined): void {
  if (region !== undefined) requireRegion(archipelago.regions, region)
}
