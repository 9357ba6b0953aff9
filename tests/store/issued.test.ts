import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, readdirSync, readFileSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Issued } from '../../core/identity/recorded.ts'
import { parseSpiffeId } from '../../core/identity/spiffe-id.ts'
import { homesOf } from '../../store/homes.ts'
import { findIssued, pruneIssued, recordIssued } from '../../store/issued.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const dayMs = 86_400_000
const startMs = Date.parse('2026-06-01T12:00:00Z')

/** The digest is the number. */
function issued(number: number, atMs = startMs): Issued {
  const digest = number.toString(16).padStart(64, '0')
  return {
    kind: 'identity',
    id: parseSpiffeId('spiffe://ams3.example/nats/server-0'),
    ...{ holder: 'ams3-0', serial: '40', sha256: digest, spkiSha256: digest },
    notBefore: new Date(atMs).toISOString(),
    notAfter: new Date(atMs + 3_600_000).toISOString(),
  }
}

function makeRecord(t: ExecutionContext) {
  const homes = homesOf(temporaryFolder(t))
  const folder = join(homes.data, 'ams3/identity/issued')
  return {
    ...{ homes, folder },
    record: (...list: Issued[]) => recordIssued(homes, 'ams3', list),
    find: (...list: Issued[]) => findIssued(homes, ['ams3', 'sfo2'], digestsOf(list)),
    path: (day = '2026-06-01') => join(folder, `${day}.jsonl`),
  }
}

const digestsOf = (list: readonly Issued[]) => new Set(list.map(({ sha256 }) => sha256))

test('what was recorded is found by its digest, with the region in whose home it stands', (t) => {
  const { record, find } = makeRecord(t)
  t.is(find(issued(1)).size, 0)
  record(issued(1), issued(2))
  record(issued(3, startMs + dayMs))
  const found = find(issued(1), issued(3), issued(4))
  t.deepEqual([...found.keys()], [issued(1).sha256, issued(3).sha256])
  t.deepEqual(found.get(issued(1).sha256), { ...issued(1), region: 'ams3' })
})

test('a certificate of a key that was recorded is led back to the newest one of that key', (t) => {
  const { homes, record } = makeRecord(t)
  const of = (sha256: string, spkiSha256: string, name: string): Issued => ({
    ...{ ...issued(1), sha256, spkiSha256 },
    id: parseSpiffeId(`spiffe://ams3.example/workload/${name}`),
  })
  const [one, other, key] = ['1'.repeat(64), '2'.repeat(64), 'a'.repeat(64)] as const
  record(of(one, key, 'one'))
  record(of(other, key, 'other'))
  const found = findIssued(homes, ['ams3'], new Set([one, key]))
  t.deepEqual(
    [...found].map(([digest, { id }]) => [digest, id]),
    [
      [key, 'spiffe://ams3.example/workload/other'],
      [one, 'spiffe://ams3.example/workload/one'],
    ],
  )
})

test('each day has a file that only its owner reads', (t) => {
  const { record, folder, path } = makeRecord(t)
  record(issued(1), issued(2, startMs + dayMs))
  t.deepEqual(readdirSync(folder), ['2026-06-01.jsonl', '2026-06-02.jsonl'])
  t.is(statSync(path()).mode & 0o777, 0o600)
  t.is(statSync(folder).mode & 0o777, 0o700)
})

test('a line that a crash tore is passed over, and the next one is whole', (t) => {
  const { record, find, path } = makeRecord(t)
  const [first, torn, next] = [issued(1), issued(2), issued(3)]
  record(first, torn)
  truncateSync(path(), statSync(path()).size - 6)
  t.is(find(first, torn).size, 1)
  record(next)
  t.deepEqual([...find(first, torn, next).keys()], [first.sha256, next.sha256])
})

test('a block that never reached the disk is passed over', (t) => {
  const { record, find, path } = makeRecord(t)
  record(issued(1))
  appendFileSync(path(), Buffer.alloc(512))
  record(issued(2))
  t.is(find(issued(1), issued(2)).size, 2)
})

test('a whole line that nobody here wrote is refused when it is asked for', (t) => {
  const { record, find, path } = makeRecord(t)
  record(issued(1))
  appendFileSync(path(), `\n${JSON.stringify({ ...issued(2), holder: 'some one' })}`)
  t.notThrows(() => find(issued(1)))
  t.throws(() => find(issued(2)), { code: 'ERR_ISSUED_ILLEGAL', message: /: holder: / })
})

test('processes that record at once lose no line of each other', async (t) => {
  const { homes, find, path } = makeRecord(t)
  const [processes, lines] = [4, 50]
  const module = new URL('../../store/issued.ts', import.meta.url).href
  const numbers = (at: number) => Array.from({ length: lines }, (_, each) => at * lines + each)
  const program = `
    const { recordIssued } = await import(process.argv[1])
    const { homes, list } = JSON.parse(process.argv[2])
    for (const each of list) recordIssued(homes, 'ams3', [each])`
  const exits = Array.from({ length: processes }, (_, at) => {
    const list = numbers(at).map((number) => issued(number + 1))
    const input = ['--input-type=module', '-e', program, module, JSON.stringify({ homes, list })]
    return once(spawn(process.execPath, input, { stdio: 'inherit' }), 'exit')
  })
  for (const [code] of await Promise.all(exits)) t.is(code, 0)
  const all = Array.from({ length: processes * lines }, (_, each) => issued(each + 1))
  t.is(find(...all).size, all.length)
  const whole = readFileSync(path(), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
  t.is(whole.length, all.length)
})

test('a day goes when an authority’s life has passed since the end of its last certificate', (t) => {
  const { homes, record, find, path } = makeRecord(t)
  record(issued(1), issued(2, startMs + dayMs))
  const prune = (days: number) => pruneIssued(homes, 'ams3', startMs + days * dayMs)
  t.deepEqual(prune(90), [])
  t.deepEqual(prune(90.1), [path()])
  t.is(find(issued(1), issued(2)).size, 1)
  t.deepEqual(pruneIssued(homes, 'sfo2', startMs), [])
})
