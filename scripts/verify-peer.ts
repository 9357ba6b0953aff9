// Looks at what a live listener shows: whoever runs it needs no credential of the network.
import { readFileSync } from 'node:fs'
import { Option } from '@commander-js/extra-typings'
import { parseDuration } from '../core/duration.ts'
import { Refusal } from '../core/errors.ts'
import { parseCertificates, type Certificate } from '../core/identity/certificate.ts'
import { formatExitCodes, formatPeer, parseFailUnder } from '../core/identity/format-peer.ts'
import { exitCodeOf, judgePeer, misfits } from '../core/identity/peer-report.ts'
import { parseSpiffeId } from '../core/identity/spiffe-id.ts'
import { peerChain } from '../nats/handshake.ts'
import { rootsFile } from '../store/authority-files.ts'
import { networkCommand, openPlace } from './command.ts'
import { formatNetwork, verifyAll } from './verify/all-peers.ts'

const modes = ['auto', 'nats', 'tls'] as const
const protocol = new Option(
  '--protocol <name>',
  'nats: INFO comes before TLS; tls: TLS comes first',
)
const wrongUse = 2
const command = networkCommand(
  'verify-peer',
  'Show the certificates of a live listener, from its leaf to the offline root, and what does not fit.',
)
  .argument('[peer]', 'host:port of a client, route, gateway, leafnode, workload or HTTPS listener')
  .option('--all', 'every listener, connection and link of the local network')
  .option('--expect-id <id>', 'the SPIFFE ID that it must have')
  .option('--issuer <name>', "the issuer's SPIFFE ID, common name or SHA-256")
  .option('--fail-under <limits>', 'what must be left, such as leaf=15m,intermediate=30d,root=1y')
  .option(
    '--link-age-max <duration>',
    'with --all, how old a link may be (default: as old as its authority)',
  )
  .option('--roots <file>', 'the roots to trust, as PEM (default: the two of the data folder)')
  .option('--name <name>', 'the server name to ask for (default: the host)')
  .addOption(protocol.choices(modes).default('auto' as const))
  .option('--timeout <duration>', 'how long to wait for a peer', '5s')
  .option('--json', 'print everything as JSON')
  .addHelpText('after', `\nExits with the first of:\n${formatExitCodes().join('\n')}`)
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : wrongUse))

type Options = ReturnType<typeof command.opts>

async function main(): Promise<void> {
  const options = command.parse().opts()
  const [peer] = command.processedArgs
  if ((peer === undefined) === (options.all === undefined))
    throw new Refusal('ERR_OPTION_ILLEGAL', 'name one peer, as host:port, or --all')
  const wishes = {
    roots: readRoots(options),
    nowMs: Date.now(),
    timeoutMs: parseDuration(options.timeout) * 1000,
    ...(options.linkAgeMax !== undefined && {
      linkAgeSecondsMax: parseDuration(options.linkAgeMax),
    }),
    ...(options.failUnder !== undefined && { failUnder: parseFailUnder(options.failUnder) }),
  }
  await (peer === undefined ? verifyNetwork(options, wishes) : verifyPeer(peer, options, wishes))
}

type Wishes = Parameters<typeof verifyAll>[1]

async function verifyPeer(peer: string, options: Options, wishes: Wishes): Promise<void> {
  const { host, port } = parsePeer(peer)
  const { expectId, issuer, name: serverName = host, protocol: mode } = options
  const id = expectId === undefined ? undefined : parseSpiffeId(expectId)
  const { timeoutMs } = wishes
  const { chain, protocol } = await peerChain({ host, port, mode, serverName, timeoutMs })
  const report = judgePeer(chain, { ...wishes, name: serverName, id, issuer })
  const text = () => [`${peer}: ${protocol}`, ...formatPeer(report)].join('\n')
  console.log(options.json ? toJson({ peer, protocol, ...report }) : text())
  process.exitCode = exitCodeOf(report.findings)
}

async function verifyNetwork(options: Options, wishes: Wishes): Promise<void> {
  const report = await verifyAll(openPlace(options), wishes)
  console.log(options.json ? toJson(report) : formatNetwork(report).join('\n'))
  const { connected, inferred } = report
  const observed = report.observed.flatMap(({ findings }) => findings)
  process.exitCode = exitCodeOf([...observed, ...connected.findings, ...inferred.findings])
}

function parsePeer(text: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain
  if (host !== undefined && Number(port) <= 65_535) return { host, port: Number(port) }
  throw new Refusal('ERR_OPTION_ILLEGAL', `not host:port: '${text}'`)
}

function readRoots(options: Options): Certificate[] {
  if (options.roots !== undefined) return parseCertificates(readFileSync(options.roots, 'utf8'))
  const { homes } = openPlace(options)
  const files = (['identity', 'public'] as const).map((kind) => rootsFile(homes.public, kind))
  return files.flatMap((file) => parseCertificates(readFileSync(file, 'utf8')))
}

const toJson = (value: unknown) => JSON.stringify(value, undefined, 2)

main().catch((error: unknown) => {
  console.error(`verify-peer: ${error instanceof Error ? error.message : String(error)}`)
  console.error(
    'do: look at the address, --roots and --data-dir; npx node scripts/verify-peer.ts --help',
  )
  const codes: Record<string, number> = { ERR_CONNECT: 1, ERR_PEER_PLAIN: misfits.chain.exitCode }
  process.exitCode = (error instanceof Refusal ? codes[error.code] : undefined) ?? wrongUse
})
