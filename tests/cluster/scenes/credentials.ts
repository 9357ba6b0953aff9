// What a region hands out, and what it is good for.
import { until } from '../../until.ts'
import { joinAsMember } from '../network/member.ts'
import type { Assertions, Network } from '../network/network.ts'

const subject = 'chat.KUBECON.posts.General'

export async function heardEverywhere(
  t: Assertions,
  { lab, operator, say }: Network,
): Promise<void> {
  const members = await Promise.all(
    lab.clusters.map((cluster) => joinAsMember(lab, operator, cluster)),
  )
  say('every region has handed out a credential')
  const [speaker, ...listeners] = members
  const heard = Promise.all(listeners.map((listener) => listener.hear(subject)))
  let isOver = false
  void heard.finally(() => (isOver = true)).catch(() => {})
  // A subscription that has only just come is known in other regions a moment later.
  await until('the others to hear it', async () => {
    await speaker?.publish(subject, 'from ams3')
    return isOver
  })
  t.deepEqual(
    (await heard).map((text) => text.trim()),
    listeners.map(() => 'from ams3'),
  )
}
