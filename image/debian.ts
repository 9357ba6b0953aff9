// Files out of Debian's packages: by apt's own sources, or by a mirror that somebody names. Neither is
// trusted: every package has its checksum in tools/image/.
import { lstatSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { sha256Of } from './checksum.ts'
import { keepFile, withDraft } from './kept-file.ts'
import type { DebianPin, Platform } from './pins.ts'
import { runTool } from './run-tool.ts'
import type { Entry } from './tar.ts'
import type { Workshop } from './workshop.ts'

const timeoutMs = 60_000

export async function debianEntries(
  pin: DebianPin,
  platform: Platform,
  workshop: Workshop,
): Promise<Entry[]> {
  const file = { name: basename(pin.pool), digestOf: sha256Of, pinned: pin.sha256 }
  const { cache, environment: env } = workshop
  const archive = await keepFile(file, cache, (folder) =>
    fetchPackage(pin, { folder, platform, workshop }),
  )
  return withDraft(cache, async (folder) => {
    await runTool(['dpkg-deb', '--extract', archive, folder], { cwd: folder, env }).catch(
      (cause: Error) => {
        const what = `dpkg-deb does not unpack ${pin.package}: ${cause.message}`
        throw new Refusal('ERR_IMAGE_SOURCE', `${what}\ninstall dpkg, which Debian always has`)
      },
    )
    return pin.files.map((path) => readEntry(folder, path))
  })
}

interface Order {
  readonly folder: string
  readonly platform: Platform
  readonly workshop: Workshop
}

async function fetchPackage(pin: DebianPin, order: Order): Promise<string> {
  const { report, mirror } = order.workshop
  report(`fetching ${pin.package} ${pin.version}, once`)
  try {
    return await (mirror === undefined ? fromApt(pin, order) : fromMirror(pin, mirror, order))
  } catch (cause) {
    const from = mirror === undefined ? 'apt' : 'the mirror'
    const what = `${from} does not have ${pin.package} ${pin.version}: ${(cause as Error).message}`
    // A release of Debian replaces packages; only its archive of snapshots keeps them all.
    const whatToDo = 'name a mirror or a snapshot that has it with --mirror, or raise tools/image/'
    throw new Refusal('ERR_IMAGE_SOURCE', `${what}\n${whatToDo}`, { cause })
  }
}

/** By the machine's lists of packages; where they are old, or missing, by newer ones in our cache. */
async function fromApt({ package: name, version, pool }: DebianPin, order: Order): Promise<string> {
  const { folder, platform, workshop } = order
  const wanted = `${name}:${platform.architecture}=${version}`
  const apt = (...args: string[]) => {
    // Root's apt hands the download to another user, who may not write here.
    const command = ['apt-get', '-o', 'APT::Sandbox::User=root', ...args]
    return runTool(command, { cwd: folder, env: { ...workshop.environment, LC_ALL: 'C' } })
  }
  const lists = join(workshop.cache, 'apt')
  const own = ['-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${folder}`]
  mkdirSync(join(lists, 'partial'), { recursive: true })
  await apt('download', wanted)
    .catch(() => apt(...own, 'download', wanted))
    .catch(() => apt(...own, 'update').then(() => apt(...own, 'download', wanted)))
  return join(folder, basename(pool))
}

async function fromMirror({ pool }: DebianPin, mirror: string, { folder }: Order): Promise<string> {
  const url = `${mirror.replace(/\/+$/, '')}/${encodeURI(pool).replaceAll('+', '%2B')}`
  const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
  if (!answer.ok) throw new Error(`${answer.status} for ${pool}`)
  const file = join(folder, basename(pool))
  writeFileSync(file, Buffer.from(await answer.arrayBuffer()))
  return file
}

/** Of what the machine's umask may have changed, only the owner's right to execute is looked at. */
function readEntry(folder: string, path: string): Entry {
  const file = join(folder, path)
  const stat = lstatSync(file)
  if (stat.isSymbolicLink()) return { path, target: readlinkSync(file) }
  return { path, mode: stat.mode & 0o100 ? 0o755 : 0o644, chunks: [readFileSync(file)] }
}
