// A region's signing keys while they are replaced. What is done so far stands in a journal in the
// region's home: killed at any point, the rotation goes on where it was.
import { renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Archipelago } from '../core/archipelago.ts'
import { Refusal } from '../core/errors.ts'
import { openDoors, type FunctionDoor } from '../core/network/access-subject.ts'
import { formatScopeName } from '../core/trust/declare.ts'
import { credentialSecondsMax } from '../core/trust/lifetime.ts'
import type { Nkey } from '../core/trust/nkey.ts'
import { leafnodeScopeName } from '../core/trust/region-scopes.ts'
import { removeDurably, syncToDisk, writeDurably } from './durable.ts'
import { openFiles, writePrivate } from './files.ts'
import { functionHome, leafnodeHome, regionHome, type Homes } from './homes.ts'
import { makeNkeyPair, readKey, requireKey } from './key-file.ts'
import { leafnodeSigningKey, signingKey, type RotatedKey } from './key-paths.ts'

/** One signing key of a region: of a role at a door, or of the leafnode. */
export interface RegionKey {
  /** The name of its ceiling. */
  readonly scope: string
  readonly account: string
  readonly role?: string
  readonly door?: FunctionDoor
  readonly files: RotatedKey
  /** The longest life of what it signs. */
  readonly lifetimeSeconds: number
}

/**
 * The next key is made, published to all servers, and put in the place of the old one; the old one
 * is kept while somebody needs it, and removed.
 */
const rotationSteps = ['make', 'publish', 'switch', 'drain', 'remove'] as const
export type RotationStep = (typeof rotationSteps)[number]

export function stepAfter(step: RotationStep): RotationStep | 'done' {
  return rotationSteps[rotationSteps.indexOf(step) + 1] ?? 'done'
}

export interface Rotation {
  readonly region: string
  /** What is to be done next. */
  readonly step: RotationStep | 'done'
  readonly keys: readonly RotatingKey[]
  /** Since when no function signs with an old key. */
  readonly switchedAtMs?: number
}
export interface RotatingKey extends RegionKey {
  /** The key that is replaced. */
  readonly old: Nkey<'account'>
}

/** All signing keys whose home is this region. */
export function listRegionKeys(
  archipelago: Archipelago,
  homes: Homes,
  region: string,
): RegionKey[] {
  const lifetimeSeconds = (scope: string) => credentialSecondsMax(archipelago, scope) ?? 0
  const scope = leafnodeScopeName(region)
  const files = leafnodeSigningKey(leafnodeHome(homes, region))
  const ofRoles = archipelago.roles.flatMap((role) =>
    openDoors([role]).map((door): RegionKey => {
      const scope = formatScopeName({ role: role.name, door, region })
      const files = signingKey(functionHome(homes, region, door), role.name)
      const { name, account } = role
      return { scope, account, role: name, door, files, lifetimeSeconds: lifetimeSeconds(scope) }
    }),
  )
  return [{ scope, account: 'ACCESS', files, lifetimeSeconds: lifetimeSeconds(scope) }, ...ofRoles]
}

/** The rotation that is under way in this region. */
export function readRotation(
  archipelago: Archipelago,
  homes: Homes,
  region: string,
): Rotation | undefined {
  const text = openFiles().read(journalFile(homes, region))
  if (text === undefined) return undefined
  const journal = parseJournal(text, journalFile(homes, region))
  const known = listRegionKeys(archipelago, homes, region)
  const keys = Object.entries(journal.old).flatMap(([scope, old]) => {
    const key = known.find((each) => each.scope === scope)
    return key === undefined ? [] : [{ ...key, old }]
  })
  return { region, step: journal.step, keys, ...(journal.at && { switchedAtMs: journal.at }) }
}

export function beginRotation(homes: Homes, region: string, keys: readonly RegionKey[]): Rotation {
  const rotating = keys.map((key) => {
    const { publicKey: old } = requireKey(openFiles(), 'account', key.files.current)
    return { ...key, old }
  })
  const rotation: Rotation = { region, step: 'make', keys: rotating }
  writeRotation(homes, rotation)
  return rotation
}

export function writeRotation(homes: Homes, { region, step, keys, switchedAtMs }: Rotation): void {
  const old = Object.fromEntries(keys.map((key) => [key.scope, key.old]))
  const journal: Journal = { step, old, ...(switchedAtMs !== undefined && { at: switchedAtMs }) }
  const path = journalFile(homes, region)
  writePrivate(path, `${JSON.stringify(journal)}\n`)
  syncToDisk(path)
}

export function endRotation(homes: Homes, region: string): void {
  removeDurably(journalFile(homes, region))
}

export function makeNextKey({ files: { next } }: RotatingKey): void {
  if (readKey(openFiles(), 'account', next) !== undefined) return
  writeDurably(next, `${makeNkeyPair('account').seed}\n`)
}

/** The next key becomes the current one in one step: a function sees the one or the other. */
export function switchKey({ scope, old, files: { current, next, previous } }: RotatingKey): void {
  const files = openFiles()
  if (readKey(files, 'account', next) === undefined) return requireOther(scope, current, old)
  if (readKey(files, 'account', previous) === undefined)
    writeDurably(previous, `${requireKey(files, 'account', current).seed}\n`)
  renameSync(next, current)
  syncToDisk(dirname(current))
}

export function dropOldKey({ files: { previous } }: RotatingKey): void {
  removeDurably(previous)
}

export function currentKey({ files: { current } }: RegionKey): Nkey<'account'> {
  return requireKey(openFiles(), 'account', current).publicKey
}

/** By scope the key that is replaced: public, as all of the journal. */
interface Journal {
  readonly step: Rotation['step']
  readonly old: Readonly<Record<string, Nkey<'account'>>>
  readonly at?: number
}

function parseJournal(text: string, path: string): Journal {
  try {
    return JSON.parse(text) as Journal
  } catch (cause) {
    throw new Refusal('ERR_STORE_UNREADABLE', `journal of a rotation is spoilt: ${path}`, { cause })
  }
}

function journalFile(homes: Homes, region: string): string {
  return join(regionHome(homes, region), 'rotation.json')
}

function requireOther(scope: string, current: string, old: Nkey<'account'>): void {
  const { publicKey } = requireKey(openFiles(), 'account', current)
  if (publicKey === old)
    throw new Refusal('ERR_KEY_NOT_HERE', `the next key of ${scope} is gone: ${current}`)
}
