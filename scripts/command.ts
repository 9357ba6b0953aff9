// What every command shares: where the network is described and kept, one catch, and for each refusal
// that a person can mend a line of what to do.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from '@commander-js/extra-typings'
import { parseArchipelago, type Archipelago } from '../core/archipelago.ts'
import { Refusal, type RefusalCode } from '../core/errors.ts'
import { defaultDataDir, homesOf, type Homes } from '../store/homes.ts'

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

/** Reads archipelago.yaml; refuses one that is not there or not right. */
export function openPlace(options: { archipelago: string; dataDir?: string | undefined }): Place {
  const archipelagoFile = resolve(options.archipelago)
  const archipelago = parseArchipelago(readArchipelago(archipelagoFile), options.archipelago)
  const data = resolve(options.dataDir ?? defaultDataDir(archipelago.network, process.env))
  return { archipelago, archipelagoFile, data, homes: homesOf(data) }
}

/** Runs a command: a failure is a line for what, a line for what to do, and exit code 1. */
export function runCommand(name: string, main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    console.error(`${name}: ${describe(error)}`)
    process.exitCode = 1
  })
}

function describe(error: unknown): string {
  if (!(error instanceof Refusal))
    return error instanceof Error ? String(error.stack) : String(error)
  const hint = hints[error.code]
  return hint === undefined ? error.message : `${error.message}\ndo: ${hint}`
}

/** What a person can do about a refusal; a code that is missing here explains itself. */
const hints: Partial<Record<RefusalCode, string>> = {
  ERR_ARCHIPELAGO_MISSING:
    'run it in the folder of archipelago.yaml, or name it with --archipelago',
  ERR_ARCHIPELAGO_ILLEGAL: 'mend the named lines of archipelago.yaml, then run it again',
  ERR_STORE_UNREADABLE: 'run node scripts/bootstrap-trust.ts first, or name its --data-dir',
  ERR_STORE_UNWRITABLE: 'make room or give yourself the right to write there, or use --data-dir',
  ERR_KEY_NOT_HERE: 'run it where that key has its home, or bring the key back there',
  ERR_CONNECT: 'start the network with npm start, or look why that address does not answer',
  ERR_NO_ANSWER:
    'look with node scripts/verify-supercluster.ts which region is down, then try again',
  ERR_BUSY: 'try again in some seconds',
}

function readArchipelago(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause)
    throw new Refusal('ERR_ARCHIPELAGO_MISSING', `cannot read ${file}: ${reason}`, { cause })
  }
}
