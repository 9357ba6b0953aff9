// The repository that the regions pull: a bare one, served on the internet by git's own daemon.
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../until.ts'
import { identify } from '../lab/process-id.ts'
import { run } from '../lab/run.ts'
import type { Lab } from '../lab/lab.ts'
import { succeeds } from '../lab/succeeds.ts'

export interface Repository {
  /** By which every region reaches it. */
  readonly url: string
  /** The bare repository, to be pushed to from this machine. */
  readonly folder: string
}

/** Empty, with `main` as its branch; it ends with the lab. */
export async function serveRepository(lab: Lab, name: string): Promise<Repository> {
  const base = join(lab.folder, 'git')
  const folder = join(base, `${name}.git`)
  mkdirSync(base, { recursive: true })
  await run('git', ['init', '--quiet', '--bare', '--initial-branch=main', folder])
  const url = `git://${lab.client.address}/${name}.git`
  const [program = '', ...prefix] = lab.client.prefix
  const serve = ['--export-all', `--base-path=${base}`, `--listen=${lab.client.address}`]
  // `git daemon` would have it as a child, which outlives its parent.
  const daemon = join((await run('git', ['--exec-path'])).trim(), 'git-daemon')
  const child = spawn(program, [...prefix, daemon, '--reuseaddr', ...serve], {
    detached: true,
    stdio: 'ignore',
  })
  lab.keep(identify(child.pid ?? 0))
  child.unref()
  await until('the git server', () => succeeds(lab.client.run('git', ['ls-remote', url])))
  return { url, folder }
}
