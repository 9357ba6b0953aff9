// Asks the system account of a supercluster what it is, and compares that with what it should be.
import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import { parseDuration } from '../core/duration.ts'
import { Refusal } from '../core/errors.ts'
import { formatFindings, formatTopology } from '../core/network/format-topology.ts'
import { gatewayMatrix } from '../core/network/gateway-matrix.ts'
import {
  compareTopology,
  type ExpectedNetwork,
  type Finding,
  type ObservedServer,
} from '../core/network/topology.ts'
import { parseCreds } from '../core/trust/creds.ts'
import { connectWithCreds, type NatsConnection } from '../nats/connect.ts'
import { observeNetwork } from '../nats/observe-network.ts'
import { networkCommand, openPlace } from './command.ts'
import { openOperatorSession } from './operator-session.ts'
import { expectedNetwork } from './verify/expected-network.ts'
import { findMisfits } from './verify/identity-findings.ts'
import { livePlaces } from './verify/live-places.ts'

const couldNotAsk = 2

const command = networkCommand(
  'verify-supercluster',
  'Ask a supercluster what it is: servers, versions, routes, gateways, leafnodes, TLS, configurations, identities.',
)
  .option('--servers <urls>', 'where to connect, separated by commas (default: the local network)')
  .option('--creds <file>', 'a credential that may observe the system account')
  .option('--ca <file>', 'the authority of the servers (default: the well-known ones)')
  .option('--regions <names>', 'the regions to expect, separated by commas, instead of the file’s')
  .option('--servers-per-region <count>', 'how many servers each of them has', '3')
  .option('--no-leafnodes', 'expect no leafnode server in any region')
  .option('--expect <dir>', 'the configurations that should be loaded, as *.conf files')
  .option('--timeout <duration>', 'how long to wait for a connection and for answers', '5s')
  .option('--json', 'print everything as JSON')
  .addHelpText('after', '\nExits with 0 as expected, 1 with findings, 2 when it could not ask.')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : couldNotAsk))

type Options = ReturnType<typeof command.opts>

async function main(): Promise<void> {
  const options = command.parse().opts()
  const expected = expectedNetwork(options, () => {
    const { archipelago, homes } = openPlace(options)
    return livePlaces(archipelago, homes)
  })
  const { observed, misfits } = await observe(options)
  const findings = [...compareTopology(expected, observed), ...(misfits ?? [])]
  const reloads = judgeReloads(expected, findings)
  if (options.json) {
    const matrix = gatewayMatrix(expected, observed)
    console.log(JSON.stringify({ servers: observed, matrix, reloads, findings }, undefined, 2))
  } else {
    console.log(formatTopology(expected, observed).join('\n'))
    console.log(`reloads: ${reloads}`)
    console.log(`identities: ${judgeIdentities(misfits)}`)
    console.log(findings.length === 0 ? '✔ as expected' : formatFindings(findings).join('\n'))
  }
  if (findings.length > 0) process.exitCode = 1
}

interface Seen {
  readonly observed: readonly ObservedServer[]
  /** Undefined where only the servers' system account is at hand. */
  readonly misfits?: readonly Finding[]
}

async function observe(options: Options): Promise<Seen> {
  const timeoutMs = parseDuration(options.timeout) * 1000
  const local = options.servers === undefined ? openLocal(options) : undefined
  const observer = await (local?.connect() ?? connectBefore(timeoutMs, options))
  try {
    const observed = await observeNetwork(observer, { deadlineMs: timeoutMs })
    const what = 'no server answers VARZ, ROUTEZ, GATEWAYZ and LEAFZ: may this credential ask?'
    if (observed.length === 0) throw new Refusal('ERR_NO_ANSWER', what)
    if (local === undefined) return { observed }
    const network = { ...local, observer }
    return { observed, misfits: await findMisfits(network, { nowMs: Date.now(), timeoutMs }) }
  } finally {
    await observer.close()
  }
}

function openLocal(options: Options) {
  const place = openPlace(options)
  const { archipelago, connectAs } = openOperatorSession(place)
  return { archipelago, homes: place.homes, connect: () => connectAs('observer') }
}

function connectBefore(timeoutMs: number, options: Options): Promise<NatsConnection> {
  const { servers = '', creds: file } = options
  if (file === undefined) throw new Refusal('ERR_OPTION_ILLEGAL', '--servers needs --creds')
  const creds = parseCreds(readFileSync(file, 'utf8'))
  const ca = options.ca ? readFileSync(options.ca, 'utf8') : rootCertificates.join('\n')
  const target = { servers: servers.split(','), ca, name: 'verify-supercluster', timeoutMs }
  return connectWithCreds({ ...target, options: { reconnect: false } }, () => creds)
}

function judgeReloads({ digests }: ExpectedNetwork, findings: readonly { code: string }[]): string {
  if (digests === undefined) return 'not checkable without --expect'
  const differing = findings.filter(({ code }) => code === 'digest-differs').length
  return differing === 0 ? 'every server runs its configuration' : `${differing} not taken`
}

function judgeIdentities(misfits: readonly Finding[] | undefined): string {
  if (misfits === undefined) return 'not checkable with --servers'
  return misfits.length === 0
    ? 'every listener, connection and link that was seen fits'
    : `${misfits.length} misfits`
}

main().catch((error: unknown) => {
  console.error(`verify-supercluster: ${error instanceof Error ? error.message : String(error)}`)
  console.error('do: look at --servers, --creds and --ca; start the local network with npm start')
  process.exitCode = couldNotAsk
})
