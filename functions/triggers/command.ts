// The command trigger: one request to the function in this process, with the keys of a region's home.
// No server needs to run.
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { Argument, Command } from '@commander-js/extra-typings'
import { makeAsk, readAnswer, type Asking } from '../../core/access/ask.ts'
import { makeExchange, readTokenAnswer } from '../../core/access/ask-exchange.ts'
import { generateCurveKeyPair } from '../../core/access/curve-key.ts'
import { parseInviteFile } from '../../core/access/invite-file.ts'
import type { Archipelago } from '../../core/archipelago.ts'
import { Refusal, type RefusalCode } from '../../core/errors.ts'
import { requireRegion } from '../../core/known-region.ts'
import { functionDoors, type FunctionDoor } from '../../core/network/access-subject.ts'
import { formatCreds, parseCreds } from '../../core/trust/creds.ts'
import { readArchipelago } from '../../store/archipelago.ts'
import { openFiles, readOrRefuse, writePrivate } from '../../store/files.ts'
import { readFunctionTrust, type FunctionTrust } from '../../store/function-trust.ts'
import { defaultDataDir, functionHome, homesOf } from '../../store/homes.ts'
import { makeNkeyPair, requireKey } from '../../store/key-file.ts'
import { openAudit } from '../provisioning/audit.ts'
import { exchangeToken } from '../exchange-token.ts'
import {
  provisionCredential,
  type Provisioning,
  type ProvisioningAnswer,
} from '../provision-credentials.ts'

const functions = ['provision-credentials', 'exchange-token'] as const

const command = new Command('invoke')
  .description('Call a function in this process, without any server: request and answer in one.')
  .addArgument(new Argument('<function>', 'which one').choices(functions))
  .option('--name <name>', 'how others shall see the holder')
  .option('--role <role>', 'what to become', 'member')
  .option('--region <region>', 'whose keys sign (default: the first)')
  .option('--invite <file>', 'come with an invite')
  .option('--token-file <file>', 'the token that exchange-token is to exchange')
  .option('--key <file>', 'the nkey that the token names (default: a new one)')
  .option('--out <file>', 'write the creds file here instead of printing it')
  .option('--json', 'print the result as JSON')
  .option('--archipelago <file>', 'the description of the network', 'archipelago.yaml')
  .option('--data-dir <dir>', 'where the keys lie (default: ~/.local/share/archipelago/<network>)')

type Options = ReturnType<typeof command.opts>

async function main(): Promise<void> {
  const options = command.parse().opts()
  const [called] = command.processedArgs
  if (called === 'exchange-token') {
    const place = openRegion(options, 'identity')
    return show(await exchange(options, place), options, place)
  }
  const place = openRegion(options)
  const creds = await (place.door === 'legacy' ? askLegacy : ask)(options, place)
  show(creds, options, place)
}

interface Place {
  readonly region: string
  readonly door: FunctionDoor
  readonly trust: FunctionTrust
}

function openRegion(
  { archipelago: file, dataDir, role, ...options }: Options,
  only?: FunctionDoor,
): Place {
  const archipelago = readArchipelago(file)
  const homes = homesOf(resolve(dataDir ?? defaultDataDir(archipelago.network, process.env)))
  const region = findRegion(archipelago, options.region)
  const door = only ?? (options.invite === undefined ? doorOf(archipelago, role) : 'invite')
  const keysFolder = functionHome(homes, region, door)
  const folders = { publicFolder: homes.public, keysFolder }
  return { region, door, trust: readFunctionTrust(folders, door) }
}

function findRegion({ regions }: Archipelago, name = regions[0]?.name): string {
  return requireRegion(regions, name ?? '').name
}

/** The first that the role has; a role without one, or an unknown one, the lobby refuses. */
function doorOf({ roles }: Archipelago, name: string): FunctionDoor {
  const role = roles.find((each) => each.name === name)
  return functionDoors.find((door) => role?.doors.includes(door)) ?? 'lobby'
}

