import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { array, assert, property, record, stringMatching, uint8Array } from 'fast-check'
import { packTar, unpackTar, type TarFile } from '../../store/tar.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const text = (path: string, content: string): TarFile => ({ path, content: Buffer.from(content) })
const long = `${'a'.repeat(90)}/${'b'.repeat(90)}/c.nk`
const files = [text('a/b.nk', 'seed\n'), text('c', ''), text('d', 'x'.repeat(512)), text(long, 'e')]

test('files come back', (t) => {
  const path = stringMatching(/^[a-z.]{0,3}[a-z](\/[A-Z0-9-]{1,60}){0,3}$/)
  const file = record({ path, content: uint8Array({ maxLength: 1500 }).map((b) => Buffer.from(b)) })
  assert(property(array(file), (files) => t.deepEqual(unpackTar(packTar(files)), files)))
  t.pass()
})

test('equal files give equal archives', (t) => t.deepEqual(packTar(files), packTar([...files])))

test('tar reads it, and only the owner may read what it unpacks', (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'a.tar'), packTar(files))
  execFileSync('tar', ['-xf', 'a.tar'], { cwd: folder })
  for (const { path, content } of files) t.deepEqual(readFileSync(join(folder, path)), content)
  const listed = execFileSync('tar', ['-tvf', 'a.tar'], { cwd: folder, encoding: 'utf8' })
  t.is(listed.match(/^-rw-------/gm)?.length, files.length)
})

test('what tar packs is read here', (t) => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'a'))
  writeFileSync(join(folder, 'a', 'b'), 'ahoy')
  const archive = execFileSync('tar', ['--format=ustar', '-cf', '-', 'a/b'], { cwd: folder })
  t.deepEqual(unpackTar(archive), [text('a/b', 'ahoy')])
})

const good = packTar([text('a', 'x'.repeat(600))])
for (const [what, bytes, message] of [
  ['nothing', Buffer.alloc(0), 'it ends too early'],
  ['a file that is cut off', good.subarray(0, 700), "it ends within 'a'"],
  ['an archive without its end', good.subarray(0, 512 + 1024), 'it ends too early'],
  ['another format', Buffer.alloc(1024, 'x'), 'it is no ustar archive'],
  ['a changed header', Buffer.from(good).fill('b', 0, 1), 'a checksum is wrong'],
] as const)
  test(`${what} is refused`, (t) => {
    t.throws(() => unpackTar(bytes), {
      code: 'ERR_BACKUP_ILLEGAL',
      message: `illegal archive: ${message}`,
    })
  })

/** An archive with a file of this path, which packTar would not make. */
function forged(path: string, type = '0'): Buffer {
  const bytes = packTar([text('a'.repeat(path.length), '')])
  bytes.write(path, 0)
  bytes.write(type, 156)
  bytes.write('        ', 148)
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0)
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return bytes
}

for (const path of ['../a', 'a/../../b', '/etc/passwd', './a', 'a//b', 'a/', 'a\\b', 'a\nb'])
  test(`the path ${JSON.stringify(path)} is refused, packed and unpacked`, (t) => {
    const expected = { code: 'ERR_BACKUP_ILLEGAL', message: /^illegal archive: illegal path: '/ }
    t.throws(() => unpackTar(forged(path)), expected)
    t.throws(() => packTar([text(path, '')]), expected)
  })

for (const [what, type] of [
  ['hard link', '1'],
  ['symbolic link', '2'],
  ['device', '3'],
  ['folder', '5'],
  ['header of its own', 'x'],
] as const)
  test(`a ${what} is refused`, (t) => {
    t.throws(() => unpackTar(forged('a', type)), {
      code: 'ERR_BACKUP_ILLEGAL',
      message: "illegal archive: no regular file: 'a'",
    })
  })

test('a path that no header can hold is refused', (t) => {
  t.throws(() => packTar([text('a'.repeat(101), '')]), { message: /too long a path/ })
  t.throws(() => packTar([text(`${'a/'.repeat(100)}${'b'.repeat(100)}`, '')]), {
    message: /too long a path/,
  })
})

test('a link that tar packed is refused', (t) => {
  const folder = temporaryFolder(t)
  symlinkSync('/etc/passwd', join(folder, 'a'))
  const archive = execFileSync('tar', ['--format=ustar', '-cf', '-', 'a'], { cwd: folder })
  t.throws(() => unpackTar(archive), { message: "illegal archive: no regular file: 'a'" })
})
