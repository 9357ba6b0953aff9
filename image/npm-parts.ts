// The npm packages that went into our programs.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { namesTerms, type Part } from './part.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const description = z.object({ name: z.string(), version: z.string(), license: z.string() })

/** From the paths of files in the repository, among which there are ours; each package once. */
export function npmParts(files: readonly string[]): Part[] {
  const folders = new Set(files.map(packageFolder).filter((folder) => folder !== undefined))
  const parts = [...folders].toSorted().map(readPart)
  return [...new Map(parts.map((part) => [part.purl, part])).values()]
}

/** 'node_modules/a/node_modules/@b/c' of a file in it: the innermost package. */
function packageFolder(file: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0]
}

function readPart(folder: string): Part {
  const path = join(root, folder)
  const text = readFileSync(join(path, 'package.json'), 'utf8')
  const { name, version, license: licence } = description.parse(JSON.parse(text))
  const terms = readdirSync(path).filter(namesTerms).toSorted()
  return {
    ...{ name, version, licence },
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    terms: terms.map((file) => ({ file, text: readFileSync(join(path, file), 'utf8') })),
  }
}
