// The repository that the regions pull: a bare one, served on the internet over HTTPS.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from '../../until.ts'
import { makePki } from '../lab/pki.ts'
import { identify } from '../lab/process-id.ts'
import { run } from '../lab/run.ts'
import type { Lab } from '../lab/lab.ts'
import { succeeds } from '../lab/succeeds.ts'

export interface Repository {
  /** By which every region reaches it. */
  readonly url: string
  /** The bare repository, to be pushed to from this machine. */
  readonly folder: string
  /** PEM of the authority that its server's certificate leads to, by the server's host. */
  readonly authorities: Readonly<Record<string, string>>
}

const program = fileURLToPath(new URL('git-server.ts', import.meta.url))

/** Empty, with `main` as its branch; it ends with the lab. */
export async function serveRepository(lab: Lab, name: string): Promise<Repository> {
  const base = join(lab.folder, 'git')
  const folder = join(base, `${name}.git`)
  mkdirSync(base, { recursive: true })
  await run('git', ['init', '--quiet', '--bare', '--initial-branch=main', folder])
  const { address, prefix } = lab.client
  const url = `https://${address}/${name}.git`
  const pki = await makePki(join(lab.folder, 'git-pki'), 'internet')
  const { certificate, key } = await pki.issue('git', 'CN=git', [address])
  const [enter = '', ...entered] = prefix
  const serve = [process.execPath, program, address, base, certificate, key]
  const child = spawn(enter, [...entered, ...serve], { detached: true, stdio: 'ignore' })
  lab.keep(identify(child.pid ?? 0))
  child.unref()
  const env = { ...process.env, GIT_SSL_CAINFO: pki.authority }
  await until('the git server', () => succeeds(lab.client.run('git', ['ls-remote', url], { env })))
  return { url, folder, authorities: { [address]: readFileSync(pki.authority, 'utf8') } }
}
