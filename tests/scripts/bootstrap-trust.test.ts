import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { edited, good } from '../core/archipelago/example.ts'
import { runScript } from '../run-script.ts'
import { snapshot } from '../store/home.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const seed = /\bS[OAUN][A-Z2-7]{56}\b/

function makePlace(t: ExecutionContext, yaml = good) {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  writeFileSync(join(folder, 'archipelago.yaml'), yaml)
  const bootstrap = (...args: string[]) =>
    runScript(
      'bootstrap-trust',
      args.includes('--data-dir') ? args : ['--data-dir', data, ...args],
      {
        cwd: folder,
      },
    )
  return { folder, data, bootstrap }
}

test.serial('says what there is, what was made and where, and never a seed', async (t) => {
  const { data, bootstrap } = makePlace(t)
  const { code, stdout, stderr } = await bootstrap()
  t.is(code, 0, stderr)
  t.regex(stdout, /^operator {2}O[A-Z2-7]{55} {2}identity key here, 2 signing keys here$/m)
  t.regex(stdout, /^account {3}A[A-Z2-7]{55} {2}KUBECON: member\.lobby\.ams3 /m)
  t.regex(stdout, /^region {4}ams3: home here, public keys [0-9a-f]{16}$/m)
  t.true(stdout.includes(`keys lie in ${data}\n`))
  t.regex(stdout, /^made: public\/operator\.jwt$/m)
  t.notRegex(stdout, seed)
})

test.serial('run again, it changes nothing, neither a byte nor a time', async (t) => {
  const { data, bootstrap } = makePlace(t)
  await bootstrap()
  const before = snapshot(data)
  const { code, stdout } = await bootstrap()
  t.is(code, 0)
  t.regex(stdout, /^nothing to change$/m)
  t.deepEqual(snapshot(data), before)
})

test.serial('two at the same time make one trust', async (t) => {
  const { data, bootstrap } = makePlace(t)
  const both = await Promise.all([bootstrap(), bootstrap()])
  for (const { code, stderr } of both) t.is(code, 0, stderr)
  const { stdout } = await bootstrap()
  t.regex(stdout, /^nothing to change$/m)
  t.false([...snapshot(data).keys()].some((path) => path.includes('lock')))
})

test.serial('a dry run changes nothing, before there is anything and after an edit', async (t) => {
  const { folder, data, bootstrap } = makePlace(t)
  const first = await bootstrap('--dry-run')
  t.regex(first.stdout, /^would be made: public\/operator\.jwt$/m)
  t.false(existsSync(data))
  await bootstrap()
  const before = snapshot(data)
  writeFileSync(join(folder, 'archipelago.yaml'), good.replace('10000', '7'))
  const second = await bootstrap('--dry-run')
  t.regex(second.stdout, /^would be changed: public\/accounts\/KUBECON\.jwt$/m)
  t.regex(
    second.stdout,
    /^resign {6}account KUBECON: connections 10000 → 7\ndisconnect {2}account KUBECON: every server /,
  )
  t.notRegex(second.stdout, /\.nk/)
  t.deepEqual(snapshot(data), before)
  t.regex(
    (await bootstrap()).stdout,
    /^servers that run do not know of it yet: push-accounts\.ts /m,
  )
})

const sgp1 = '  sgp1:\n    addresses: [sgp1.nats.archipelago.example]\n'

