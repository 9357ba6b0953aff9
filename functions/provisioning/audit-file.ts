// The audit on a machine where nobody collects standard output: files of a bounded size, and so many of them.
// Who writes also puts aside, so that no line falls between two files.
import { appendFileSync, closeSync, existsSync, fstatSync, openSync, renameSync } from 'node:fs'

export interface AuditFile extends Disposable {
  /** Appends a line before it returns: what cannot be written down is not granted. */
  write(line: string): void
}

/**
 * A file that a line would make larger than `bytesMax` becomes `<path>.1`, that becomes `.2`, and so on: the
 * oldest of `asideMax` is given up. One process at a time may have it open.
 */
export function openAuditFile(
  path: string,
  { bytesMax = 8 * 1024 * 1024, asideMax = 3 } = {},
): AuditFile {
  const open = (): number => openSync(path, 'a', 0o600)
  let file = open()
  let size = fstatSync(file).size
  const change = (): void => {
    for (let at = asideMax; at > 0; at -= 1) putAside(path, at)
    const full = file
    file = open()
    size = 0
    closeSync(full)
  }
  return {
    write(line) {
      const bytes = Buffer.from(`${line}\n`)
      if (size > 0 && size + bytes.length > bytesMax) change()
      appendFileSync(file, bytes)
      size += bytes.length
    },
    [Symbol.dispose]: () => closeSync(file),
  }
}

function putAside(path: string, at: number): void {
  const from = at === 1 ? path : `${path}.${at - 1}`
  if (existsSync(from)) renameSync(from, `${path}.${at}`)
}
