// An operator and a region on two machines: what travels between them is a request and a certificate.
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { parseCertificates } from '../../core/identity/certificate.ts'
import { homesOf } from '../../store/homes.ts'
import { intermediateFiles } from '../../store/authority-files.ts'
import { edited, good } from '../core/archipelago/example.ts'
import { runScript } from '../run-script.ts'
import { snapshot } from '../store/home.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const passphrase = 'correct horse battery'
const kind = ['--kind', 'identity']
const ams3 = ['--region', 'ams3', ...kind]

function makePlace(t: ExecutionContext) {
  const folder = temporaryFolder(t)
  const secret = join(folder, 'passphrase')
  writeFileSync(join(folder, 'archipelago.yaml'), good)
  writeFileSync(secret, `${passphrase}\n`)
  const at = (machine: string) => {
    const data = join(folder, machine)
    const run = (name: string, ...args: string[]) =>
      runScript(name, ['--data-dir', data, ...args], { cwd: folder })
    return { data, homes: homesOf(data), run }
  }
  return { folder, secret, operator: at('operator'), region: at('region') }
}

test.serial('a root, a request, a signature and its adoption', async (t) => {
  const { secret, operator, region } = makePlace(t)
  const withPassphrase = ['--passphrase-file', secret]
  const made = await operator.run('make-root', ...kind, ...withPassphrase)
  t.is(made.code, 0, made.stderr)
  t.regex(made.stdout, /^identity root made: sha256 [0-9a-f]{64}, until 2036-/)
  const key = readFileSync(join(operator.data, 'operator/identity/identity/root.key'), 'utf8')
  t.regex(key, /^-----BEGIN AGE ENCRYPTED FILE-----/)
  const again = await operator.run('make-root', ...kind, ...withPassphrase)
  t.regex(again.stdout, /^identity root is there: sha256 [0-9a-f]{64}/)

  const requested = await region.run('request-authority', ...ams3, '--json')
  t.is(requested.code, 0, requested.stderr)
  const { state, request, keySha256 } = JSON.parse(requested.stdout)
  t.is(state, 'requested')
  const before = snapshot(operator.data)
  const sign = ['sign-region', ...ams3, '--csr', request, ...withPassphrase] as const
  const dry = await operator.run(...sign, '--dry-run')
  t.regex(
    dry.stdout,
    /^ams3, identity: would be signed, until .+: key sha256 [0-9a-f]{64}\nwould be published in .+\n$/,
  )
  t.true(dry.stdout.includes(keySha256))
  t.deepEqual(snapshot(operator.data), before)
  const other = keySha256.replace(/^./, (digit: string) => (digit === '0' ? '1' : '0'))
  const exchanged = await operator.run(...sign, '--key-sha256', other)
  t.regex(exchanged.stderr, /^sign-region: request is for the key [0-9a-f]{64}, not [0-9a-f]{64}\n/)
  t.deepEqual(snapshot(operator.data), before)

  const signed = await operator.run(...sign, '--key-sha256', keySha256, '--json')
  t.is(signed.code, 0, signed.stderr)
  t.like(JSON.parse(signed.stdout), { region: 'ams3', kind: 'identity', isNew: true })
  t.like(JSON.parse((await operator.run(...sign, '--json')).stdout), { isNew: false })

  cpSync(operator.homes.public, region.homes.public, { recursive: true })
  const adopted = await region.run('request-authority', ...ams3)
  t.regex(adopted.stdout, /^adopted: identity authority of ams3: sha256 [0-9a-f]{64}, until /)
  const inUse = await region.run('request-authority', ...ams3)
  t.regex(inUse.stdout, /^in use: identity authority of ams3: sha256 /)
  const place = { region: 'ams3', kind: 'identity' } as const
  const { certificate } = intermediateFiles(region.homes, place, 'current')
  const [authority] = parseCertificates(readFileSync(certificate, 'utf8'))
  t.deepEqual(authority?.names.uris, ['spiffe://ams3.archipelago.example'])
  t.false(existsSync(join(operator.data, 'ams3')))
  t.false(existsSync(join(region.data, 'operator')))
})

