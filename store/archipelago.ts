// archipelago.yaml with the files that it names.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArchipelago, type Archipelago } from '../core/archipelago.ts'
import { withIssuerKeys } from '../core/archipelago/issuer-keys.ts'
import { Refusal } from '../core/errors.ts'
import { readIfThere } from './files.ts'

/** Refuses a file that is not there or not right, or whose issuers' keys are not; `shown` is its name in messages. */
export function readArchipelago(file: string, shown = file): Archipelago {
  const archipelago = parseArchipelago(readText(file), shown)
  return withIssuerKeys(archipelago, (path) => readIfThere(join(dirname(file), path)))
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause)
    throw new Refusal('ERR_ARCHIPELAGO_MISSING', `cannot read ${file}: ${reason}`, { cause })
  }
}
