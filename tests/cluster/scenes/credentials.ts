// What a region hands out, and what it is good for.
import { until } from '../../until.ts'
import { joinEverywhere, type Assertions, type Network } from '../network/network.ts'

const subject = 'chat.KUBECON.posts.General'

export async function heardEverywhere(t: Assertions, network: Network): Promise<void> {
  const { ams3, ...others } = await joinEverywhere(network)
  const listeners = Object.values(others)
  network.say('every region has handed out a credential')
  const heard = Promise.all(listeners.map((listener) => listener.hear(subject)))
  let isOver = false
  void heard.finally(() => (isOver = true)).catch(() => {})
  // A subscription that has only just come is known in other regions a moment later.
  await until('the others to hear it', async () => {
    await ams3.publish(subject, 'from ams3')
    return isOver
  })
  t.deepEqual(
    (await heard).map((text) => text.trim()),
    listeners.map(() => 'from ams3'),
  )
}
