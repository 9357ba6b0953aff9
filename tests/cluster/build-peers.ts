// Builds the programs that the clusters of the tests are made of, so that no test waits for one.
import { Command } from '@commander-js/extra-typings'
import { buildPeer } from './peers/build-peer.ts'
import { peerNames, type PeerName } from './peers/peers.ts'
import { readPeerPin } from './peers/pin.ts'

async function main(): Promise<void> {
  const command = new Command('build-peers')
    .description(
      'Build Kubernetes, Argo CD, cert-manager and the rest into the cache: about 20 minutes on two cores, once. What was built before is taken as it is.',
    )
    .argument('[names...]', `of ${peerNames.join(', ')}; all without one`)
    .option('--json', 'print the folders as JSON')
    .parse()
  const chosen = command.args.length === 0 ? peerNames : command.args.map(parsePeerName)
  const report = (line: string): void => console.error(`build-peers: ${line}`)
  const folders: Record<string, string> = {}
  for (const name of chosen) {
    const pin = readPeerPin(name, process.env)
    folders[name] = await buildPeer(pin, { environment: process.env, report })
  }
  if (command.opts().json) console.log(JSON.stringify(folders))
  else for (const [name, folder] of Object.entries(folders)) console.log(`${name}\t${folder}`)
}

function parsePeerName(text: string): PeerName {
  const name = peerNames.find((each) => each === text)
  if (name === undefined) throw new RangeError(`unknown peer: '${text}'`)
  return name
}

main().catch((error: unknown) => {
  console.error(`build-peers: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})
