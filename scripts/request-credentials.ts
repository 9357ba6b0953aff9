// Asks a running network for a credential and writes a creds file that every NATS client reads.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command, Option } from '@commander-js/extra-typings'
import { parseInviteFile, type Invite } from '../core/access/invite-file.ts'
import { parseNetworkFile, type Network } from '../core/access/network-file.ts'
import { Refusal } from '../core/errors.ts'
import { formatCreds } from '../core/trust/creds.ts'
import { requestCredential, type Credential } from '../requestor/request-credential.ts'
import { readOrRefuse, writeNewPrivate, writePrivate } from '../store/files.ts'
import { makeNkeyPair } from '../store/key-file.ts'
import { nowSeconds, runCommand } from './command.ts'

const command = new Command('request-credentials')
  .description('Make a key, ask a function for a credential, check it and write the creds file.')
  .requiredOption('--network <file>', '<network>.lobby.json, which pins the operator')
  .requiredOption('--out <file>', 'the creds file to write; it holds the key')
  .option('--name <name>', "how others shall see you (default: the invite's)")
  .option('--role <role>', "what to become (default: the invite's, else member)")
  .option('--region <region>', 'ask this region first')
  .option('--invite <file>', 'come with an invite')
  .addOption(
    new Option('--transport <way>', 'how to ask').choices(['nats', 'https', 'any']).default('any'),
  )
  .option('--force', 'overwrite the creds file')
  .option('--json', 'print what was got as JSON')

async function main(): Promise<void> {
  const {
    network: networkFile,
    out,
    name,
    role,
    region,
    invite: inviteFile,
    ...options
  } = command.parse().opts()
  const file = resolve(out)
  if (!options.force && existsSync(file)) throw new Refusal('ERR_FILE_EXISTS', `exists: ${file}`)
  const network = parseNetworkFile(readOrRefuse(networkFile, 'network file'))
  const invite = inviteFile === undefined ? undefined : readInvite(inviteFile, network)
  const claims = invite?.ticket.claims
  const asked = {
    name: name ?? claims?.name ?? refuseName(),
    role: role ?? claims?.nats.role ?? 'member',
  }
  const credential = await requestCredential({
    network,
    ...asked,
    pair: makeNkeyPair('user'),
    transport: options.transport,
    ...(region !== undefined && { region }),
    ...(invite && { invite: { ticket: invite.ticket.text, key: invite.key } }),
  })
  const { user, pair } = credential.creds
  const write = options.force ? writePrivate : writeNewPrivate
  write(file, formatCreds(user.text, pair.seed))
  show({ file, ...asked, ...describe(credential) }, options.json)
}

function readInvite(file: string, { operator }: Network): Invite {
  return parseInviteFile(readOrRefuse(file, 'invite'), { operator, nowSeconds: nowSeconds() })
}

function refuseName(): never {
  throw new Refusal('ERR_NAME_MISSING', 'no name: --name, or an invite that has one')
}

function describe({ creds, region, tookMs }: Credential) {
  const { sub: nkey, exp = 0 } = creds.user.claims
  return {
    nkey,
    region,
    tookMs: Number(tookMs.toFixed(1)),
    ends: new Date(exp * 1000).toISOString(),
  }
}

type Got = ReturnType<typeof describe> & { file: string; name: string; role: string }

function show(got: Got, isJson = false): void {
  if (isJson) return console.log(JSON.stringify(got))
  const { file, name, role, region, tookMs, ends } = got
  console.log(`${file}: ${name} is ${role} until ${ends}, issued by ${region} in ${tookMs} ms`)
}

runCommand(command.name(), main, {
  ERR_FILE_EXISTS: 'name another file with --out, or overwrite it with --force',
  ERR_NAME_MISSING: 'give a name with --name',
  ERR_ROLE_DOOR: 'ask the operator for an invite to that role, and come with --invite',
  ERR_PROOF_STALE: "set this machine's clock",
  ERR_INVITE_EXPIRED: 'ask the operator for a new invite',
  ERR_INVITE_DENIED: 'ask the operator why it was taken back',
})
