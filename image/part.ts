// Something by others that is in an image, and the terms that it comes under.
import { textFile } from './user-files.ts'
import type { FileEntry } from './tar.ts'

export interface Part {
  readonly name: string
  readonly version: string
  /** By the package URL specification; names it for databases of flaws. */
  readonly purl: string
  /** An SPDX expression. */
  readonly licence: string
  /** Files of the part that a copy of it has to carry, by their names in it. */
  readonly terms: readonly Terms[]
}

export interface Terms {
  readonly file: string
  readonly text: string
}

const isTerms = /^(licen[cs]e|copying|notice|patents)([.-][\w.-]+)?$/i

export function namesTerms(file: string): boolean {
  return isTerms.test(file)
}

/** Where Debian keeps such files, too. */
export function termsEntries(parts: readonly Part[]): FileEntry[] {
  return parts.flatMap(({ name, version, terms }) =>
    terms.map(({ file, text }) => textFile(`usr/share/doc/${name}@${version}/${file}`, text)),
  )
}
