import { execFileSync } from 'node:child_process'
import { lstatSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { packEntries, type Entry } from '../../image/tar.ts'
import { textFile } from '../../image/user-files.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const program: Entry = {
  path: 'usr/bin/a',
  mode: 0o755,
  chunks: [Buffer.from('one '), Buffer.from('two')],
}
const link: Entry = { path: 'bin', target: 'usr/bin' }
const entries = [textFile('etc/b', 'text\n'), link, program]

test('tar unpacks files of several pieces, links and the folders above them', (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'a.tar'), Buffer.concat(packEntries(entries)))
  execFileSync('tar', ['-xpf', 'a.tar'], { cwd: folder })
  t.is(readFileSync(join(folder, 'usr/bin/a'), 'utf8'), 'one two')
  t.is(readlinkSync(join(folder, 'bin')), 'usr/bin')
  t.is(lstatSync(join(folder, 'usr/bin/a')).mode & 0o7777, 0o755)
  t.is(lstatSync(join(folder, 'etc/b')).mode & 0o7777, 0o644)
  t.is(lstatSync(join(folder, 'usr/bin')).mode & 0o7777, 0o755)
})

test('every entry belongs to user 0 and has no time', (t) => {
  const input = Buffer.concat(packEntries(entries))
  const said = execFileSync('tar', ['--numeric-owner', '-tvf', '-'], { input, encoding: 'utf8' })
  const lines = said.trim().split('\n')
  t.deepEqual(
    lines.map((line) => line.split(/ +/).at(-1)),
    ['usr/bin', 'etc/', 'etc/b', 'usr/', 'usr/bin/', 'usr/bin/a'],
  )
  for (const line of lines) t.regex(line, / 0\/0 .* 1970-01-01 /)
})

test('the order in which entries are given makes no difference', (t) => {
  t.deepEqual(Buffer.concat(packEntries(entries.toReversed())), Buffer.concat(packEntries(entries)))
})

test('one path twice, and a path or target that no header can hold, are mistakes', (t) => {
  t.throws(() => packEntries([...entries, textFile('etc/b', '')]), { message: /^one path twice/ })
  for (const entry of [textFile('a'.repeat(101), ''), { path: 'a', target: 'b'.repeat(101) }])
    t.throws(() => packEntries([entry]), { instanceOf: RangeError, message: /^too long a path/ })
})