test.serial('a good authority is replaced on request, and the old one withdrawn', async (t) => {
  const { secret, operator, region } = makePlace(t)
  const withPassphrase = ['--passphrase-file', secret]
  await operator.run('make-root', ...kind, ...withPassphrase)
  const carry = () => cpSync(operator.homes.public, region.homes.public, { recursive: true })
  const request = async (...more: string[]) => {
    const ran = await region.run('request-authority', ...ams3, ...more, '--json')
    t.is(ran.code, 0, ran.stderr)
    return JSON.parse(ran.stdout)
  }
  const sign = async (csr: string) => {
    const ran = await operator.run('sign-region', ...ams3, '--csr', csr, ...withPassphrase)
    t.is(ran.code, 0, ran.stderr)
    carry()
  }
  await sign((await request()).request)
  const old = await request()
  t.is(old.state, 'adopted')

  const asked = await request('--replace')
  t.is(asked.state, 'requested')
  // Twice is the same request, and the old one signs meanwhile.
  t.is((await request('--replace')).keySha256, asked.keySha256)
  t.is((await request()).keySha256, asked.keySha256)
  await sign(asked.request)
  const early = await region.run('withdraw-authority', ...ams3)
  t.regex(early.stderr, /^withdraw-authority: ams3 still signs by it\ndo: replace it first: /)
  const adopted = await request()
  t.is(adopted.state, 'adopted')
  t.not(adopted.sha256, old.sha256)
  t.like(await request(), { state: 'in use', sha256: adopted.sha256 })

  for (const { run } of [operator, region]) {
    const ran = await run('withdraw-authority', ...ams3, '--json')
    t.is(ran.code, 0, ran.stderr)
    const { gone, left } = JSON.parse(ran.stdout)
    t.is(gone[0]?.sha256, old.sha256)
    t.is(left[0]?.sha256, adopted.sha256)
  }
  t.false(existsSync(join(region.data, 'operator')))
})

test.serial('a root is replaced with regions elsewhere, a step at each run', async (t) => {
  const { folder, operator, region } = makePlace(t)
  const stick = ['--key-dir', join(folder, 'stick')]
  const rootKey = join(folder, 'stick/archipelago-identity-root.key')
  await operator.run('make-root', ...kind, ...stick)
  const carry = () => cpSync(operator.homes.public, region.homes.public, { recursive: true })
  const done = async (ran: Promise<{ code: number; stdout: string; stderr: string }>) => {
    const { code, stdout, stderr } = await ran
    t.is(code, 0, stderr)
    return JSON.parse(stdout)
  }
  const request = (...more: string[]) =>
    done(region.run('request-authority', ...ams3, ...more, '--json'))
  const sign = async ({ request: csr }: { request: string }) => {
    const shown = ['--csr', csr, '--root-key', rootKey, '--json']
    await done(operator.run('sign-region', ...ams3, ...shown))
    carry()
  }
  await sign(await request())
  const { sha256: old } = await request()

  const roll = (...more: string[]) =>
    operator.run('roll-authority', '--root', ...kind, ...stick, ...more, '--json')
  const published = await done(roll('--publish'))
  t.is(published.stage, 'published')
  const [next] = published.roots
  const unsigned = await roll()
  t.is(unsigned.code, 1)
  t.regex(unsigned.stderr, /of the old identity root are authorities of ams3\ndo: for each: /)
  t.false(existsSync(join(operator.data, 'ams3')))

  await sign(await request('--replace'))
  const { state, sha256 } = await request()
  t.is(state, 'adopted')
  t.not(sha256, old)
  t.is((await roll()).code, 1, 'the old one is published yet')
  await done(operator.run('withdraw-authority', ...ams3, '--json'))
  t.deepEqual((await done(roll())).roots, [next])
  carry()
  t.like(await request(), { state: 'in use', sha256 })
  const foreign = await operator.run('roll-authority', '--region', 'ams3', ...kind, ...stick)
  t.regex(foreign.stderr, /^roll-authority: ams3 signs in a home that is elsewhere\ndo: for it: /)
})

