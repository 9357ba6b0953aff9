// The trust that a clone would bring to the clusters, against the one that is already on its way to them.
import type { Archipelago } from '../core/archipelago.ts'
import { Refusal } from '../core/errors.ts'
import { requireForwardTrust } from '../core/trust/carried.ts'
import { readIfThere } from '../store/files.ts'
import { git } from './git.ts'
import { readCarried } from './trust-files.ts'
import type { Gate } from './validate.ts'

/** Refuses nothing itself: an older account, a lost revocation, another operator are faults of the gate. */
export async function trustGate(
  root: string,
  { regions }: Archipelago,
  revision: string,
): Promise<Gate> {
  const name = 'trust goes forward'
  if (!(await isRevision(root, revision)))
    return { name, isRun: false, note: `no such revision here: ${revision}`, faults: [] }
  const faults: string[] = []
  for (const { name: region } of regions) {
    const path = `manifests/trust/${region}/trust.yaml`
    const fault = faultOf(await textAt(root, revision, path), readIfThere(`${root}/${path}`))
    if (fault !== undefined) faults.push(`${path}: ${fault}`)
  }
  return { name, isRun: true, note: `${regions.length} regions, since ${revision}`, faults }
}

function faultOf(before: string | undefined, after: string | undefined): string | undefined {
  try {
    const [old, now] = [readCarried(before), readCarried(after)]
    if (now !== undefined) requireForwardTrust(old, now)
    else if (old !== undefined)
      return `the trust of operator ${old.operator.claims.sub} would be lost`
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return error.message
    throw error
  }
}

const isRevision = async (root: string, revision: string) =>
  (await tryGit(root, ['rev-parse', '--verify', '--quiet', `${revision}^{commit}`])) !== undefined

const textAt = (root: string, revision: string, path: string) =>
  tryGit(root, ['show', `${revision}:${path}`])

/** Undefined where git has no such thing. */
const tryGit = (root: string, args: readonly string[]): Promise<string | undefined> =>
  git(root, args).catch(() => undefined)
