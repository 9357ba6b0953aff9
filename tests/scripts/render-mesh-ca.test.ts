// Both sides in one data folder, as an operator has it who runs a region by hand. kubectl is a script that keeps
// what it is told: whether the key shows up anywhere else is what is asked.
import { createPrivateKey } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { parseCertificates } from '../../core/identity/certificate.ts'
import { verifyChain } from '../../core/identity/chain.ts'
import { good } from '../core/archipelago/example.ts'
import { runScript } from '../run-script.ts'
import { temporaryFolder } from '../temporary-folder.ts'

function makePlace(t: ExecutionContext) {
  const folder = temporaryFolder(t)
  const path = (name: string) => join(folder, name)
  mkdirSync(path('clone'))
  mkdirSync(path('bin'))
  writeFileSync(path('clone/archipelago.yaml'), good)
  writeFileSync(
    path('bin/kubectl'),
    `#!/bin/sh\necho "$@" > '${path('args')}'\ncat > '${path('stdin')}'\n`,
  )
  chmodSync(path('bin/kubectl'), 0o755)
  const env = { PATH: `${path('bin')}${delimiter}${process.env['PATH']}` }
  const run = (name: string, ...args: string[]) =>
    runScript(name, [...args, '--data-dir', path('data')], { cwd: path('clone'), env })
  const sign = async (mesh: string) => {
    const csr = path(`data/ams3/identity/ca/${mesh}/next/ca.csr`)
    const signed = await run('sign-region', '--region', 'ams3', '--kind', mesh, '--csr', csr)
    t.is(signed.code, 0, signed.stderr)
  }
  const makeRoot = async (mesh: string) => {
    const made = await run('make-root', '--kind', mesh, '--key-dir', path('stick'))
    t.is(made.code, 0, made.stderr)
    mkdirSync(path(`data/operator/identity/${mesh}`), { recursive: true, mode: 0o700 })
    const key = path(`data/operator/identity/${mesh}/root.key`)
    writeFileSync(key, readFileSync(path(`stick/archipelago-${mesh}-root.key`)), { mode: 0o600 })
  }
  return { path, run, sign, makeRoot }
}

interface Secret {
  readonly metadata: object
  readonly type: string
  readonly data: Record<string, string>
}

function readSecret(file: string): Secret {
  const secret = JSON.parse(readFileSync(file, 'utf8')) as Secret
  const data = Object.entries(secret.data).map(([key, text]) => [
    key,
    Buffer.from(text, 'base64').toString(),
  ])
  return { ...secret, data: Object.fromEntries(data) as Record<string, string> }
}

const layouts = [
  {
    mesh: 'istio',
    place: { namespace: 'istio-system', name: 'cacerts' },
    entries: ['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem', 'root-cert.pem'],
    names: { certificate: 'ca-cert.pem', key: 'ca-key.pem', root: 'root-cert.pem' },
    label: 'PRIVATE KEY',
  },
  {
    mesh: 'linkerd',
    place: { namespace: 'linkerd', name: 'linkerd-identity-issuer' },
    entries: ['ca.crt', 'tls.crt', 'tls.key'],
    names: { certificate: 'tls.crt', key: 'tls.key', root: 'ca.crt' },
    label: 'EC PRIVATE KEY',
  },
] as const

for (const { mesh, place, entries, names, label } of layouts)
  test(`${mesh}: a key made here, a request signed, and the Secret in its layout by kubectl alone`, async (t) => {
    const { path, run, sign, makeRoot } = makePlace(t)
    await makeRoot(mesh)
    const render = (...args: string[]) => run('render-mesh-ca', 'ams3', '--mesh', mesh, ...args)
    const said = []
    const dry = await render('--dry-run')
    t.regex(dry.stdout, /^ams3, \w+: would be requested: .+, key sha256 [0-9a-f]{64}$/m)
    t.false(existsSync(path('data/ams3')))
    const asked = await render()
    t.is(asked.code, 0, asked.stderr)
    t.regex(asked.stdout, /\nnext: the operator signs it with sign-region --region ams3 --kind/)
    await sign(mesh)
    const waiting = await render('--json')
    t.like(JSON.parse(waiting.stdout), {
      state: 'adopted',
      secret: `${place.namespace}/${place.name}`,
    })
    t.false(existsSync(path('stdin')), 'nobody asked for it to go anywhere')
    const applied = await render('--apply', '--context', 'ams3')
    t.is(applied.code, 0, applied.stderr)
    said.push(...[dry, asked, waiting, applied].flatMap(({ stdout, stderr }) => [stdout, stderr]))

    const { metadata, data } = readSecret(path('stdin'))
    t.deepEqual<unknown, unknown>(metadata, { ...place })
    t.deepEqual(Object.keys(data).toSorted(), [...entries])
    const [authority] = parseCertificates(data[names.certificate] ?? '')
    const roots = parseCertificates(data[names.root] ?? '')
    if (authority === undefined) return t.fail()
    const purposes = ['serverAuth', 'clientAuth'] as const
    t.is(verifyChain([authority], roots, { nowMs: Date.now(), purposes }).length, 2)
    const key = data[names.key] ?? ''
    t.true(key.startsWith(`-----BEGIN ${label}-----`))
    t.true(authority.openssl.checkPrivateKey(createPrivateKey(key)))

    const secret = key.split('\n')[1] as string
    for (const text of [...said, readFileSync(path('args'), 'utf8')]) t.false(text.includes(secret))
  })

test('a file of it is its owner’s alone, and lies in no repository', async (t) => {
  const { path, run, sign, makeRoot } = makePlace(t)
  await makeRoot('istio')
  const render = (...args: string[]) => run('render-mesh-ca', 'ams3', '--mesh', 'istio', ...args)
  await render()
  await sign('istio')
  mkdirSync(path('clone/.git'))
  const inside = await render('--out', path('clone/cacerts.json'))
  t.is(inside.code, 1)
  t.regex(inside.stderr, /^render-mesh-ca: keys may not lie in the repository: /)
  const outside = await render('--out', path('cacerts.json'))
  t.is(outside.code, 0, outside.stderr)
  t.is(statSync(path('cacerts.json')).mode & 0o777, 0o600)
  const both = await render('--out', path('a'), '--apply')
  t.regex(both.stderr, /^render-mesh-ca: either --out or --apply$/m)
})

test('what was signed for another mesh, or another region, is refused', async (t) => {
  const { path, run, sign, makeRoot } = makePlace(t)
  for (const mesh of ['istio', 'linkerd']) await makeRoot(mesh)
  await run('render-mesh-ca', 'ams3', '--mesh', 'istio')
  await run('render-mesh-ca', 'ams3', '--mesh', 'linkerd')
  await sign('linkerd')
  const crossed = await run(
    ...(['render-mesh-ca', 'ams3', '--mesh', 'istio', '--certificate'] as const),
    path('data/public/identity/linkerd-intermediates/ams3.pem'),
  )
  t.is(crossed.code, 1)
  t.regex(crossed.stderr, /^render-mesh-ca: no trusted issuer of certificate/)
  const unknown = await run('render-mesh-ca', 'fra1', '--mesh', 'istio')
  t.regex(unknown.stderr, /^render-mesh-ca: unknown region: 'fra1'/)
})

test('Open Service Mesh is refused without cert-manager, with the reason', async (t) => {
  const { run } = makePlace(t)
  const early = await run('render-mesh-ca', 'ams3', '--mesh', 'osm')
  t.is(early.code, 1)
  t.regex(
    early.stderr,
    /^render-mesh-ca: no Secret for osm: .+ RSA keys alone.+\ndo: install cert-m/,
  )
})
