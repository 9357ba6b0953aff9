// Makes every route, gateway and leafnode anew: a TLS connection outlives its certificate, so links have
// to be restarted when an authority or a server's identity is withdrawn.
import { restartNetworkLinks } from '../laptop/network/ask-network.ts'
import { collect, networkCommand, openPlace, runCommand } from './command.ts'

const command = networkCommand(
  'restart-links',
  'Drain and restart the servers of the running network, one when the one before it is meshed again.',
)
  .option('--new-key <server>', 'give it a new key first, and pin the old one no more', collect)
  .option('--dry-run', 'change nothing, say who would restart')
  .option('--json', 'print who was restarted as JSON')

async function main(): Promise<void> {
  const { newKey: newKeys = [], dryRun, json, ...where } = command.parse().opts()
  const place = openPlace(where)
  const names = place.archipelago.regions.flatMap(({ name, servers }) => [
    ...Array.from({ length: servers }, (_, index) => `${name}-${index}`),
    `${name}-leafnode`,
  ])
  if (!dryRun) await restartNetworkLinks(place, newKeys, (line) => console.error(`• ${line}`))
  if (json) return console.log(JSON.stringify({ names, newKeys, isDryRun: dryRun ?? false }))
  console.log(`${dryRun ? 'would restart' : 'restarted'} ${names.join(', ')}`)
  if (newKeys.length > 0) console.log(`with new keys: ${newKeys.join(', ')}`)
}

runCommand(command.name(), main, {
  ERR_NOT_RUNNING: 'start it with npm start: every link is made anew by that, too',
  ERR_SERVER_UNKNOWN: 'name a server as verify-supercluster does, such as ams3-0',
})
