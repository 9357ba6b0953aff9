import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { moveIdentityKey, requireIdentityKey, returnIdentityKey } from '../../store/identity-key.ts'
import { keyFile } from '../../store/nsc.ts'
import { openFiles } from '../../store/files.ts'
import { pairOf } from '../core/trust/example.ts'
import { makeHomes, requireOperator, snapshot } from './home.ts'
import { temporaryFolder } from '../temporary-folder.ts'

function makeOperator(t: Parameters<typeof makeHomes>[0]) {
  const homes = makeHomes(t)
  const operator = requireOperator(homes.bootstrap())
  const key = requireIdentityKey(operator).publicKey
  const away = join(temporaryFolder(t), 'offline')
  return {
    ...homes,
    operator,
    key,
    away,
    home: keyFile(operator.store, key),
    there: join(away, `${key}.nk`),
  }
}

test('the identity key is moved away, closed to others, and back again', (t) => {
  const { operator, key, away, home, there } = makeOperator(t)
  const seed = readFileSync(home, 'utf8')
  t.deepEqual(moveIdentityKey(operator, away), { key, path: there, isMoved: true })
  t.false(existsSync(home))
  t.is(readFileSync(there, 'utf8'), seed)
  t.is(statSync(there).mode & 0o777, 0o600)
  t.deepEqual(returnIdentityKey(operator, away), { key, path: home, isMoved: true })
  t.is(readFileSync(home, 'utf8'), seed)
  t.deepEqual(readdirSync(away), [])
})

test('moved again, it lies where it lay', (t) => {
  const { operator, key, away, there } = makeOperator(t)
  moveIdentityKey(operator, away)
  t.deepEqual(moveIdentityKey(operator, away), { key, path: there, isMoved: false })
})

test('a move that was cut off after the copy is finished by the next', (t) => {
  const { operator, away, home, there } = makeOperator(t)
  mkdirSync(away)
  writeFileSync(there, readFileSync(home))
  t.true(moveIdentityKey(operator, away).isMoved)
  t.false(existsSync(home))
  t.true(existsSync(there))
})

test('a key that lies there already is not overwritten', (t) => {
  const { operator, away, home, there } = makeOperator(t)
  const other = pairOf('operator', 'other')
  mkdirSync(away)
  writeFileSync(there, other.seed)
  t.throws(() => moveIdentityKey(operator, away), {
    code: 'ERR_KEY_OTHER',
    message: `another operator's key lies at ${there}: ${other.publicKey}`,
  })
  t.true(existsSync(home))
  t.is(readFileSync(there, 'utf8'), other.seed)
})

test('where it cannot be written it stays where it is', (t) => {
  const { operator, away, home } = makeOperator(t)
  writeFileSync(away, 'a file')
  t.throws(() => moveIdentityKey(operator, join(away, 'a')), { code: 'ERR_STORE_UNREADABLE' })
  t.throws(() => moveIdentityKey(operator, away), { code: 'ERR_STORE_UNREADABLE' })
  t.true(existsSync(home))
})

test('from a folder where it is not it does not come back', (t) => {
  const { operator, key, away, there } = makeOperator(t)
  moveIdentityKey(operator, away)
  const elsewhere = temporaryFolder(t)
  t.throws(() => returnIdentityKey(operator, elsewhere), {
    code: 'ERR_KEY_NOT_HERE',
    message: `no identity key of operator ${key} at ${join(elsewhere, `${key}.nk`)}`,
  })
  t.true(existsSync(there))
})

test('without it everything is signed but a new operator JWT', (t) => {
  const { operator, key, away, data, bootstrap } = makeOperator(t)
  moveIdentityKey(operator, away)
  const before = snapshot(data)
  t.notThrows(() => bootstrap({}, { files: openFiles() }))
  t.deepEqual(snapshot(data), before)
  t.throws(() => requireIdentityKey(operator), {
    code: 'ERR_IDENTITY_KEY_AWAY',
    message: `operator's identity key is not here: ${key}`,
  })
})
