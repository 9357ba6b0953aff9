import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openAuditFile } from '../../../functions/provisioning/audit-file.ts'
import { temporaryFolder } from '../../temporary-folder.ts'

const line = (at: number) => `{"line":${String(at).padStart(6, '0')}}`
const lineBytes = line(0).length + 1

function makePlace(t: ExecutionContext) {
  const folder = temporaryFolder(t)
  const path = join(folder, 'audit.log')
  const numbersOf = (name: string): number[] =>
    readFileSync(join(folder, name), 'utf8')
      .trimEnd()
      .split('\n')
      .map((text) => (JSON.parse(text) as { line: number }).line)
  const names = () => readdirSync(folder).toSorted()
  return { path, folder, names, numbersOf }
}

test('a flood fills a fixed number of files of a bounded size, and no line falls between them', (t) => {
  const { path, folder, names, numbersOf } = makePlace(t)
  const bytesMax = 100 * lineBytes + 1
  using audit = openAuditFile(path, { bytesMax, asideMax: 2 })
  for (let at = 1; at <= 1_050; at += 1) audit.write(line(at).replace(/:0+/, ':'))
  const all = ['audit.log', 'audit.log.1', 'audit.log.2']
  t.deepEqual(names(), all)
  for (const name of all) t.true(statSync(join(folder, name)).size <= bytesMax)
  const kept = all.toReversed().flatMap(numbersOf)
  t.is(kept.at(-1), 1_050)
  t.true(kept.length > 200)
  t.deepEqual(
    kept,
    kept.map((_, index) => 1_050 - kept.length + 1 + index),
  )
})

test('it is continued after a start, and what was large already is put aside first', (t) => {
  const { path, names, numbersOf } = makePlace(t)
  const options = { bytesMax: 1_000 }
  for (const at of [1, 2]) {
    using audit = openAuditFile(path, options)
    audit.write(`{"line":${at}}`)
  }
  t.deepEqual(numbersOf('audit.log'), [1, 2])
  writeFileSync(path, '{"line":3}\n'.repeat(1_000))
  using audit = openAuditFile(path, options)
  audit.write('{"line":4}')
  t.deepEqual(names(), ['audit.log', 'audit.log.1'])
  t.deepEqual(numbersOf('audit.log'), [4])
  t.is(numbersOf('audit.log.1').length, 1_000)
})

test('only its owner reads it', (t) => {
  const { path } = makePlace(t)
  using audit = openAuditFile(path, { bytesMax: 1 })
  audit.write('a')
  audit.write('b')
  for (const each of [path, `${path}.1`]) t.is(statSync(each).mode & 0o777, 0o600)
})

test('a line that is larger than a file is written, and leaves no empty file', (t) => {
  const { path, names } = makePlace(t)
  using audit = openAuditFile(path, { bytesMax: 4 })
  audit.write('larger')
  t.deepEqual(names(), ['audit.log'])
  t.is(readFileSync(path, 'utf8'), 'larger\n')
})
