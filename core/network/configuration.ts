// nats-server's configuration language, as far as we write it: one thing a line, every string in
// double quotes, so that no `$name`, digit or size suffix is taken for something else.
import { createHash } from 'node:crypto'
import { Refusal } from '../errors.ts'

export type ConfigurationValue =
  string | number | boolean | readonly ConfigurationValue[] | Configuration

export interface Configuration {
  readonly [key: string]: ConfigurationValue
}

/**
 * Keeps the order of keys; files that are read into it, by paths from its own folder, come last.
 * A TypeError for what the language cannot say: control characters, fractions, odd keys.
 */
export function formatConfiguration(
  configuration: Configuration,
  comment: string,
  includes: readonly string[] = [],
): string {
  const head = comment.split('\n').map((line) => `# ${line}`.trimEnd())
  const tail = includes.map((file) => `include ${formatScalar(file)}`)
  return [...head, ...formatEntries(configuration, ''), ...tail, ''].join('\n')
}

function formatEntries(configuration: Configuration, indent: string): string[] {
  return Object.entries(configuration).flatMap(([key, value]) => {
    if (!isKey(key)) throw new TypeError(`illegal configuration key: ${JSON.stringify(key)}`)
    return formatValue(value, `${indent}${key}: `, indent)
  })
}

function formatValue(value: ConfigurationValue, lead: string, indent: string): string[] {
  const deeper = `${indent}  `
  if (isList(value)) {
    return [`${lead}[`, ...value.flatMap((item) => formatValue(item, deeper, deeper)), `${indent}]`]
  }
  if (typeof value === 'object') return [`${lead}{`, ...formatEntries(value, deeper), `${indent}}`]
  return [`${lead}${formatScalar(value)}`]
}

function formatScalar(value: string | number | boolean): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new TypeError(`configuration numbers are integers: ${value}`)
  }
  // Of JSON's escapes nats-server knows the ones that are left: \" \\ \t \n \r.
  if (typeof value === 'string' && (!value.isWellFormed() || /[^\P{Cc}\t\n\r]/u.test(value))) {
    throw new TypeError(`illegal character in configuration: ${JSON.stringify(value)}`)
  }
  return JSON.stringify(value)
}

const isKey = (key: string) =>
  /^[A-Za-z][A-Za-z0-9_]*$/.test(key) && key.toLowerCase() !== 'include'

const isList = (value: ConfigurationValue): value is readonly ConfigurationValue[] =>
  Array.isArray(value)

/**
 * The digest that a nats-server (2.15) reports as `config_digest` after it loaded this configuration:
 * sha256 over what Go's encoding/json makes of it, keys sorted.
 */
export function digestConfiguration(configuration: Configuration): string {
  return `sha256:${createHash('sha256')
    .update(`${encodeGoJson(configuration)}\n`)
    .digest('hex')}`
}

function encodeGoJson(value: ConfigurationValue): string {
  if (isList(value)) return `[${value.map(encodeGoJson).join(',')}]`
  if (typeof value !== 'object')
    return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, escapeUnicode)
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `"${key}":${encodeGoJson(item)}`).join(',')}}`
}

const escapeUnicode = (character: string) =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** The inverse of formatConfiguration. Refuses every other way to write a configuration. */
export function parseConfiguration(text: string): Configuration {
  return parseEntries({ lines: text.split('\n'), at: 0 }, undefined)
}

interface Reader {
  readonly lines: readonly string[]
  at: number
}

function parseEntries(reader: Reader, end: string | undefined): Configuration {
  const entries = new Map<string, ConfigurationValue>()
  for (;;) {
    const line = nextLine(reader)
    if (line === end) return Object.fromEntries(entries)
    const [, key, value] = /^([A-Za-z][A-Za-z0-9_]*): (.+)$/s.exec(line ?? '') ?? []
    if (key === undefined || value === undefined || entries.has(key)) throw illegal(reader)
    entries.set(key, parseValue(reader, value))
  }
}

function parseItems(reader: Reader): ConfigurationValue[] {
  const items: ConfigurationValue[] = []
  for (;;) {
    const line = nextLine(reader)
    if (line === undefined) throw illegal(reader)
    if (line === ']') return items
    items.push(parseValue(reader, line))
  }
}

function parseValue(reader: Reader, text: string): ConfigurationValue {
  if (text === '{') return parseEntries(reader, '}')
  if (text === '[') return parseItems(reader)
  if (!/^("(\\["\\tnr]|[^"\\\p{Cc}])*"|-?(0|[1-9]\d*)|true|false)$/u.test(text))
    throw illegal(reader)
  return JSON.parse(text)
}

function nextLine(reader: Reader): string | undefined {
  for (;;) {
    const line = reader.lines[reader.at]?.trim()
    reader.at += 1
    if (line === undefined || (line !== '' && !line.startsWith('#'))) return line
  }
}

const illegal = ({ at }: Reader) =>
  new Refusal(
    'ERR_CONFIGURATION_ILLEGAL',
    `not a configuration written by this project: line ${at}`,
  )
