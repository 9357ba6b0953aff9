import { join } from 'node:path'
import {
  formatRevocationRecords,
  parseRevocationRecords,
  type RevocationRecord,
} from '../core/trust/revoke.ts'
import type { Files } from './files.ts'
import type { Homes } from './homes.ts'

/** When which key was revoked; private, for whoever could shorten a time could let a key in again. */
export function readRevocationRecords(files: Files, homes: Homes): RevocationRecord[] {
  const text = files.read(recordsFile(homes))
  return text === undefined ? [] : parseRevocationRecords(text)
}

export function writeRevocationRecords(
  files: Files,
  homes: Homes,
  records: readonly RevocationRecord[],
): void {
  files.write(recordsFile(homes), formatRevocationRecords(records))
}

function recordsFile(homes: Homes): string {
  return join(homes.operator, 'revocations.json')
}
