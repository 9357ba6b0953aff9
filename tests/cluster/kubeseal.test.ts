// What seal-secrets seals is what the real kubeseal opens, with the cluster's key.
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { sealSecret } from '../../gitops/seal.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { run } from './lab/run.ts'
import { buildPeer } from './peers/build-peer.ts'
import { readPeerPin } from './peers/pin.ts'

test('kubeseal opens it, under its own name and in its own namespace only', async (t) => {
  const key = join(temporaryFolder(t), 'key.pem')
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 4096 })
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const value = Buffer.from([0, 255, 10, ...Buffer.from('do not tell')])
  const names = { namespace: 'nats', name: 'pull', purpose: 'a test' }
  const sealed = sealSecret(publicKey, { ...names, values: new Map([['token', value]]) })
  const report = (line: string): void => t.log(line)
  const pin = readPeerPin('sealed-secrets', process.env)
  const kubeseal = join(await buildPeer(pin, { environment: process.env, report }), 'bin/kubeseal')
  const open = (object: object) =>
    run(kubeseal, ['--recovery-unseal', '--recovery-private-key', key], {
      input: JSON.stringify(object),
    })
  const { data } = JSON.parse(await open(sealed)) as { data: Record<string, string> }
  t.deepEqual(data, { token: value.toString('base64') })
  for (const elsewhere of [{ name: 'other' }, { namespace: 'other' }]) {
    const metadata = { ...sealed.metadata, ...elsewhere }
    await t.throwsAsync(open({ ...sealed, metadata }), { message: /no key could decrypt secret/ })
  }
})
