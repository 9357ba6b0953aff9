import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openControl } from '../../laptop/control/open-control.ts'
import { encrypt } from '../../store/age.ts'
import { packBackup, readHomes, type Manifest } from '../../store/backup.ts'
import { homesOf } from '../../store/homes.ts'
import { good } from '../core/archipelago/example.ts'
import { runScript } from '../run-script.ts'
import { snapshot } from '../store/home.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const passphrase = 'correct horse battery'
const allHomes = ['operator', 'ams3', 'sfo2', 'sgp1']

function makePlace(t: ExecutionContext) {
  const folder = temporaryFolder(t)
  const [data, file, secret] = ['data', 'trust.age', 'passphrase'].map((name) => join(folder, name))
  writeFileSync(join(folder, 'archipelago.yaml'), good)
  writeFileSync(secret as string, `${passphrase}\n`)
  const run = (name: string, ...args: string[]) =>
    runScript(name, ['--data-dir', data as string, ...args], { cwd: folder })
  const withFile = ['--passphrase-file', secret as string]
  return {
    ...{ folder, data: data as string, file: file as string, secret: secret as string },
    bootstrap: () => run('bootstrap-trust'),
    backUp: (...args: string[]) =>
      run('backup-trust', '--out', file as string, ...withFile, ...args),
    /** The same with a work factor that suits tests: a passphrase is tried at once. */
    async backUpLightly(home: string[] = allHomes) {
      const manifest: Manifest = { version: 1, network: 'archipelago', homes: home, madeAt: '' }
      const packed = packBackup(readHomes(homesOf(data as string), manifest))
      writeFileSync(file as string, await encrypt(packed, passphrase, { logN: 10 }))
    },
    restore: (...args: string[]) =>
      run('restore-trust', '--from', file as string, ...withFile, ...args),
    run,
  }
}

/** The trust: `run` belongs to whoever runs, and holds nothing that lasts. */
const withoutTimes = (folder: string) =>
  new Map(
    [...snapshot(folder)]
      .filter(([path]) => path !== 'run')
      .map(([path, state]) => [path, state.replace(/ \d+ /, ' ')]),
  )

test.serial('all homes are written into one file, and come back as they were', async (t) => {
  const { data, file, bootstrap, backUp, restore } = makePlace(t)
  await bootstrap()
  const before = withoutTimes(data)
  const { code, stdout, stderr } = await backUp()
  t.is(code, 0, stderr)
  t.regex(stdout, /trust\.age: \d+ files of operator, ams3, sfo2, sgp1\n/)
  t.is(statSync(file).mode & 0o777, 0o600)
  t.notRegex(readFileSync(file, 'latin1'), /\bS[OAU][A-Z2-7]{56}\b/)
  rmSync(data, { recursive: true })
  const restored = await restore()
  t.is(restored.code, 0, restored.stderr)
  t.regex(restored.stdout, /^operator: restored\nams3: restored\n/)
  t.deepEqual(withoutTimes(data), before)
  t.regex((await bootstrap()).stdout, /^nothing to change$/m)
})

test.serial('nothing is restored under a network that runs', async (t) => {
  const { data, bootstrap, backUpLightly, restore } = makePlace(t)
  await bootstrap()
  await backUpLightly()
  rmSync(join(data, 'ams3'), { recursive: true })
  const run = join(data, 'run')
  const before = withoutTimes(data)
  const control = await openControl(run)
  const trials = [await restore(), await restore('--force'), await restore('--dry-run')]
  for (const { code, stderr } of trials) {
    t.is(code, 1)
    t.is(
      stderr,
      `restore-trust: already running from this data directory: ${run}\n` +
        'do: end the network with Ctrl-C where it was started, restore, then start it again\n',
    )
  }
  await control[Symbol.asyncDispose]()
  t.deepEqual(withoutTimes(data), before)
  const { code, stdout, stderr } = await restore()
  t.is(code, 0, stderr)
  t.regex(stdout, /^operator: nothing to restore\nams3: restored\n/)
})

test.serial('one home, a wrong passphrase, a file that is cut off, and other keys', async (t) => {
  const { data, file, secret, bootstrap, backUp, backUpLightly, restore } = makePlace(t)
  await bootstrap()
  t.like(JSON.parse((await backUp('--home', 'ams3', '--json')).stdout), { homes: ['ams3'] })
  await backUpLightly(['ams3'])
  rmSync(join(data, 'ams3'), { recursive: true })
  rmSync(join(data, 'public', 'regions', 'ams3.json'))
  await bootstrap()
  const before = snapshot(data)
  const other = await restore()
  t.regex(
    other.stderr,
    /^restore-trust: another key is here than in the backup: .*\.nk\ndo: make sure/,
  )
  writeFileSync(secret, 'wrong horse battery')
  const wrong = await restore('--force')
  t.is(
    wrong.stderr,
    'restore-trust: wrong passphrase\ndo: try again; without it nothing can be read\n',
  )
  writeFileSync(secret, passphrase)
  const whole = readFileSync(file)
  writeFileSync(file, whole.subarray(0, -1))
  const cut = await restore('--force')
  t.regex(cut.stderr, /^restore-trust: not a whole age file: /)
  t.deepEqual([other.code, wrong.code, cut.code], [1, 1, 1])
  t.deepEqual(snapshot(data), before, 'nothing is changed')
  writeFileSync(file, whole)
  const forced = await restore('--force')
  t.is(forced.code, 0)
  t.regex(
    forced.stdout,
    /^ {2}what was there lies in .*\/ams3\.replaced-[0-9a-f]{8}: remove it in time$/m,
  )
})

test.serial(
  'a backup is never written over another file, and not with a short passphrase',
  async (t) => {
    const { file, secret, bootstrap, backUp } = makePlace(t)
    await bootstrap()
    writeFileSync(secret, 'short')
    const short = await backUp()
    t.regex(
      short.stderr,
      /^backup-trust: passphrase has less than 12 characters\ndo: put a long one/,
    )
    t.false(existsSync(file))
    writeFileSync(secret, passphrase)
    writeFileSync(file, 'mine')
    const over = await backUp()
    t.regex(over.stderr, /^backup-trust: exists: .*trust\.age\ndo: name another file/)
    t.is(readFileSync(file, 'utf8'), 'mine')
  },
)

test.serial('without a terminal and without a file nobody is asked', async (t) => {
  const { file, bootstrap, run } = makePlace(t)
  await bootstrap()
  const { code, stderr } = await run('backup-trust', '--out', file)
  t.is(code, 1)
  t.regex(
    stderr,
    /^backup-trust: no passphrase: there is no terminal to ask at\ndo: put a long one/,
  )
})
