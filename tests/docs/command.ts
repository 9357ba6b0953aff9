// What README.md and docs/operations.md tell people to type: lines of their blocks, and what stands in a
// sentence between backquotes.
import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

const documents = ['README.md', 'docs/operations.md'] as const
export type DocumentName = (typeof documents)[number]

export interface Command {
  /** Where it stands, as an editor opens it. */
  readonly place: string
  readonly heading: string
  readonly text: string
  /** A line of a block, which can be typed as it is; else what is in capitals is to be filled in. */
  readonly isLine: boolean
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const scripts = readdirSync(`${root}scripts`).map((file) => basename(file, '.ts'))
const others =
  /^(npm|npx|node|git|go|kubectl|kubeseal|argocd|ctr|docker|podman|apt-get|nats|openssl|helm)$/

export const readAllCommands = (): Command[] => documents.flatMap(readCommands)

export function readCommands(document: DocumentName): Command[] {
  return findCommands(document, readFileSync(`${root}${document}`, 'utf8'))
}

/** The lines of the blocks under a heading, in their order. */
export function linesUnder(document: DocumentName, heading: string): string[] {
  const found = readCommands(document).filter((each) => each.isLine && each.heading === heading)
  if (found.length === 0) throw new RangeError(`no block in ${document} under '${heading}'`)
  return found.map(({ text }) => text)
}

export function findCommands(document: string, markdown: string): Command[] {
  const found: Command[] = []
  let heading = ''
  let sentence = { text: '', line: 0 }
  let fence: string | undefined
  const add = (line: number, text: string, isLine: boolean) =>
    found.push({ place: `${document}:${line}`, heading, text, isLine })
  const endSentence = () => {
    for (const { index, 1: span = '' } of sentence.text.matchAll(/`([^`]+)`/g)) {
      const above = sentence.text.slice(0, index).split('\n').length - 1
      const text = span.replaceAll(/\s+/g, ' ')
      if (isCommand(text)) add(sentence.line + above, text, false)
    }
    sentence = { text: '', line: 0 }
  }
  for (const [index, line] of markdown.split('\n').entries()) {
    const [, opened] = /^ *```(\w*)/.exec(line) ?? []
    if (opened !== undefined || line === '') endSentence()
    if (opened !== undefined) fence = fence === undefined ? opened : undefined
    else if (fence === undefined) {
      heading = /^#+ (.+)/.exec(line)?.[1] ?? heading
      sentence = { text: `${sentence.text}${line}\n`, line: sentence.line || index + 1 }
    } else if (fence === 'sh' && line.trim() !== '') add(index + 1, withoutComment(line), true)
  }
  endSentence()
  return found
}

const withoutComment = (line: string): string => line.replace(/(^| +)# .*$/, '').trim()

function isCommand(span: string): boolean {
  const [program = '', ...rest] = span.split(' ')
  return scripts.includes(program) || (others.test(program) && rest.length > 0)
}
