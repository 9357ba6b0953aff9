import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { billOfMaterials } from '../../image/bill-of-materials.ts'
import { npmParts } from '../../image/npm-parts.ts'
import { namesTerms, termsEntries } from '../../image/part.ts'
import { bundleFrom, programEntry, programNames } from '../../laptop/bundle.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { smallImage } from './small-image.ts'

const lock = JSON.parse(
  readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'),
) as { packages: Record<string, { version: string; license?: string }> }

test('every package in our programs is listed in the version of the lock, with its terms', async (t) => {
  const folder = temporaryFolder(t)
  const bundled = programNames.map((name) =>
    bundleFrom(programEntry(name), join(folder, `${name}.cjs`)),
  )
  const parts = npmParts((await Promise.all(bundled)).flat())
  const names = parts.map(({ name }) => name)
  for (const name of ['@nats-io/nats-core', '@nats-io/nkeys', 'ws', 'zod'])
    t.true(names.includes(name), name)
  const locked = Object.entries(lock.packages).map(
    ([path, { version, license }]) => `${path.split('node_modules/').at(-1)} ${version} ${license}`,
  )
  for (const { name, version, licence, terms } of parts) {
    t.true(locked.includes(`${name} ${version} ${licence}`), name)
    // That one asks for nothing.
    t.true(terms.length > 0 || licence === 'Unlicense', `${name} has no terms in its package`)
  }
})

test('of a package that lies in another, the inner one is listed, and each once', (t) => {
  const parts = npmParts([
    'core/errors.ts',
    'node_modules/zod/index.js',
    'node_modules/zod/v4/classic/external.js',
    'node_modules/@nats-io/nkeys/lib/mod.js',
  ])
  t.deepEqual(
    parts.map(({ purl }) => purl.replace(/@[\d.]+$/, '')),
    ['pkg:npm/%40nats-io/nkeys', 'pkg:npm/zod'],
  )
  t.deepEqual(
    termsEntries(parts).map(({ path }) => path.replace(/@\d[\d.]+/, '')),
    ['usr/share/doc/@nats-io/nkeys/LICENSE', 'usr/share/doc/zod/LICENSE'],
  )
})

for (const [file, isTerms] of [
  ['LICENSE', true],
  ['LICENCE.md', true],
  ['license-mit.txt', true],
  ['COPYING', true],
  ['NOTICE', true],
  ['PATENTS', true],
  ['licenses.go', false],
  ['license', true],
  ['README.md', false],
  ['notices', false],
] as const)
  test(`${file} is ${isTerms ? '' : 'not '}taken for terms`, (t) => t.is(namesTerms(file), isTerms))

test('a bill of materials names the image by its digest, and nothing of the day', (t) => {
  const [part] = npmParts(['node_modules/ws/lib/websocket.js'])
  const image = smallImage({ layers: [], parts: part === undefined ? [] : [part] })
  const version = lock.packages['node_modules/ws']?.version
  const purl = `pkg:npm/ws@${version}`
  const content = image.manifest.digest.slice('sha256:'.length)
  t.deepEqual(billOfMaterials(image), {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'container',
        name: 'small',
        version: '1.2.3',
        hashes: [{ alg: 'SHA-256', content }],
      },
    },
    components: [
      {
        type: 'library',
        'bom-ref': purl,
        name: 'ws',
        version,
        licenses: [{ expression: 'MIT' }],
        purl,
      },
    ],
  })
})
