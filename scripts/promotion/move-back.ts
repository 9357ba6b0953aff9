// Back to what ran before: at once, since every region has already proven it.
import { Refusal } from '../../core/errors.ts'
import { quote } from '../../core/quote.ts'
import { parseRevision, revisionFile, shortCommit, type Commit } from '../../gitops/revision.ts'
import { awaitProven } from './await-proven.ts'
import { pushPins, type Moved, type Moving } from './moving.ts'
import { historyOf, isAncestor, readAt } from './repository.ts'

/** Where the first of the chosen regions stood before it was moved last. */
export async function previousCommit(moving: Moving, head: Commit): Promise<Commit> {
  const { folder } = moving.place
  const [first] = moving.chosen
  const file = revisionFile(first?.region ?? '')
  for (const commit of await historyOf(folder, head, file)) {
    const text = await readAt(folder, commit, file)
    const pinned = text === undefined ? undefined : parseRevision(text)
    if (pinned === undefined || first?.commit === undefined) break
    if (pinned === first.commit) continue
    if (await isAncestor(folder, pinned, first.commit)) return pinned
  }
  const what = `no commit before this one is known of ${quote(first?.region ?? '')}`
  throw new Refusal('ERR_PROMOTION_NOWHERE', what)
}

/** Those of the chosen regions that stand where the first of them does; one commit moves them all. */
export async function moveBack(moving: Moving, commit: Commit): Promise<Moved[]> {
  const { chosen, place } = moving
  const back = chosen.filter((pin) => pin.commit === chosen[0]?.commit)
  for (const { region, commit: from } of back) {
    if (from === undefined || (await isAncestor(place.folder, commit, from))) continue
    const what = `${shortCommit(commit)} does not come before ${shortCommit(from)}`
    throw new Refusal('ERR_PROMOTION_NOWHERE', `${what}, where ${region} stands`)
  }
  const names = back.map(({ region }) => region)
  if (moving.isDryRun)
    return back.map(({ region, commit: from }) => ({ region, from, state: 'would-move', why: '' }))
  const subject = `move ${names.join(', ')} back to ${shortCommit(commit)}`
  await pushPins(moving, names, { commit, subject })
  return await Promise.all(
    back.map(async ({ region, commit: from }) => ({
      region,
      from,
      ...(await awaitProven(region, commit, moving)),
    })),
  )
}
