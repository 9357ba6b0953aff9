import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { homesOf } from '../../store/homes.ts'
import { withTrustLock } from '../../store/trust-lock.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const { href: folder } = new URL('../../store/', import.meta.url)

test('the lock is held during the change, and gone after it, however it ends', (t) => {
  const homes = homesOf(temporaryFolder(t))
  const lock = join(homes.operator, 'trust.lock')
  t.is(
    withTrustLock(homes, () => readFileSync(lock, 'utf8')),
    String(process.pid),
  )
  t.throws(
    () =>
      withTrustLock(homes, () => {
        throw new Error('failed')
      }),
    { message: 'failed' },
  )
  t.deepEqual(readdirSync(homes.operator), [])
})

test('whoever waits too long is told who holds it', (t) => {
  const homes = homesOf(temporaryFolder(t))
  withTrustLock(homes, () => {
    t.throws(() => withTrustLock(homes, () => t.fail(), { deadlineMs: 30 }), {
      code: 'ERR_STORE_LOCKED',
      message: `trust is locked by process ${process.pid}: ${join(homes.operator, 'trust.lock')}`,
    })
  })
})

test('what a killed process left does not lock anybody out', (t) => {
  const homes = homesOf(temporaryFolder(t))
  const { pid } = spawnSync('true')
  mkdirSync(homes.operator)
  writeFileSync(join(homes.operator, 'trust.lock'), String(pid))
  t.is(
    withTrustLock(homes, () => 'done', { deadlineMs: 0 }),
    'done',
  )
  t.deepEqual(readdirSync(homes.operator), [])
})

test('processes that count in one file lose nothing', async (t) => {
  const data = temporaryFolder(t)
  const file = join(data, 'count')
  writeFileSync(file, '0')
  const script = `
    import { readFileSync, writeFileSync } from 'node:fs'
    import { homesOf } from '${folder}homes.ts'
    import { withTrustLock } from '${folder}trust-lock.ts'
    const homes = homesOf(process.argv[1])
    for (let left = 50; left > 0; left -= 1)
      withTrustLock(homes, () => {
        const count = Number(readFileSync(process.argv[2], 'utf8'))
        writeFileSync(process.argv[2], String(count + 1))
      }, { deadlineMs: 30_000 })`
  const args = ['--input-type=module', '-e', script, data, file]
  await Promise.all([1, 2, 3].map(() => promisify(execFile)(process.execPath, args)))
  t.is(readFileSync(file, 'utf8'), '150')
  t.false(existsSync(join(data, 'operator', 'trust.lock')))
})
