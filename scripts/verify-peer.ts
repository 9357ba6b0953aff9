// Looks at what a live listener shows: whoever runs it needs no credential of the network.
import { Option } from '@commander-js/extra-typings'
import { parseDuration } from '../core/duration.ts'
import { Refusal, type RefusalCode } from '../core/errors.ts'
import { parseCertificates, type Certificate } from '../core/identity/certificate.ts'
import { formatExitCodes, formatPeer, parseFailUnder } from '../core/identity/format-peer.ts'
import { requireRoot } from '../core/identity/chain.ts'
import { exitCodeOf, findSilent, judgePeer, misfits } from '../core/identity/peer-report.ts'
import { parseSpiffeId } from '../core/identity/spiffe-id.ts'
import { quote } from '../core/quote.ts'
import { peerChain } from '../nats/handshake.ts'
import { rootsFile } from '../store/authority-files.ts'
import { readOrRefuse } from '../store/files.ts'
import { networkCommand, openPlace } from './command.ts'
import { findingsOf, formatNetwork, verifyAll } from './verify/all-peers.ts'

const everything = new Option('--all', 'every listener, connection and link of the local network')
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
  .addOption(everything.conflicts(['expectId', 'issuer', 'name', 'protocol']))
  .option('--expect-id <id>', 'the SPIFFE ID that it must have')
  .option('--issuer <name>', "the issuer's SPIFFE ID, subject, common name or SHA-256")
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
  if (peer !== undefined && options.linkAgeMax !== undefined)
    throw new Refusal('ERR_OPTION_ILLEGAL', '--link-age-max is for --all: a peer shows no links')
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
  try {
    const { chain, protocol } = await peerChain({ host, port, mode, serverName, timeoutMs })
    const report = judgePeer(chain, { ...wishes, name: serverName, id, issuer })
    const text = () => [`${peer}: ${protocol}`, ...formatPeer(report)].join('\n')
    console.log(options.json ? toJson({ peer, protocol, ...report }) : text())
    process.exitCode = exitCodeOf(report.findings)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const findings = [findSilent(error)]
    if (options.json) console.log(toJson({ peer, certificates: [], findings }))
    complain(error)
    process.exitCode = exitCodeOf(findings)
  }
}

async function verifyNetwork(options: Options, wishes: Wishes): Promise<void> {
  const report = await verifyAll(openPlace(options), wishes)
  console.log(options.json ? toJson(report) : formatNetwork(report).join('\n'))
  process.exitCode = exitCodeOf(findingsOf(report))
}

function parsePeer(text: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain
  if (host !== undefined && Number(port) > 0 && Number(port) <= 65_535)
    return { host, port: Number(port) }
  const what = `not host:port, an IPv6 address in brackets: ${quote(text)}`
  throw new Refusal('ERR_OPTION_ILLEGAL', what)
}

function readRoots(options: Options): Certificate[] {
  const kinds = ['identity', 'public'] as const
  const files = () => kinds.map((kind) => rootsFile(openPlace(options).homes.public, kind))
  const texts = (options.roots === undefined ? files() : [options.roots]).map((file) =>
    readOrRefuse(file, 'roots'),
  )
  const roots = texts.flatMap(parseCertificates)
  for (const root of roots) requireRoot(root)
  return roots
}

const toJson = (value: unknown) => JSON.stringify(value, undefined, 2)

const help = 'npx node scripts/verify-peer.ts --help'
const hints: Partial<Record<RefusalCode, string>> = {
  ERR_CONNECT: 'look whether it runs, and listens there; --timeout waits longer',
  ERR_PEER_PLAIN: 'look whether this is the port that you mean, and its --protocol',
  ERR_STORE_UNREADABLE: 'name the network by --data-dir, or its roots by --roots',
  ERR_ROOT_ILLEGAL: 'give --roots the offline roots; an authority below them is told by --issuer',
}

function complain(error: unknown): void {
  console.error(`verify-peer: ${error instanceof Error ? error.message : String(error)}`)
  const hint = error instanceof Refusal ? hints[error.code] : undefined
  console.error(`do: ${hint ?? `look at ${help}`}`)
}

main().catch((error: unknown) => {
  complain(error)
  const isSilence = error instanceof Refusal && error.code === 'ERR_CONNECT'
  process.exitCode = isSilence ? misfits.silent.exitCode : wrongUse
})
