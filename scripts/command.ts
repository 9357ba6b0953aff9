// What every command shares: where the network is described and kept, one catch, and for each refusal
// that a person can mend a line of what to do.
import { homedir } from 'node:os'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from '@commander-js/extra-typings'
import type { Archipelago } from '../core/archipelago.ts'
import { Refusal, type RefusalCode } from '../core/errors.ts'
import { readArchipelago } from '../store/archipelago.ts'
import { defaultDataDir, homesOf, type Homes } from '../store/homes.ts'
import {
  ownStores,
  requireClosed,
  requireOutside,
  workTreeOf,
  type Forbidden,
} from '../store/place.ts'

export interface Place {
  readonly archipelago: Archipelago
  readonly archipelagoFile: string
  readonly data: string
  readonly homes: Homes
}

/** A command with the options by which `openPlace` finds the network. */
export function networkCommand(name: string, description: string) {
  return new Command(name)
    .description(description)
    .option('--archipelago <file>', 'the description of the network', 'archipelago.yaml')
    .option(
      '--data-dir <dir>',
      'where keys and state lie (default: ~/.local/share/archipelago/<network>)',
    )
}

/**
 * Reads archipelago.yaml; refuses one that is not there or not right, and a data folder that lies in
 * the repository, in the user's own nsc store, or open to others.
 */
export function openPlace(options: { archipelago: string; dataDir?: string | undefined }): Place {
  const archipelagoFile = resolve(options.archipelago)
  const archipelago = readArchipelago(archipelagoFile, options.archipelago)
  const data = resolve(options.dataDir ?? defaultDataDir(archipelago.network, process.env))
  requireOutside(data, [...repositoriesOf(archipelagoFile), ...ownStores(homedir(), process.env)])
  requireClosed(data)
  return { archipelago, archipelagoFile, data, homes: homesOf(data) }
}

/** Where no key may lie: this repository, and the one of archipelago.yaml. */
export function repositoriesOf(archipelagoFile: string): Forbidden[] {
  const own = { path: fileURLToPath(new URL('..', import.meta.url)), what: 'the repository' }
  return [own, ...workTreeOf(dirname(archipelagoFile))]
}

/** For options that may be given more than once. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}

/** What to do about a refusal, by its code. */
export type Hints = Partial<Record<RefusalCode, string>>

/**
 * Runs a command: a failure is a line for what, a line for what to do, and exit code 1. Hints of its
 * own come before those that all commands share.
 */
export function runCommand(name: string, main: () => Promise<void>, ownHints: Hints = {}): void {
  main().catch((error: unknown) => {
    console.error(`${name}: ${describe(error, ownHints)}`)
    process.exitCode = 1
  })
}

function describe(error: unknown, ownHints: Hints): string {
  if (!(error instanceof Refusal))
    return error instanceof Error ? String(error.stack) : String(error)
  const hint = ownHints[error.code] ?? hints[error.code]
  return hint === undefined ? error.message : `${error.message}\ndo: ${hint}`
}

/** What a person can do about a refusal; a code that is missing here explains itself. */
const hints: Hints = {
  ERR_ARCHIPELAGO_MISSING:
    'run it in the folder of archipelago.yaml, or name it with --archipelago',
  ERR_ARCHIPELAGO_ILLEGAL: 'mend the named lines of archipelago.yaml, then run it again',
  ERR_STORE_UNREADABLE: 'run npx node scripts/bootstrap-trust.ts first, or name its --data-dir',
  ERR_STORE_UNWRITABLE: 'make room or give yourself the right to write there, or use --data-dir',
  ERR_STORE_PLACE: 'name another folder with --data-dir, outside every repository',
  ERR_STORE_OPEN:
    'close it with chmod -R go-rwx on the data folder; a key that others could read is no secret',
  ERR_REGION_UNKNOWN: 'name a region of archipelago.yaml, or add it there first',
  ERR_REGION_KEYS_TAKEN: 'get the file again from the machine where the region has its home',
  ERR_HOME_ELSEWHERE:
    'name the home that is here with --home, or bring a lost one back with restore-trust',
  ERR_IDENTITY_KEY_AWAY: 'bring it back with move-operator-key --back, do this, move it away again',
  ERR_CERTIFICATE_NOT_YET_VALID:
    'set the clock that is wrong; where it was the one by which that was signed, wait until then',
  ERR_CERTIFICATE_EXPIRED: 'set the clock that is wrong, or have it signed anew',
  ERR_AUTHORITY_EXPIRED: 'set the clock that is wrong, or make the next one with roll-authority',
  ERR_KEY_NOT_HERE: 'run it where that key has its home, or bring the key back there',
  ERR_CSR_KEY: 'make the key on P-256, as request-authority and request-svid do',
  ERR_CONNECT: 'start the network with npm start, or look why that address does not answer',
  ERR_NO_ANSWER:
    'look with npx node scripts/verify-supercluster.ts which region is down, then try again',
  ERR_BUSY: 'try again in some seconds',
  ERR_PASSPHRASE_MISSING: 'put a long one into a file and name it with --passphrase-file',
  ERR_PASSPHRASE_WRONG: 'try again; without it nothing can be read',
  ERR_ALREADY_RUNNING: 'use the one that runs, or end it with Ctrl-C where it was started',
  ERR_PLAN_ASKS:
    'look at npx node scripts/plan.ts, then agree with npx node scripts/apply.ts --yes',
  ERR_PLAN_CHANGED: 'run it again and look at the new plan',
  ERR_PLAN_IMPOSSIBLE: 'take that edit back, or begin anew with another --data-dir',
  ERR_NOT_PUSHED:
    'look with npx node scripts/verify-supercluster.ts at the named servers, then run it again',
  ERR_CONTROL_LOST: 'start the network with npm start, then run it again',
  ERR_CONTROL_PATH: 'name a data folder with a shorter path, with --data-dir',
  ERR_PORT_TAKEN: 'end the program that holds it, or change laptop.firstPort in archipelago.yaml',
  ERR_ADDRESS_UNUSABLE: 'name a loopback address of this machine as laptop.address',
  ERR_FILE_EXISTS: 'name another file, or remove that one first',
}