test.serial('what an edit withdraws needs a yes, and does not come back by itself', async (t) => {
  const { folder, data, bootstrap } = makePlace(t)
  const file = join(folder, 'archipelago.yaml')
  const keys = () => readFileSync(join(data, 'public', 'regions', 'sgp1.json'), 'utf8')
  t.regex((await bootstrap()).stdout, /^resign {2}account SYS, .*: is new\n\n4 re-signed\n/)
  const [before, first] = [snapshot(data), keys()]
  writeFileSync(file, edited(sgp1, ''))
  const asks = /^disconnect {2}leafnode\.sgp1, member\.lobby\.sgp1, .*for good \(asks\)$/m
  const planned = await bootstrap('--dry-run')
  t.is(planned.code, 0)
  t.regex(planned.stdout, asks)
  const refused = await bootstrap()
  t.is(refused.code, 1)
  t.regex(refused.stdout, asks)
  t.is(
    refused.stderr,
    'bootstrap-trust: nobody agreed to what the plan withdraws\n' +
      'do: look at it with --dry-run, then agree with --yes; apply.ts also tells a network that runs\n',
  )
  t.deepEqual(snapshot(data), before)
  const { code, stdout, stderr } = await bootstrap('--yes')
  t.is(code, 0, stderr)
  t.regex(stdout, /^changed: public\/accounts\/KUBECON\.jwt$/m)
  t.false(existsSync(join(data, 'sgp1/functions/lobby/signing/member.nk')))
  writeFileSync(file, good)
  t.is((await bootstrap()).code, 0)
  t.not(keys(), first)
})

test.serial(
  'a bootstrap that was cut off after its first file goes on, and asks nobody',
  async (t) => {
    const { data, bootstrap } = makePlace(t)
    await bootstrap()
    for (const path of ['accounts', 'configuration.jwt', 'deny-list.jwt'])
      rmSync(join(data, 'public', path), { recursive: true })
    const { code, stderr } = await bootstrap()
    t.is(code, 0, stderr)
    t.regex((await bootstrap()).stdout, /^nothing to change$/m)
  },
)

test.serial(
  'another network is not put into the place of this one, not even by a yes',
  async (t) => {
    const { folder, data, bootstrap } = makePlace(t)
    await bootstrap()
    const before = snapshot(data)
    writeFileSync(
      join(folder, 'archipelago.yaml'),
      edited('network: archipelago', 'network: other'),
    )
    const { code, stderr } = await bootstrap('--yes')
    t.is(code, 1)
    t.regex(
      stderr,
      /network: this data directory is of 'archipelago', not 'other'.*\ndo: take that/,
    )
    t.deepEqual(snapshot(data), before)
  },
)

test.serial('a program reads the report', async (t) => {
  const { data, bootstrap } = makePlace(t)
  await bootstrap()
  const report = JSON.parse((await bootstrap('--json')).stdout) as Record<string, unknown>
  t.like(report, { data, isDryRun: false, changes: [], operator: { isIdentityKeyHere: true } })
  t.notRegex(JSON.stringify(report), seed)
})

test.serial(
  'each home makes its own keys, and the operator adopts what is public of them',
  async (t) => {
    const operator = makePlace(t)
    const region = makePlace(t)
    const made = await region.bootstrap('--home', 'ams3')
    const file = join(region.data, 'ams3', 'public.json')
    t.true(made.stdout.includes(`the operator adopts ${file}\n`))
    const { code, stdout, stderr } = await operator.bootstrap('--home', 'operator', '--adopt', file)
    t.is(code, 0, stderr)
    t.regex(stdout, /^region {4}ams3: home elsewhere, public keys [0-9a-f]{16}$/m)
    t.regex(stdout, /^region {4}sfo2: no keys yet: adopt its public\.json$/m)
    const digest = /ams3: home (?:here|elsewhere), public keys ([0-9a-f]{16})/
    t.is(digest.exec(stdout)?.[1], digest.exec(made.stdout)?.[1])
    t.false(existsSync(join(operator.data, 'ams3')))
  },
)

