import { setTimeout as delay } from 'node:timers/promises'
import { Refusal } from '../../core/errors.ts'
import { placeNetwork } from '../../core/network/endpoint.ts'
import { askServers } from '../../nats/system.ts'
import type { RotationContext } from './rotate-keys.ts'

const deadlineMs = 30_000
const pauseMs = 100

/** Waits until the region's leafnode is back: servers cut it when they took the old key away. */
export async function awaitLeafnode(region: string, context: RotationContext): Promise<void> {
  const { place, pusher } = context
  if (pusher === undefined) return
  const places = placeNetwork(place.archipelago, 'distributed')
  const name = places.find((each) => each.name === region)?.leafnode.name
  const deadline = Date.now() + deadlineMs
  for (;;) {
    const answers = await askServers(pusher, 'LEAFZ', { stallMs: 300 })
    const leafnodes = answers.flatMap(({ data }) => data.leafs ?? [])
    if (leafnodes.some((leafnode) => leafnode.name === name)) return
    if (Date.now() > deadline)
      throw new Refusal('ERR_DEADLINE', `leafnode of ${region} is not back in ${deadlineMs} ms`)
    await delay(pauseMs)
  }
}
