import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import fc from 'fast-check'
import {
  type Configuration,
  type ConfigurationValue,
  digestConfiguration,
  formatConfiguration,
  parseConfiguration,
} from '../../../core/network/configuration.ts'
import { findTool } from '../../../laptop/tools.ts'

const run = promisify(execFile)

test('people can read it', (t) => {
  const configuration = { port: 4222, tls: { verify: true }, routes: ['a', 'b'], empty: [] }
  t.is(
    formatConfiguration(configuration, 'made from x'),
    `# made from x
port: 4222
tls: {
  verify: true
}
routes: [
  "a"
  "b"
]
empty: [
]
`,
  )
})

const text = fc.string({ unit: 'grapheme' }).filter((one) => !/[^\P{Cc}\t\n\r]/u.test(one))
const tricky = fc.constantFrom(
  '$HOME',
  '5s',
  '10k',
  'true',
  '# no',
  '}',
  '"',
  '\\',
  "'",
  '\u2028',
  '<&>',
)
const anyString = fc.oneof(text, tricky)
const key = fc
  .stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,8}$/)
  .filter((one) => !/^include$/i.test(one))

const { configuration } = fc.letrec<{ value: ConfigurationValue; configuration: Configuration }>(
  (tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      anyString,
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.array(tie('value'), { maxLength: 4 }),
      tie('configuration'),
    ),
    configuration: fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  }),
)

test('what is written reads back the same', (t) => {
  fc.assert(
    fc.property(configuration, (written) => {
      t.deepEqual(parseConfiguration(formatConfiguration(written, 'a\nb')), written)
    }),
  )
})

test('nats-server reads every string as it was meant, and reports the digest that was computed', async (t) => {
  const natsServer = await findTool('nats-server', { report: () => {} })
  const directory = mkdtempSync(join(tmpdir(), 'archipelago-'))
  const file = join(directory, 'nats.conf')
  const many = fc.array(anyString, { minLength: 100, maxLength: 100 })
  try {
    await fc.assert(
      fc.asyncProperty(many, fc.nat(1000), fc.boolean(), async (tags, count, debug) => {
        const tried = { debug, max_connections: count, server_tags: tags, cluster: { name: 'x' } }
        writeFileSync(file, formatConfiguration(tried, 'test'))
        const { stderr } = await run(natsServer, ['-t', '-c', file])
        t.true(stderr.includes(digestConfiguration(tried)), stderr)
      }),
      { numRuns: 10 },
    )
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('the digest does not depend on the order of keys', (t) => {
  t.is(
    digestConfiguration({ a: 1, b: { c: 2, d: 3 } }),
    digestConfiguration({ b: { d: 3, c: 2 }, a: 1 }),
  )
})

const unwritable: readonly [string, Configuration, string][] = [
  ['a control character', { a: 'b\u0000' }, 'illegal character in configuration: "b\\u0000"'],
  ['half a character', { a: '\ud800' }, 'illegal character in configuration: "\\ud800"'],
  ['a fraction', { a: 0.5 }, 'configuration numbers are integers: 0.5'],
  [
    'a number that is not exact',
    { a: 2 ** 53 },
    'configuration numbers are integers: 9007199254740992',
  ],
  ['a key with a space', { 'a b': 1 }, 'illegal configuration key: "a b"'],
  ['a key that would read another file', { include: 'x' }, 'illegal configuration key: "include"'],
]

for (const [what, tried, message] of unwritable) {
  test(`does not write ${what}`, (t) => {
    t.throws(() => formatConfiguration(tried, ''), { instanceOf: TypeError, message })
  })
}

const unreadable: readonly [string, string, number][] = [
  ['a bare word', 'a: b', 1],
  ['a variable', 'a: $HOME', 1],
  ['a size', 'a: 1k', 1],
  ['another separator', 'a = 1', 1],
  ['a key twice', 'a: 1\na: 2', 2],
  ['a number that begins with zero', 'a: 01', 1],
  ['an escape that nats-server does not know', 'a: "\\u0041"', 1],
  ['a string without its end', 'a: "b', 1],
  ['a block without its end', 'a: {\nb: 1', 3],
  ['a list without its end', 'a: [\n1', 3],
  ['one end too many', '}', 1],
  ['an include', 'include: {', 2],
]

for (const [what, tried, line] of unreadable) {
  test(`refuses ${what}`, (t) => {
    const message = `not a configuration written by this project: line ${line}`
    t.throws(() => parseConfiguration(tried), { code: 'ERR_CONFIGURATION_ILLEGAL', message })
  })
}