for (const [what, change, stderr] of [
  [
    'an unknown region',
    (keys: string) => keys.replace('"ams3"', '"ams4"'),
    /^bootstrap-trust: unknown region: 'ams4' \(ams3, sfo2, sgp1\)\ndo: name a region of archipelago/,
  ],
  [
    "another region's keys under its own name",
    (keys: string) => keys.replace('"ams3"', '"sgp1"'),
    /^bootstrap-trust: region sgp1: key of leafnode\.sgp1 is already that of leafnode\.ams3: A\S+\ndo: get the/,
  ],
  ['something else', () => '{}', /^bootstrap-trust: illegal region keys: region: /],
] as const)
  test.serial(`${what} is not adopted, and nothing is changed`, async (t) => {
    const region = makePlace(t)
    const { folder, data, bootstrap } = makePlace(t)
    await region.bootstrap('--home', 'ams3')
    const file = join(region.data, 'ams3', 'public.json')
    await bootstrap('--home', 'operator', '--adopt', file)
    const before = snapshot(data)
    const changed = join(folder, 'changed.json')
    writeFileSync(changed, change(readFileSync(file, 'utf8')))
    const refused = await bootstrap('--home', 'operator', '--adopt', changed)
    t.is(refused.code, 1)
    t.regex(refused.stderr, stderr)
    t.deepEqual(snapshot(data), before)
  })

for (const [what, place, of] of [
  ['the repository', (): string => join(root, 'data'), 'the repository'],
  [
    "the user's nsc store",
    (): string => join(homedir(), '.local/share/nats/x'),
    "the user's own nsc store",
  ],
  ["nsc's keys", (): string => join(homedir(), '.nkeys'), "the user's own nsc store"],
] as const)
  test.serial(`keys are not put into ${what}`, async (t) => {
    const { bootstrap } = makePlace(t)
    const { code, stderr } = await bootstrap('--data-dir', place())
    t.is(code, 1)
    t.is(
      stderr,
      `bootstrap-trust: keys may not lie in ${of}: ${place()}\n` +
        'do: name another folder with --data-dir, outside every repository\n',
    )
    t.false(existsSync(place()))
  })

test.serial(
  'keys are not put into the work tree that holds archipelago.yaml, links followed',
  async (t) => {
    const { folder, bootstrap } = makePlace(t)
    mkdirSync(join(folder, '.git'))
    const elsewhere = temporaryFolder(t)
    symlinkSync(folder, join(elsewhere, 'link'))
    const { code, stderr } = await bootstrap('--data-dir', join(elsewhere, 'link', 'data'))
    t.is(code, 1)
    t.regex(stderr, /^bootstrap-trust: keys may not lie in the repository: /)
    t.false(existsSync(join(folder, 'data')))
  },
)

test.serial('a store that others can read is refused, not mended', async (t) => {
  const { data, bootstrap } = makePlace(t)
  await bootstrap()
  const open = join(data, 'ams3', 'leafnode', 'user.nk')
  chmodSync(open, 0o644)
  const { code, stderr } = await bootstrap()
  t.is(code, 1)
  t.is(
    stderr,
    `bootstrap-trust: others can read the store: ${open} (mode 644)\n` +
      'do: close it with chmod -R go-rwx on the data folder; a key that others could read is no secret\n',
  )
})

test.serial('without archipelago.yaml, and with a wrong one, it says what to do', async (t) => {
  const missing = await makePlace(t).bootstrap('--archipelago', 'nowhere.yaml')
  t.is(missing.code, 1)
  t.regex(
    missing.stderr,
    /^bootstrap-trust: cannot read .*nowhere\.yaml: ENOENT\ndo: run it in the /,
  )
  const wrong = await makePlace(t, good.replace('lifetime: 1h', 'lifetime: soon')).bootstrap()
  t.is(wrong.code, 1)
  t.regex(wrong.stderr, /^bootstrap-trust: archipelago\.yaml:\d+:\d+: .*\ndo: mend the named lines/)
})

test.serial('help says what every option is for', async (t) => {
  const { code, stdout } = await makePlace(t).bootstrap('--help')
  t.is(code, 0)
  for (const option of [
    '--home',
    '--adopt',
    '--yes',
    '--dry-run',
    '--json',
    '--data-dir',
    '--archipelago',
  ])
    t.true(stdout.includes(option), option)
})
