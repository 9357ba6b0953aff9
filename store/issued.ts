// The record of issuance in a region's home: a file a day, a line a certificate, only ever added to.
import { closeSync, fsyncSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { intermediateSeconds } from '../core/identity/lifetime.ts'
import { formatIssued, parseIssued, type Issued, type Recorded } from '../core/identity/recorded.ts'
import { syncToDisk } from './durable.ts'
import { makePrivateFolder, readBytes } from './files.ts'
import { regionHome, type Homes } from './homes.ts'

/** A connection that is older than this is one under an authority that has ended, too. */
const keptMs = intermediateSeconds * 1000

/**
 * Before a certificate leaves its issuer: when it returns, the lines are on the disk. Any number of
 * processes may do so at once.
 */
export function recordIssued(homes: Homes, region: string, issued: readonly Issued[]): void {
  const byFile = Map.groupBy(issued, (each) => dayFile(homes, region, each.notBefore))
  for (const [path, lines] of byFile) appendDurably(path, lines.map(formatIssued))
}

/**
 * What the regions' homes on this machine say, by the SHA-256 in hexadecimal of a certificate or of its
 * public key: of several certificates of one key the newest.
 */
export function findIssued(
  homes: Homes,
  regions: readonly string[],
  digests: ReadonlySet<string>,
): Map<string, Recorded> {
  if (digests.size === 0) return new Map()
  const found = regions.flatMap((region) =>
    dayFiles(homes, region)
      .flatMap(readLines)
      .filter((line) => digestsIn(line).some((digest) => digests.has(digest)))
      .map((line) => ({ ...parseIssued(line), region })),
  )
  const entries = (['spkiSha256', 'sha256'] as const).flatMap((of) =>
    found.map((each) => [each[of], each] as const),
  )
  return new Map(entries.filter(([digest]) => digests.has(digest)))
}

/** Removes the days all of whose certificates ended longer ago than an authority lives. */
export function pruneIssued(homes: Homes, region: string, nowMs: number): string[] {
  const isOver = (line: string) => Date.parse(parseIssued(line).notAfter) + keptMs < nowMs
  const over = dayFiles(homes, region)
    .filter((path) => Date.parse(basename(path, suffix)) + keptMs < nowMs)
    .filter((path) => readLines(path).every(isOver))
  for (const path of over) rmSync(path, { force: true })
  return over
}

const suffix = '.jsonl'

const folderOf = (homes: Homes, region: string) =>
  join(regionHome(homes, region), 'identity', 'issued')

const dayFile = (homes: Homes, region: string, time: string) =>
  join(folderOf(homes, region), `${time.slice(0, 'yyyy-mm-dd'.length)}${suffix}`)

/** Between two breaks each: what a crash left unfinished before or after is a line of its own. */
function appendDurably(path: string, lines: readonly string[]): void {
  makePrivateFolder(dirname(path))
  const bytes = Buffer.from(lines.map((line) => `\n${line}\n`).join(''))
  try {
    const file = openSync(path, 'a', 0o600)
    try {
      // In one write: those of other processes come before or after it, not between.
      const written = writeSync(file, bytes)
      if (written < bytes.length) throw new Error(`${written} of ${bytes.length} bytes written`)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    syncToDisk(dirname(path))
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause)
    throw new Refusal('ERR_STORE_UNWRITABLE', `cannot write ${path}: ${reason}`, { cause })
  }
}

/** Without what a crash left of a line: its certificate was never handed out. */
function readLines(path: string): string[] {
  const lines = readBytes(path, 'record of issuance').toString().split('\n')
  return lines.filter((line) => line.startsWith('{') && line.endsWith('}'))
}

const digestsIn = (line: string) =>
  Array.from(
    line.matchAll(/"(?:sha256|spkiSha256)":"([0-9a-f]{64})"/g),
    ([, digest = '']) => digest,
  )

function dayFiles(homes: Homes, region: string): string[] {
  const folder = folderOf(homes, region)
  try {
    const days = readdirSync(folder).filter((name) => name.endsWith(suffix))
    return days.toSorted().map((name) => join(folder, name))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new Refusal('ERR_STORE_UNREADABLE', `cannot read ${folder}`, { cause })
  }
}
