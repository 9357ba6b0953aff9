// Roots whose keys lie under a passphrase, or elsewhere: replaced by whoever has them, and cut off in between.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { parseArchipelago } from '../../../core/archipelago.ts'
import { ensureCertificates } from '../../../laptop/identity/certificates.ts'
import { ownerOf, rollRoot } from '../../../laptop/identity/roll-root.ts'
import { describeRoll, rollStopped } from '../../../laptop/network/roll-network.ts'
import { readRoots, rootKeyFile } from '../../../store/authority-files.ts'
import { formatAuthorityKey, readPlainKey } from '../../../store/authority-keys.ts'
import { openFiles } from '../../../store/files.ts'
import { homesOf } from '../../../store/homes.ts'
import { readNewestRoot, type NextRootKey } from '../../../store/roll-root.ts'
import { good } from '../../core/archipelago/example.ts'
import { snapshot } from '../../store/home.ts'
import { temporaryFolder } from '../../temporary-folder.ts'

const archipelago = parseArchipelago(good, 'archipelago.yaml')
const request = { kind: 'identity' } as const
const logN = 4
const under = (passphrase: string): NextRootKey => ({
  passphrase: () => Promise.resolve(passphrase),
  logN,
})
const ours = under('correct horse battery')
const isSealed = (path: string) => readFileSync(path, 'utf8').startsWith('-----BEGIN AGE')

async function makePlace(t: ExecutionContext) {
  const homes = homesOf(temporaryFolder(t))
  const owner = { homes, archipelago }
  const start = () => ensureCertificates({ ...owner, nowMs: Date.now(), isStopped: true }, [])
  await start()
  const path = rootKeyFile(homes, 'identity')
  const roots = () => readRoots(openFiles(), homes, 'identity')
  const roll = (key?: NextRootKey) => rollStopped({ ...owner, key }, request, () => {})
  const store = { ...owner, files: openFiles(), nowMs: Date.now() }
  const opens = async (key: NextRootKey): Promise<boolean> => {
    const { certificate } = await readNewestRoot(store, 'identity', key)
    return certificate.serial === roots()[0]?.serial
  }
  return { homes, owner, start, path, roots, roll, opens }
}

/** As make-root would have made it; tests take fewer steps for a try. */
async function seal(path: string, passphrase = 'correct horse battery'): Promise<void> {
  const pair = readPlainKey(openFiles(), path)
  if (pair === undefined) throw new Error('no key')
  writeFileSync(path, await formatAuthorityKey(pair, { passphrase, logN }), { mode: 0o600 })
}

test('the next key lies under the passphrase that opens the old one', async (t) => {
  const { homes, path, roots, roll, opens } = await makePlace(t)
  await seal(path)
  const [before] = roots()
  const { stage, roots: serials } = await roll(ours)
  t.is(stage, 'steady')
  t.is(serials.length, 1)
  t.not(roots()[0]?.serial, before?.serial)
  t.true(isSealed(path))
  t.true(await opens(ours))
  t.deepEqual(
    Object.keys(snapshot(homes.operator)).filter((name) => /next|adopted/.test(name)),
    [],
  )
})

test('a wrong passphrase, or none, changes nothing', async (t) => {
  const { homes, path, roll } = await makePlace(t)
  await seal(path)
  const before = snapshot(homes.data)
  await t.throwsAsync(roll(under('correct horse batterie')), { code: 'ERR_PASSPHRASE_WRONG' })
  await t.throwsAsync(roll(), { code: 'ERR_PASSPHRASE_MISSING' })
  t.deepEqual(snapshot(homes.data), before)
})

test('where the key is elsewhere the next one is made there, and never here', async (t) => {
  const { homes, path, roots, roll, opens } = await makePlace(t)
  const file = join(temporaryFolder(t), 'stick', 'archipelago-identity-root.key')
  mkdirSync(dirname(file), { mode: 0o700 })
  renameSync(path, file)
  const before = snapshot(homes.data)
  await t.throwsAsync(roll(), { code: 'ERR_KEY_NOT_HERE' })
  t.deepEqual(snapshot(homes.data), before)
  const [old] = roots()
  t.is((await roll({ file })).stage, 'steady')
  t.not(roots()[0]?.serial, old?.serial)
  t.false(existsSync(path))
  t.true(await opens({ file }))
})

test('a plain key is followed by one under a passphrase, or elsewhere, where that is asked for', async (t) => {
  const { path, roll, opens } = await makePlace(t)
  await roll({ ...ours, isSealed: true })
  t.true(isSealed(path))
  const file = join(temporaryFolder(t), 'archipelago-identity-root.key')
  await t.throwsAsync(roll({ file }), { code: 'ERR_PASSPHRASE_MISSING' })
  await roll({ ...ours, file })
  t.false(existsSync(path))
  // The one before it was under a passphrase, so this one is, too.
  t.true(isSealed(file))
  t.true(await opens({ ...ours, file }))
})

async function cutOff(t: ExecutionContext, cutAt: number) {
  const place = await makePlace(t)
  await seal(place.path)
  let confirmed = 0
  const confirm = async (): Promise<void> => {
    confirmed += 1
    if (confirmed === cutAt) throw new Error('cut off')
  }
  const rollover = { ...place.owner, nowMs: Date.now, report: () => {}, confirm }
  const cut = rollRoot(ownerOf(rollover), { ...request, key: ours })
  await t.throwsAsync(cut, { message: 'cut off' })
  const [next] = place.roots()
  const isDone = async (): Promise<void> => {
    t.is(describeRoll(place.owner, request).stage, 'steady')
    t.deepEqual(
      place.roots().map(({ serial }) => serial),
      [next?.serial ?? ''],
    )
    t.true(await place.opens(ours))
  }
  return { ...place, isDone }
}

for (const cutAt of [1, 2, 3, 4, 5])
  test(`cut off before confirmation ${cutAt}, it goes on with the same root`, async (t) => {
    const { roll, isDone } = await cutOff(t, cutAt)
    const wrong = roll(under('correct horse batterie'))
    // Where everything is signed no key is needed any more.
    if (cutAt === 1) await t.throwsAsync(wrong, { code: 'ERR_PASSPHRASE_WRONG' })
    else await wrong
    if (cutAt === 1) await roll(ours)
    await isDone()
  })

test('begun and only published, it waits for its key also when everything was started anew', async (t) => {
  const { owner, roll, start, isDone } = await cutOff(t, 1)
  await start()
  t.is(describeRoll(owner, request).stage, 'published')
  await roll(ours)
  await isDone()
})

for (const cutAt of [2, 3, 4, 5])
  test(`signed and cut off before confirmation ${cutAt}, the next start finishes it`, async (t) => {
    const { start, isDone } = await cutOff(t, cutAt)
    await start()
    await isDone()
  })
