// A mirror that nobody trusts, and packages made here: apt's own way is in tests/cluster.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { sha256Of } from '../../image/checksum.ts'
import { debianEntries } from '../../image/debian.ts'
import type { DebianPin } from '../../image/pins.ts'
import type { Entry } from '../../image/tar.ts'
import type { Workshop } from '../../image/workshop.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const platform = { os: 'linux', architecture: 'amd64' } as const
const pool = 'pool/main/libx++/libx++1_1.0+deb1_amd64.deb'

/** A package with a library, a program and a link. */
function makePackage(t: ExecutionContext): Buffer {
  const folder = temporaryFolder(t)
  for (const each of ['DEBIAN', 'lib', 'bin']) mkdirSync(join(folder, each))
  const control = [
    'Package: libx',
    'Version: 1.0',
    'Architecture: amd64',
    'Maintainer: a <a@b.example>',
  ]
  writeFileSync(join(folder, 'DEBIAN/control'), `${control.join('\n')}\nDescription: x\n`)
  writeFileSync(join(folder, 'lib/libx.so.1.0'), 'library', { mode: 0o644 })
  symlinkSync('libx.so.1.0', join(folder, 'lib/libx.so.1'))
  writeFileSync(join(folder, 'bin/x'), 'program')
  chmodSync(join(folder, 'bin/x'), 0o755)
  const file = join(temporaryFolder(t), 'x.deb')
  execFileSync('dpkg-deb', ['--root-owner-group', '--build', folder, file], { stdio: 'ignore' })
  return readFileSync(file)
}

async function serve(t: ExecutionContext, files: Record<string, Buffer>) {
  const asked: string[] = []
  const server = createServer(({ url = '' }, response) => {
    const path = decodeURIComponent(url)
    asked.push(path)
    const file = files[path]
    response.writeHead(file === undefined ? 404 : 200).end(file)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  return { asked, mirror: `http://127.0.0.1:${port}/debian/` }
}

function workshop(t: ExecutionContext, mirror: string): Workshop {
  const cache = temporaryFolder(t)
  return { cache, environment: process.env, report: () => {}, mirror }
}

const pinOf = (deb: Uint8Array): DebianPin => ({
  package: 'libx++1',
  version: '1.0+deb1',
  pool,
  sha256: sha256Of(deb),
  licence: 'MIT',
  files: ['bin/x', 'lib/libx.so.1', 'lib/libx.so.1.0'],
})

const contents = (entries: Entry[]) =>
  entries.map((entry) =>
    'target' in entry ? entry.target : [entry.mode, Buffer.concat(entry.chunks).toString()],
  )

test('a package comes from a mirror once, and its files as they are in it', async (t) => {
  const deb = makePackage(t)
  const { asked, mirror } = await serve(t, { [`/debian/${pool}`]: deb })
  const here = workshop(t, mirror)
  const expected = [[0o755, 'program'], 'libx.so.1.0', [0o644, 'library']]
  t.deepEqual(contents(await debianEntries(pinOf(deb), platform, here)), expected)
  t.deepEqual(contents(await debianEntries(pinOf(deb), platform, here)), expected)
  t.is(asked.length, 1)
  t.deepEqual(readdirSync(here.cache), ['libx++1_1.0+deb1_amd64.deb'])
})

test('bytes that a mirror made up are refused, and not kept', async (t) => {
  const deb = makePackage(t)
  const { mirror } = await serve(t, { [`/debian/${pool}`]: Buffer.concat([deb, deb]) })
  const here = workshop(t, mirror)
  await t.throwsAsync(debianEntries(pinOf(deb), platform, here), {
    code: 'ERR_IMAGE_PIN',
    message: /^other bytes than were pinned: 'libx\+\+1_1.0\+deb1_amd64.deb' is [0-9a-f]{64}, and /,
  })
  t.deepEqual(readdirSync(here.cache), [])
})

test('what somebody put into the cache is not taken', async (t) => {
  const deb = makePackage(t)
  const { asked, mirror } = await serve(t, { [`/debian/${pool}`]: deb })
  const here = workshop(t, mirror)
  writeFileSync(join(here.cache, 'libx++1_1.0+deb1_amd64.deb'), 'planted')
  await debianEntries(pinOf(deb), platform, here)
  t.is(asked.length, 1)
})

test('a version that the mirror has dropped is named, with what to do', async (t) => {
  const { mirror } = await serve(t, {})
  await t.throwsAsync(debianEntries(pinOf(Buffer.from('')), platform, workshop(t, mirror)), {
    code: 'ERR_IMAGE_SOURCE',
    message:
      `the mirror does not have libx++1 1.0+deb1: 404 for ${pool}\n` +
      'name a mirror or a snapshot that has it with --mirror, or raise tools/image/',
  })
})
