// The token exchange as a platform for functions runs it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { makeExchange, readTokenAnswer } from '../../../core/access/ask-exchange.ts'
import { formatTokenAudience } from '../../../core/access/token-audience.ts'
import { readArchipelago } from '../../../store/archipelago.ts'
import { bootstrapAll } from '../../../store/bootstrap.ts'
import { openFiles } from '../../../store/files.ts'
import { functionHome, homesOf } from '../../../store/homes.ts'
import { ams3Cluster, keyFiles, withTokens } from '../../core/access/token-example.ts'
import { serviceAccountClaims } from '../../core/access/token-issuer.ts'
import { good } from '../../core/archipelago/example.ts'
import { askHttp, makeHolder } from '../ask.ts'

const trigger = fileURLToPath(new URL('../../../functions/triggers/framework.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'archipelago-'))
test.after.always(() => rmSync(folder, { recursive: true }))

for (const [name, text] of Object.entries({ ...keyFiles, 'archipelago.yaml': withTokens(good) }))
  writeFileSync(join(folder, name), text)
const archipelago = readArchipelago(join(folder, 'archipelago.yaml'))
const homes = homesOf(join(folder, 'data'))
const nowSeconds = Math.floor(Date.now() / 1000)
const { operator } = bootstrapAll({ files: openFiles(), homes, archipelago, nowSeconds })

test('exchanges a token at the same path, by the same handler', async (t) => {
  const child = spawn(process.execPath, [trigger], {
    env: {
      PORT: '0',
      ARCHIPELAGO_REGION: 'ams3',
      ARCHIPELAGO_DOOR: 'identity',
      ARCHIPELAGO_PUBLIC: homes.public,
      ARCHIPELAGO_KEYS: functionHome(homes, 'ams3', 'identity'),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.teardown(() => child.kill())
  const [line] = (await once(createInterface(child.stderr), 'line')) as [string]
  const [, url = ''] = /^exchange-token: (http:\S+)\/$/.exec(line) ?? []

  const holder = makeHolder()
  const audience = formatTokenAudience('archipelago', holder.pair.publicKey)
  const token = ams3Cluster.sign(serviceAccountClaims({ audience, nowSeconds }))
  const asking = { operator, role: 'orders', token, nowMs: Date.now(), ...holder }
  const ask = makeExchange({ ...asking, nonce: 'nonce-of-a-request' })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await askHttp(`${url}/token`, { body: Buffer.from(ask.form), headers })
  t.is(answer.status, 200)
  t.is(answer.headers['cache-control'], 'no-store')
  const body = Buffer.from(JSON.stringify(answer.body))
  t.is(readTokenAnswer(body, ask, asking).region, 'ams3')
  const elsewhere = await askHttp(`${url}/`, { body: Buffer.from(ask.form), headers })
  t.is(elsewhere.body['error'], 'invalid_request')
  t.is(elsewhere.status, 404)
})