async function ask({ name, role, invite: file }: Options, place: Place): Promise<string> {
  const { operator } = place.trust
  const nowMs = Date.now()
  const invite =
    file === undefined
      ? undefined
      : parseInviteFile(readOrRefuse(file, 'invite'), { operator, nowSeconds: nowMs / 1000 })
  const asking: Asking = {
    operator,
    door: place.door,
    role,
    name: need(name, '--name'),
    pair: makeNkeyPair('user'),
    curve: generateCurveKeyPair(),
    nonce: randomBytes(18).toString('base64url'),
    nowMs,
    ...(invite && { invite: { ticket: invite.ticket.text, key: invite.key } }),
  }
  const request = makeAsk(asking)
  const { body } = await answerTo(request.bytes, place)
  const answer = readAnswer(Buffer.from(body), request, asking)
  if (answer.kind === 'granted') return formatCreds(answer.jwt, asking.pair.seed)
  if (answer.kind === 'refused') throw answer.refusal
  throw new Refusal('ERR_ANSWER_ILLEGAL', answer.reason)
}

async function askLegacy({ name }: Options, place: Place): Promise<string> {
  const answer = await answerTo(Buffer.from(need(name, '--name')), place)
  if (answer.isGranted) return answer.body
  const { code, message } = answer.refusal
  throw new Refusal(code === 'ERR_INTERNAL' ? 'ERR_NO_ANSWER' : code, message)
}

/** As over HTTP: what never leaves this process need not be sealed. */
async function exchange({ role, tokenFile, key }: Options, place: Place): Promise<string> {
  const token = readOrRefuse(need(tokenFile, '--token-file'), 'token').trim()
  const pair = key === undefined ? makeNkeyPair('user') : requireKey(openFiles(), 'user', key)
  const asking = {
    ...{ operator: place.trust.operator, role, token, pair, nowMs: Date.now() },
    curve: generateCurveKeyPair(),
    nonce: randomBytes(18).toString('base64url'),
  }
  const asked = makeExchange(asking)
  const request = { kind: 'exchange', bytes: Buffer.from(asked.form), caller } as const
  const { body } = await exchangeToken(request, provisioningOf(place))
  return formatCreds(readTokenAnswer(Buffer.from(body), asked, asking).jwt, pair.seed)
}

function need(value: string | undefined, flag: string): string {
  if (value === undefined) throw new Refusal('ERR_OPTION_ILLEGAL', `${flag} is missing`)
  return value
}

const caller = { trigger: 'command', source: 'command' } as const

/** By the one handler that all triggers call; its audit line goes to standard error. */
function answerTo(bytes: Uint8Array, place: Place): Promise<ProvisioningAnswer> {
  return provisionCredential({ kind: 'access', bytes, caller }, provisioningOf(place))
}

function provisioningOf({ region, door, trust }: Place): Provisioning {
  const audit = openAudit({ region, door }, (line) => console.error(line))
  return { region, door, trust: () => trust, nowMs: Date.now, audit }
}

function show(
  creds: string,
  { out, json, role, ...options }: Options,
  { region, door }: Place,
): void {
  const name = options.name ?? parseCreds(creds).user.claims.name
  if (out !== undefined) writePrivate(resolve(out), creds)
  if (json) {
    const where = out === undefined ? { creds } : { file: resolve(out) }
    return console.log(JSON.stringify({ name, role, region, door, ...where }))
  }
  if (out === undefined) return void process.stdout.write(creds)
  console.log(`${out}: ${name} is ${role}, signed by ${region}`)
}

const hints: Partial<Record<RefusalCode, string>> = {
  ERR_STORE_UNREADABLE:
    'make the trust with npx node scripts/bootstrap-trust.ts or npm start, or name its --data-dir',
  ERR_KEY_NOT_HERE: 'run it where that region has its home, or name another --region',
  ERR_ARCHIPELAGO_ILLEGAL: 'mend the named lines of archipelago.yaml, then run it again',
  ERR_ROLE_UNKNOWN: 'name a role of archipelago.yaml with --role',
  ERR_ROLE_DOOR: 'open a door to that role in archipelago.yaml',
  ERR_INVITE_MISSING: 'make one with npx node scripts/issue-invite.ts, and come with --invite',
}

try {
  await main()
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  const { code, message } = error
  const hint = hints[code]
  console.error(`invoke: ${code}: ${message}${hint === undefined ? '' : `\ndo: ${hint}`}`)
  process.exitCode = 1
}
