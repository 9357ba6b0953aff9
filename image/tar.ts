// A tar archive that depends on nothing but its entries: sorted, owned by user and group 0, without time.
import { encodeTarHeader, tarBlockBytes, tarPadding } from '../core/tar-header.ts'

export type Entry = FileEntry | LinkEntry

export interface FileEntry {
  readonly path: string
  readonly mode: 0o644 | 0o755
  /** In order. */
  readonly chunks: readonly Uint8Array[]
}

export interface LinkEntry {
  readonly path: string
  readonly target: string
}

const linkMode = 0o777
const folderMode = 0o755

/** The archive's bytes, with every folder before what lies in it; two entries of one path are a mistake. */
export function packEntries(entries: readonly Entry[]): Uint8Array[] {
  const folders = new Set(entries.flatMap(({ path }) => foldersAbove(path)))
  const all = [...[...folders].map((path) => ({ path, isFolder: true })), ...entries]
  const paths = all.map(({ path }) => path)
  if (new Set(paths).size < paths.length) throw new RangeError(`one path twice: ${paths.join(' ')}`)
  // By code unit, not by the machine's language.
  const sorted = all.toSorted((one, other) => (one.path < other.path ? -1 : 1))
  return [...sorted.flatMap(packEntry), Buffer.alloc(2 * tarBlockBytes)]
}

function packEntry(entry: Entry | { path: string; isFolder: boolean }): Uint8Array[] {
  const { path } = entry
  if ('isFolder' in entry) return [header({ kind: 'folder', path, mode: folderMode, size: 0 })]
  if ('target' in entry) {
    const { target } = entry
    return [header({ kind: 'link', path, mode: linkMode, size: 0, target })]
  }
  const { mode, chunks } = entry
  const size = chunks.reduce((total, { length }) => total + length, 0)
  return [header({ kind: 'file', path, mode, size }), ...chunks, Buffer.alloc(tarPadding(size))]
}

function header(entry: Parameters<typeof encodeTarHeader>[0]): Buffer {
  const block = encodeTarHeader(entry)
  if (block === undefined) throw new RangeError(`too long a path: '${entry.path}'`)
  return block
}

/** 'a/b/c' lies in 'a/' and 'a/b/'. */
function foldersAbove(path: string): string[] {
  const steps = path.split('/').slice(0, -1)
  return steps.map((_, last) => `${steps.slice(0, last + 1).join('/')}/`)
}
