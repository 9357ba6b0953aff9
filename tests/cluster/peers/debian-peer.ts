// A peer out of Debian's packages, unpacked into the cache: nothing is installed on the machine. apt
// checks what it fetches against Debian's signatures, with lists of its own beside the cache.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../../../core/errors.ts'
import { run } from '../lab/run.ts'
import type { PeerPin } from './pin.ts'

interface Options {
  readonly report: (line: string) => void
  readonly draft: string
}

interface Package {
  readonly name: string
  readonly version: string
  readonly sha256: string
}

const aptMs = 300_000

export async function unpackDebianPeer(pin: PeerPin, options: Options): Promise<void> {
  const apt = await openApt(`${options.draft}.apt`)
  const root = join(options.draft, 'root')
  mkdirSync(root)
  try {
    for (const each of readPackages(pin.source)) {
      const file = await apt.download(each, options.report)
      await run('dpkg-deb', ['-x', file, root])
    }
  } finally {
    rmSync(apt.folder, { recursive: true, force: true })
  }
}

function readPackages(source: string): Package[] {
  const lines = readFileSync(join(source, 'packages.txt'), 'utf8').trim().split('\n')
  return lines.map((line) => {
    const [name = '', version = '', sha256 = ''] = line.split(' ')
    return { name, version, sha256 }
  })
}

interface Apt {
  readonly folder: string
  download(each: Package, report: (line: string) => void): Promise<string>
}

async function openApt(folder: string): Promise<Apt> {
  for (const each of ['lists/partial', 'archives/partial']) {
    mkdirSync(join(folder, each), { recursive: true })
  }
  const own = [`Dir::State::lists=${folder}/lists`, `Dir::Cache=${folder}`]
  // apt's own user may not write here.
  const options = [...own, 'APT::Sandbox::User=root'].flatMap((each) => ['-o', each])
  const apt = (...args: string[]) =>
    run('apt-get', [...options, '--quiet', ...args], { cwd: folder, deadlineMs: aptMs })
  await apt('update').catch(refuseApt)
  return { folder, download: (each, report) => download(each, { folder, apt, report }) }
}

interface Download {
  readonly folder: string
  readonly apt: (...args: string[]) => Promise<string>
  readonly report: (line: string) => void
}

/** The pinned version; where Debian has replaced it by a fix, the one that it offers and has signed. */
async function download(each: Package, { folder, apt, report }: Download): Promise<string> {
  const { name, version, sha256 } = each
  try {
    await apt('download', `${name}=${version}`)
  } catch {
    report(`${name} ${version} is not offered any more: taking what Debian has in its place`)
    await apt('download', name).catch(refuseApt)
    return debOf(folder, name)
  }
  const file = debOf(folder, name)
  const found = createHash('sha256').update(readFileSync(file)).digest('hex')
  if (found === sha256) return file
  throw new Refusal('ERR_TOOL_UNBUILT', `another content of ${name} ${version}: '${found}'`)
}

function debOf(folder: string, name: string): string {
  const file = readdirSync(folder).find((each) => each.startsWith(`${name}_`))
  if (file === undefined) throw new Refusal('ERR_TOOL_UNBUILT', `apt brought no package: '${name}'`)
  return join(folder, file)
}

function refuseApt(cause: unknown): never {
  const why = cause instanceof Error ? cause.message : String(cause)
  const whatToDo = 'run it on Debian 12, with its package sources within reach'
  throw new Refusal('ERR_TOOL_UNBUILT', `apt cannot fetch: ${why}\n${whatToDo}`, { cause })
}
