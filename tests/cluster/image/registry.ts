// The reference registry, as a process of the test's own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { stringify } from 'yaml'
import { buildPeer } from '../peers/build-peer.ts'
import { readPeerPin } from '../peers/pin.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { until } from '../../until.ts'

export const credentials = { username: 'tester', password: 'let me in' }

// bcrypt of that password, of the least cost.
const htpasswd = 'tester:$2a$04$MOIUA7W93Tq78Qtxicg1ue1Fht8VANdBZRpWhunKWraN87Se.wCcy'

export type Auth = (folder: string) => object

export const byPassword: Auth = (folder) => ({
  htpasswd: { realm: 'test', path: join(folder, 'htpasswd') },
})

/** Returns its host when it listens. */
export async function startRegistry(t: ExecutionContext, auth: Auth): Promise<string> {
  const pin = readPeerPin('registry', process.env)
  const peer = await buildPeer(pin, { environment: process.env, report: (line) => t.log(line) })
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'data'))
  writeFileSync(join(folder, 'htpasswd'), htpasswd)
  const storage = { filesystem: { rootdirectory: join(folder, 'data') } }
  const http = { addr: '127.0.0.1:0' }
  const configuration = join(folder, 'registry.yml')
  writeFileSync(configuration, stringify({ version: 0.1, storage, http, auth: auth(folder) }))
  const child = spawn(join(peer, 'bin/registry'), ['serve', configuration], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  t.teardown(async () => {
    child.kill()
    await once(child, 'exit')
  })
  return until('the registry', () => /listening on (127\.0\.0\.1:\d+)/.exec(said)?.[1])
}
