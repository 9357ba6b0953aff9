import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createPrivateKey } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { parse } from 'yaml'
import type { SealedSecret } from '../../gitops/seal.ts'
import { unseal } from '../gitops/unseal.ts'
import { run, runScript } from '../run-script.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const example = fileURLToPath(new URL('../../archipelago.yaml', import.meta.url))
const overlay = 'manifests/overlays/ams3'
const sealed = `${overlay}/sealed/pull.yaml`
const pull = ['ams3', 'pull', '--from-file', 'token=token', '--purpose', 'pulls the repository']

test('what is sealed opens with that cluster’s key, under that name, and nowhere else', async (t) => {
  const { folder, seal } = await start(t)
  const { code, stdout, stderr } = await seal(...pull)
  t.is(code, 0, stderr)
  t.is(stdout, 'ams3/pull (token): pulls the repository\n1 ciphertexts in git\n')
  t.false(`${stdout}${stderr}${readFileSync(join(folder, sealed), 'utf8')}`.includes('do not tell'))
  const { metadata, spec } = parse(readFileSync(join(folder, sealed), 'utf8')) as SealedSecret
  t.like(metadata, { name: 'pull', namespace: 'nats' })
  const token = spec.encryptedData['token'] ?? ''
  const own = createPrivateKey(readFileSync(join(folder, 'ams3.key')))
  t.is(unseal(own, token, 'nats/pull'), 'do not tell')
  t.throws(() => unseal(own, token, 'nats/other'))
  t.throws(() => unseal(own, token, 'other/pull'))
})

test('the same secret is never sealed to the same bytes', async (t) => {
  const { folder, seal } = await start(t)
  const texts = []
  for (const _ of [1, 2]) {
    t.is((await seal(...pull)).code, 0)
    texts.push(readFileSync(join(folder, sealed), 'utf8'))
  }
  t.not(texts[0], texts[1])
})

test('a dry run writes nothing, and no secret is counted where there is none', async (t) => {
  const { folder, seal } = await start(t)
  t.is((await seal(...pull, '--dry-run')).code, 0)
  t.false(existsSync(join(folder, sealed)))
  t.is((await seal()).stdout, '0 ciphertexts in git\n')
})

test('refuses what would be sealed to nobody, for nothing, or without a reason', async (t) => {
  const { folder, seal } = await start(t)
  for (const [args, says] of [
    [['fra1', ...pull.slice(1)], /unknown region: 'fra1'/],
    [['sfo2', ...pull.slice(1)], /sealing certificate/],
    [['ams3', 'Pull', ...pull.slice(2)], /not the name of a Secret: 'Pull'/],
    [pull.slice(0, 4), /say with --purpose/],
    [['ams3', 'pull', '--purpose', 'a'], /nothing to seal/],
    [['ams3', 'pull', '--from-file', 'token', '--purpose', 'a'], /not key=file: 'token'/],
    [['ams3', 'pull', '--from-file', 'a=none', '--purpose', 'a'], /no such file: none/],
  ] as const) {
    const { code, stderr } = await seal(...args)
    t.is(code, 1)
    t.regex(stderr, says)
  }
  writeFileSync(join(folder, overlay, 'sealing-certificate.pem'), 'nothing')
  t.regex(
    (await seal(...pull)).stderr,
    /not a certificate, as kubeseal --fetch-cert prints it\ndo: /,
  )
  await makeCertificate(folder, ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'])
  t.regex((await seal(...pull)).stderr, /not of an RSA key of 2048 bits or more/)
})

async function start(t: ExecutionContext) {
  const folder = temporaryFolder(t)
  copyFileSync(example, join(folder, 'archipelago.yaml'))
  mkdirSync(join(folder, overlay), { recursive: true })
  writeFileSync(join(folder, 'token'), 'do not tell')
  await makeCertificate(folder, ['-newkey', 'rsa:2048'])
  const seal = (...args: string[]) => runScript('seal-secrets', args, { cwd: folder })
  return { folder, seal }
}

async function makeCertificate(folder: string, key: readonly string[]): Promise<void> {
  const certificate = join(overlay, 'sealing-certificate.pem')
  const files = ['-keyout', 'ams3.key', '-out', certificate]
  const args = ['req', '-x509', '-nodes', '-days', '1', '-subj', '/CN=sealed', ...key, ...files]
  const { code, stderr } = await run('openssl', args, { cwd: folder })
  if (code !== 0) throw new Error(stderr)
}