test.serial('keys of roots can lie elsewhere, but in no repository', async (t) => {
  const { folder, operator, region } = makePlace(t)
  const elsewhere = join(folder, 'stick')
  const made = await operator.run('make-root', '--key-dir', elsewhere, '--json')
  t.is(made.code, 0, made.stderr)
  t.deepEqual(
    JSON.parse(made.stdout).roots.map(({ keyFile }: { keyFile: string }) => keyFile),
    ['identity', 'public'].map((each) => join(elsewhere, `archipelago-${each}-root.key`)),
  )
  t.false(existsSync(join(operator.data, 'operator')))
  const { request } = JSON.parse((await region.run('request-authority', ...ams3, '--json')).stdout)
  const missing = await operator.run('sign-region', ...ams3, '--csr', request)
  t.regex(missing.stderr, /^sign-region: no key of the identity root at .+\ndo: name the file/)
  const rootKey = join(elsewhere, 'archipelago-identity-root.key')
  const signed = await operator.run('sign-region', ...ams3, '--csr', request, '--root-key', rootKey)
  t.is(signed.code, 0, signed.stderr)
  const repository = join(folder, 'repository')
  mkdirSync(join(repository, '.git'), { recursive: true })
  writeFileSync(
    join(repository, 'archipelago.yaml'),
    edited('trustDomain: archipelago.example', 'trustDomain: b.example'),
  )
  const inside = await runScript(
    'make-root',
    ['--data-dir', join(folder, 'other'), '--key-dir', join(repository, 'keys')],
    { cwd: repository },
  )
  t.is(inside.code, 1)
  t.regex(inside.stderr, /^make-root: keys may not lie in the repository: /)
})

test.serial('what is missing is named with the next step', async (t) => {
  const { folder, operator, region } = makePlace(t)
  const noRequest = await operator.run('sign-region', ...ams3)
  t.regex(
    noRequest.stderr,
    /^sign-region: no request at .+\ndo: name the region's request with --csr/,
  )
  const { request } = JSON.parse((await region.run('request-authority', ...ams3, '--json')).stdout)
  const noRoot = await operator.run('sign-region', ...ams3, '--csr', request)
  t.regex(noRoot.stderr, /^sign-region: no identity root is published\ndo: .+ begin with make-root/)
  await operator.run('make-root', ...kind, '--key-dir', join(folder, 'stick'))
  const rootKey = join(folder, 'stick/archipelago-identity-root.key')
  const out = join(folder, 'ams3.crt')
  const sign = ['--csr', request, '--root-key', rootKey, '--out', out]
  t.is((await operator.run('sign-region', ...ams3, ...sign)).code, 0)
  const early = await region.run('request-authority', ...ams3, '--certificate', out)
  t.regex(early.stderr, /^request-authority: no trusted issuer .+\ndo: bring the operator's public/)
})

test.serial('a dry run makes no root, and asks for no passphrase', async (t) => {
  const { operator } = makePlace(t)
  const dry = await operator.run('make-root', '--dry-run')
  t.is(dry.code, 0, dry.stderr)
  t.regex(dry.stdout, /^identity root would be made, its key at .+\npublic root would be made/)
  t.false(existsSync(operator.data))
})

test.serial('an unknown region is refused with those that are known', async (t) => {
  const { region } = makePlace(t)
  const asked = await region.run('request-authority', '--region', 'fra1', ...kind)
  t.is(asked.code, 1)
  t.regex(asked.stderr, /^request-authority: unknown region: 'fra1' \(ams3, sfo2, sgp1\)\ndo: /)
})
