// A workload's side of a token exchange: from the token that its cluster gave it, or from its certificate,
// to a creds file.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command, Option } from '@commander-js/extra-typings'
import { parseNetworkFile } from '../core/access/network-file.ts'
import { formatTokenAudience } from '../core/access/token-audience.ts'
import { Refusal } from '../core/errors.ts'
import { parseBundleMap } from '../core/identity/bundle-map.ts'
import { formatCreds } from '../core/trust/creds.ts'
import { exchangeSvid } from '../requestor/exchange-svid.ts'
import {
  exchangeOverHttps,
  exchangeOverNats,
  type TokenExchange,
} from '../requestor/exchange-token.ts'
import { keepExchanged } from '../requestor/keep-exchanged.ts'
import type { Credential } from '../requestor/request-credential.ts'
import { openFiles, readOrRefuse, writeNewPrivate, writePrivate } from '../store/files.ts'
import { readOrMakeKey } from '../store/key-file.ts'
import { runCommand } from './command.ts'

const command = new Command('exchange-token')
  .description(
    "Exchange a workload's token or certificate for a credential of its own key (RFC 8693).",
  )
  .requiredOption('--network <file>', '<network>.lobby.json, which pins the operator')
  .requiredOption('--key <file>', 'the nkey, made where there is none yet')
  .option('--print-audience', 'print what the token has to be for, and end')
  .option('--token-file <file>', 'the token: it is read anew for each exchange')
  .option('--certificate <file>', 'in place of a token: what issue-svid signed; read anew, too')
  .option('--certificate-key <file>', 'the key of that certificate')
  .option('--bundles <file>', 'with it: identity/bundle-map.json of what git carries')
  .option('--role <role>', 'what archipelago.yaml gives to its subject')
  .option('--out <file>', 'the creds file to write; it holds the key')
  .option('--region <region>', 'the one that is asked (default: the first)')
  .option('--url <url>', 'ask there instead, over HTTPS')
  .addOption(
    new Option('--transport <way>', 'how to ask').choices(['nats', 'https']).default('nats'),
  )
  .option('--keep', 'exchange again at half of each credential, until it is ended')
  .option('--force', 'overwrite the creds file')
  .option('--json', 'print what was got as JSON')

type Options = ReturnType<typeof command.opts>

async function main(): Promise<void> {
  const options = command.parse().opts()
  const network = parseNetworkFile(readOrRefuse(options.network, 'network file'))
  const pair = readOrMakeKey(openFiles(), 'user', resolve(options.key))
  if (options.printAudience)
    return console.log(formatTokenAudience(network.file.network, pair.publicKey))
  const { region, force = false } = options
  const out = resolve(need(options, 'out', '--out'))
  if (!force && existsSync(out)) throw new Refusal('ERR_FILE_EXISTS', `exists: ${out}`)
  const role = need(options, 'role', '--role')
  const exchange = exchangeBy(options, { network, role, pair, ...(region && { region }) })
  const credential = await exchange()
  const creds = ({ creds: { user } }: Credential): string => formatCreds(user.text, pair.seed)
  ;(force ? writePrivate : writeNewPrivate)(out, creds(credential))
  show(credential, { out, json: options.json })
  if (!options.keep) return
  await keepExchanged(credential, {
    exchange,
    onCredential: (next) => {
      writePrivate(out, creds(next))
      show(next, { out, json: options.json })
    },
    onFailure: ({ message }, retryMs) =>
      console.error(`exchange-token: ${message}; again in ${Math.round(retryMs / 1000)} s`),
    signal: untilStopped(),
  })
}

type Wanted = Omit<TokenExchange, 'token'>

function exchangeBy(options: Options, wanted: Wanted): () => Promise<Credential> {
  const { certificate, url, transport } = options
  if (certificate !== undefined) return exchangeByCertificate(certificate, options, wanted)
  const tokenFile = need(options, 'tokenFile', '--token-file')
  return () => {
    const asked = { ...wanted, token: readOrRefuse(tokenFile, 'token').trim() }
    if (url === undefined && transport === 'nats') return exchangeOverNats(asked)
    return exchangeOverHttps({ ...asked, ...(url !== undefined && { url }) })
  }
}

function exchangeByCertificate(certificate: string, options: Options, wanted: Wanted) {
  const key = need(options, 'certificateKey', '--certificate-key')
  const bundles = need(options, 'bundles', '--bundles')
  return (): Promise<Credential> => {
    const workload = {
      certificate: readOrRefuse(certificate, 'certificate'),
      key: readOrRefuse(key, 'key'),
      bundles: parseBundleMap(readOrRefuse(bundles, 'bundle map')),
    }
    return exchangeSvid({ ...wanted, workload })
  }
}

type Needed = 'tokenFile' | 'certificateKey' | 'bundles' | 'role' | 'out'

function need(options: Options, name: Needed, flag: string): string {
  const value = options[name]
  if (value === undefined) throw new Refusal('ERR_OPTION_ILLEGAL', `${flag} is missing`)
  return value
}

function show({ creds, region, tookMs }: Credential, { out, json = false }: Shown): void {
  const { sub: nkey, name = '', exp = 0 } = creds.user.claims
  const ends = new Date(exp * 1000).toISOString()
  const took = Number(tookMs.toFixed(1))
  if (json)
    return console.log(JSON.stringify({ file: out, nkey, name, region, tookMs: took, ends }))
  console.log(`${out}: ${name} until ${ends}, issued by ${region} in ${took} ms`)
}

interface Shown {
  readonly out: string
  readonly json?: boolean | undefined
}

function untilStopped(): AbortSignal {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  return stop.signal
}

runCommand(command.name(), main, {
  ERR_FILE_EXISTS: 'name another file with --out, or overwrite it with --force',
  ERR_OPTION_ILLEGAL: 'give it, or --print-audience to see what the token has to be for',
  ERR_REQUEST_OVERSIZE: 'ask over HTTPS, with --transport https: there a token may have 16 KiB',
  ERR_TOKEN_AUDIENCE: 'have the token made for what --print-audience prints',
  ERR_TOKEN_BINDING: 'have the token made for what --print-audience prints, with this --key',
  ERR_TOKEN_EXPIRED: 'get a new token, or set the clock that is wrong',
  ERR_TOKEN_NOT_YET_VALID: 'set the clock that is wrong',
  ERR_TOKEN_ISSUER: 'name a --region whose functions believe this issuer',
  ERR_CALLER_CERTIFICATE: 'have issue-svid sign a new one, or mend what the reason names',
  ERR_PROOF_STALE: "set this machine's clock",
})
