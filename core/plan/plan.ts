// What an edit of archipelago.yaml does to a network: computed from what is there and what would be,
// in the order in which it is carried out.
import { hash } from 'node:crypto'
import type { Archipelago } from '../archipelago.ts'
import type { ProcessChange } from '../network/change.ts'
import { quote } from '../quote.ts'
import { planAccounts, type AccountBodies } from './accounts.ts'
import { planIdentities } from './identities.ts'
import { planLifetimes } from './lifetimes.ts'
import { joinLines, planEffects, type PlanEffect, type PlanLine } from './line.ts'

/** One state of a network. */
export interface NetworkState {
  /** Undefined where nothing was ever applied. */
  readonly archipelago: Archipelago | undefined
  readonly accounts: AccountBodies
}

/** What happens to the processes of a running network; undefined for one that does not run. */
export interface ProcessChanges {
  readonly servers: readonly ProcessChange[]
  readonly functions: readonly ProcessChange[]
}

export interface Plan {
  readonly lines: readonly PlanLine[]
  /** Somebody has to agree before it is carried out. */
  readonly asks: boolean
  readonly isPossible: boolean
  /** Names exactly these lines, so that what is agreed to is what is done. */
  readonly digest: string
}

export function makePlan(
  before: NetworkState,
  after: NetworkState & { readonly archipelago: Archipelago },
  processes: ProcessChanges | undefined,
): Plan {
  const impossible = planIdentity(before.archipelago, after.archipelago)
  if (impossible.length > 0) return planOf(impossible)
  const trust = planAccounts(before.accounts, after.accounts)
  const issuance =
    before.archipelago === undefined ? [] : planIssuance(before.archipelago, after.archipelago)
  const isResigned = trust.length > 0
  const rest =
    processes === undefined
      ? planNextStart(before, after, isResigned)
      : planProcesses(processes, isResigned)
  return planOf(joinLines([...trust, ...issuance, ...rest]))
}

/** What the functions go by, and no artifact shows. */
function planIssuance(before: Archipelago, after: Archipelago): PlanLine[] {
  return [...planLifetimes(before, after), ...planIdentities(before, after)]
}

/** How many subjects each effect has, in the order of effects. */
export function countEffects({ lines }: Plan): [PlanEffect, number][] {
  return planEffects.flatMap((effect): [PlanEffect, number][] => {
    const subjects = lines.filter((line) => line.effect === effect).flatMap((line) => line.subjects)
    return subjects.length === 0 ? [] : [[effect, new Set(subjects).size]]
  })
}

function planOf(lines: readonly PlanLine[]): Plan {
  return {
    lines,
    asks: lines.some((line) => line.asks === true),
    isPossible: !lines.some(({ effect }) => effect === 'impossible'),
    digest: hash('sha256', JSON.stringify(lines)),
  }
}

function planIdentity(before: Archipelago | undefined, after: Archipelago): PlanLine[] {
  if (before === undefined || before.network === after.network) return []
  const names = `${quote(before.network)}, not ${quote(after.network)}`
  return [
    {
      effect: 'impossible',
      subjects: ['network'],
      reason: `this data directory is of ${names}: another network has its own keys, so start it in another --data-dir`,
    },
  ]
}

function planNextStart(before: NetworkState, after: NetworkState, isResigned: boolean): PlanLine[] {
  const isSame = JSON.stringify(before.archipelago) === JSON.stringify(after.archipelago)
  if (isSame && !isResigned) return []
  const reason = 'does not run: its processes take all of it at the next npm start'
  return [{ effect: 'next-start', subjects: ['the network'], reason }]
}

/** Functions of a region that goes end before its servers; all others start after them. */
function planProcesses({ servers, functions }: ProcessChanges, isResigned: boolean): PlanLine[] {
  const ending = functions.filter(({ effect }) => effect === 'stop')
  const others = functions.filter(({ effect }) => effect !== 'stop')
  const changed = servers.filter((change) => isResigned || !isOnlyBehind(change))
  return [...ending, ...inOrder(changed), ...others].flatMap(planProcess)
}

/** What was revoked meanwhile runs, and stands in no configuration yet: the next reload brings it. */
const isOnlyBehind = ({ effect, settings }: ProcessChange) =>
  effect === 'reload' && settings.every((setting) => shorten(setting) === 'resolver_preload')

const processOrder = ['stop', 'start', 'reload', 'restart', 'none'] as const

const inOrder = (changes: readonly ProcessChange[]) =>
  processOrder.flatMap((effect) => changes.filter((change) => change.effect === effect))

function planProcess({ name, effect, settings }: ProcessChange): PlanLine[] {
  if (effect === 'none') return []
  const subjects = [name]
  if (effect === 'stop')
    return [{ effect, subjects, reason: 'is not in archipelago.yaml any more' }]
  if (effect === 'start') return [{ effect, subjects, reason: 'is new' }]
  const changed = [...new Set(settings.map(shorten))].join(', ')
  const isCut = effect === 'restart' ? '; its connections move' : ''
  return [{ effect, subjects, reason: `${changed} changed${isCut}` }]
}

/** Accounts are named by keys there, which say nothing to people. */
const shorten = (setting: string) => setting.replace(/^(resolver_preload)\..*/, '$1')
