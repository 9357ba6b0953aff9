// Forward, one region after the other.
import { Refusal } from '../../core/errors.ts'
import { judgeApplication } from '../../gitops/application.ts'
import { regionBefore, sharedPaths, type Pin } from '../../gitops/promotion.ts'
import { shortCommit, type Commit } from '../../gitops/revision.ts'
import { awaitProven } from './await-proven.ts'
import { pushPins, type Moved, type Moving } from './moving.ts'
import { differ, isAncestor } from './repository.ts'

/** Stops at the first region that does not prove the commit. */
export async function moveForward(moving: Moving, commit: Commit): Promise<Moved[]> {
  const moved: Moved[] = []
  for (const pin of moving.chosen) {
    await requireNewer(moving, pin, commit)
    await requireBefore(moving, pin, { commit, moved })
    const verdict = await moveOne(moving, pin, commit)
    moved.push({ region: pin.region, from: pin.commit, ...verdict })
    if (verdict.state !== 'proven' && verdict.state !== 'would-move') break
  }
  return moved
}

async function moveOne(moving: Moving, { region, commit: from }: Pin, commit: Commit) {
  if (moving.isDryRun) return { state: 'would-move' as const, why: '' }
  // Refuses here, before anything has moved, where nobody could say whether it is proven.
  await moving.watched.read(region)
  const subject = `move ${region} to ${shortCommit(commit)}`
  if (from !== commit) await pushPins(moving, [region], { commit, subject })
  return await awaitProven(region, commit, moving)
}

async function requireNewer({ place }: Moving, pin: Pin, commit: Commit): Promise<void> {
  if (pin.commit === undefined || (await isAncestor(place.folder, pin.commit, commit))) return
  const what = `${shortCommit(commit)} does not come after ${shortCommit(pin.commit)}`
  throw new Refusal('ERR_PROMOTION_OLDER', `${what}, where ${pin.region} stands`)
}

/** What all regions share has to be proven by the one before; its own overlay a region tries itself. */
async function requireBefore(
  { place, pins, without, watched }: Moving,
  { region }: Pin,
  { commit, moved }: { readonly commit: Commit; readonly moved: readonly Moved[] },
): Promise<void> {
  const before = regionBefore(pins, region, without)
  if (before === undefined || moved.some((one) => one.region === before.region)) return
  const refuse = (why: string): never => {
    throw new Refusal('ERR_PROMOTION_ORDER', `${region} comes after ${before.region}, which ${why}`)
  }
  if (before.commit === undefined) return refuse('follows the branch')
  if (await differ(place.folder, [before.commit, commit], sharedPaths))
    return refuse(`stands at ${shortCommit(before.commit)}, and what they share differs`)
  const { state, why } = judgeApplication(await watched.read(before.region), before.commit)
  if (state !== 'proven') refuse(`has not proven ${shortCommit(before.commit)}: ${why}`)
}
