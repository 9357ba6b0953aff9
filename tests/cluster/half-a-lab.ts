// A lab that is killed while it works, for lab.test.ts: a network, and a node in it.
import { join } from 'node:path'
import { regionAddresses } from './lab/addresses.ts'
import { startCell } from './lab/cell.ts'
import { makeInternet, makeRegionNetwork, names } from './lab/network.ts'
import { openPlace } from './lab/place.ts'
import { openToolbox } from './lab/toolbox.ts'

const forAWhileMs = 60_000

async function main(): Promise<void> {
  const place = openPlace()
  const toolbox = await openToolbox(place.folderOf('bin'), console.error)
  await makeInternet(place)
  await makeRegionNetwork(place, { region: 'ams3', nodes: 1, addresses: regionAddresses(1) })
  const cell = await startCell(place, {
    name: names.node(place.id, 'ams3', 1),
    folder: place.folderOf('ams3-1'),
    pause: join(await toolbox.peer('pause'), 'bin/pause'),
    path: `${toolbox.bin}:/usr/bin:/bin`,
  })
  cell.start('sleep', ['sleep', '60'])
  console.log(place.id)
  setTimeout(() => {}, forAWhileMs)
}

main().catch((error: unknown) => {
  console.error(`half-a-lab: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})
