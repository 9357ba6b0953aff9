// The generated files as they lie in a clone: what differs from what would be rendered, and writing it.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { generatedHeader } from './kustomization.ts'
import type { Files } from './render.ts'

export interface FileChange {
  /** From the clone's root. */
  readonly path: string
  /** `remove`: it was generated once, and no longer is. */
  readonly effect: 'create' | 'change' | 'remove'
}

/** Sorted by path; none where the clone is up to date. Files written by hand are not looked at. */
export function compareGenerated(root: string, rendered: Files): FileChange[] {
  const stale = listGenerated(root).filter((path) => !rendered.has(path))
  const changes = [...rendered].flatMap(([path, text]): FileChange[] => {
    const file = join(root, path)
    if (!existsSync(file)) return [{ path, effect: 'create' }]
    return readFileSync(file, 'utf8') === text ? [] : [{ path, effect: 'change' }]
  })
  const removed = stale.map((path): FileChange => ({ path, effect: 'remove' }))
  return [...changes, ...removed].toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

/** Each file appears whole or not at all; run again it goes on where it was stopped. */
export function writeGenerated(
  root: string,
  rendered: Files,
  changes: readonly FileChange[],
): void {
  for (const { path, effect } of changes) {
    const file = join(root, path)
    if (effect === 'remove') rmSync(file, { force: true })
    else writeWhole(file, rendered.get(path) ?? '')
  }
}

function writeWhole(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  const draft = `${file}.draft`
  writeFileSync(draft, text)
  renameSync(draft, file)
}

/** All under manifests/ that begins as generated files do. */
function listGenerated(root: string): string[] {
  const folder = join(root, 'manifests')
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => readFileSync(file, 'utf8').startsWith(`# ${generatedHeader}\n`))
    .map((file) => relative(root, file))
}
