// How peers come into the cache: once, whole, and as pinned.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { Refusal } from '../../core/errors.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { buildPeer } from './peers/build-peer.ts'
import { unpackDebianPeer } from './peers/debian-peer.ts'
import { readPeerPin, type PeerPin } from './peers/pin.ts'

test('two who need the same peer build it once', async (t) => {
  const pin = emptyCachePin(temporaryFolder(t))
  const lines: string[] = []
  const options = { environment: process.env, report: (line: string) => void lines.push(line) }
  const folders = await Promise.all([buildPeer(pin, options), buildPeer(pin, options)])
  t.deepEqual(folders, [pin.folder, pin.folder])
  t.is(lines.filter((line) => line.startsWith('building')).length, 1)
  t.deepEqual(readdirSync(join(pin.folder, 'bin')), ['pause'])
})

test('a build that fails leaves nothing that could be taken for the peer', async (t) => {
  const pin = emptyCachePin(temporaryFolder(t))
  const broken = temporaryFolder(t)
  writeFileSync(join(broken, 'go.mod'), 'module broken\n')
  writeFileSync(join(broken, 'main.go'), 'package main\nfunc main() { missing() }\n')
  const options = { environment: process.env, report: () => {} }
  const error = await t.throwsAsync(buildPeer({ ...pin, source: broken }, options), {
    instanceOf: Refusal,
    code: 'ERR_TOOL_UNBUILT',
  })
  t.regex(error?.message ?? '', /^Go cannot build pause: .*undefined: missing/s)
  t.throws(() => readdirSync(pin.folder), { code: 'ENOENT' })
  t.is(await buildPeer(pin, options), pin.folder)
})

test('a Debian package of another content than the pinned one is refused', async (t) => {
  const source = temporaryFolder(t)
  writeFileSync(join(source, 'packages.txt'), `liblzf1 3.6-3 ${'0'.repeat(64)}\n`)
  const draft = join(temporaryFolder(t), 'draft')
  mkdirSync(draft)
  const pin: PeerPin = { ...readPeerPin('node-runtime', process.env), source }
  await t.throwsAsync(unpackDebianPeer(pin, { report: () => {}, draft }), {
    instanceOf: Refusal,
    code: 'ERR_TOOL_UNBUILT',
    message: /^another content of liblzf1 /,
  })
})

function emptyCachePin(cache: string): PeerPin {
  return readPeerPin('pause', { XDG_CACHE_HOME: cache })
}
