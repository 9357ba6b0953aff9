import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import {
  makePrivateFolder,
  openFiles,
  readBytes,
  readIfThere,
  readOrRefuse,
  writeNewPrivate,
  writePrivate,
} from '../../store/files.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const modeOf = (path: string) => statSync(path).mode & 0o777

test('files and the folders made for them are closed to others', (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'a', 'b', 'key.nk')
  writePrivate(path, 'seed')
  t.is(readFileSync(path, 'utf8'), 'seed')
  t.deepEqual([path, join(folder, 'a', 'b'), join(folder, 'a')].map(modeOf), [0o600, 0o700, 0o700])
  t.deepEqual(readdirSync(join(folder, 'a', 'b')), ['key.nk'])
})

test('a folder is made closed to others, and may be there already', (t) => {
  const path = join(temporaryFolder(t), 'a', 'run')
  makePrivateFolder(path)
  makePrivateFolder(path)
  t.is(modeOf(path), 0o700)
})

test('a file that others could read is closed when it is written again', (t) => {
  const path = join(temporaryFolder(t), 'key.nk')
  writeFileSync(path, 'old', { mode: 0o644 })
  writePrivate(path, 'new')
  t.is(modeOf(path), 0o600)
})

test('only what is new is written, and said', (t) => {
  const path = join(temporaryFolder(t), 'a.jwt')
  const files = openFiles()
  t.true(files.write(path, 'one'))
  const { mtimeNs } = statSync(path, { bigint: true })
  t.false(files.write(path, 'one'))
  t.is(statSync(path, { bigint: true }).mtimeNs, mtimeNs)
  t.true(files.write(path, 'two'))
  t.deepEqual(files.changes, [
    { path, kind: 'made' },
    { path, kind: 'changed' },
  ])
})

test('a dry run reads what it would have written, and writes nothing', (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'a', 'b.jwt')
  const files = openFiles({ isDryRun: true })
  t.is(files.read(path), undefined)
  t.true(files.write(path, 'one'))
  t.is(files.read(path), 'one')
  t.deepEqual(files.changes, [{ path, kind: 'made' }])
  t.deepEqual(readdirSync(folder), [])
})

test('a new file is never put in the place of another', (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'alice.creds')
  writeNewPrivate(path, 'mine')
  t.throws(() => writeNewPrivate(path, 'theirs'), {
    code: 'ERR_FILE_EXISTS',
    message: `exists: ${path}`,
  })
  t.is(readFileSync(path, 'utf8'), 'mine')
  t.deepEqual(readdirSync(folder), ['alice.creds'])
  t.is(modeOf(path), 0o600)
})

test('what cannot be written is named, and nothing is left of it', (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'file'), '')
  const path = join(folder, 'file', 'key.nk')
  t.throws(() => writePrivate(path, 'seed'), {
    code: 'ERR_STORE_UNWRITABLE',
    message: `cannot write ${path}: EEXIST`,
  })
  t.throws(() => makePrivateFolder(join(folder, 'file', 'run')), {
    code: 'ERR_STORE_UNWRITABLE',
    message: `cannot make ${join(folder, 'file', 'run')}: ENOTDIR`,
  })
  t.deepEqual(readdirSync(folder), ['file'])
})

test('what is not there, is no file, or is too large is not read', (t) => {
  const folder = temporaryFolder(t)
  const [missing, large] = [join(folder, 'a.jwt'), join(folder, 'large')]
  t.is(readIfThere(missing), undefined)
  t.throws(() => readOrRefuse(missing, 'account JWT'), {
    code: 'ERR_STORE_UNREADABLE',
    message: `no account JWT at ${missing}`,
  })
  t.throws(() => readBytes(missing, 'backup'), { message: `no backup at ${missing}` })
  t.throws(() => readOrRefuse(folder, 'account JWT'), {
    code: 'ERR_STORE_UNREADABLE',
    message: `cannot read ${folder}: EISDIR`,
  })
  writeFileSync(large, Buffer.alloc(5 * 1024 * 1024))
  t.throws(() => readOrRefuse(large, 'account JWT'), {
    code: 'ERR_STORE_UNREADABLE',
    message: `${large}: 5242880 bytes, 4194304 at most`,
  })
})
