import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import test from 'ava'
import { packArchive } from '../../image/archive.ts'
import type { OciImage } from '../../image/oci-image.ts'
import { textFile } from '../../image/user-files.ts'
import { smallImage } from './small-image.ts'

const small = (): OciImage =>
  smallImage({ layers: [[textFile('a', 'below')], [textFile('b', 'above')]] })

const repository = 'registry.example/team/small'
const archive = Buffer.concat(packArchive(small(), repository))
const read = (path: string): Buffer =>
  execFileSync('tar', ['-xOf', '-', path], { input: archive, stdio: ['pipe', 'pipe', 'ignore'] })
const readJson = (path: string) => JSON.parse(read(path).toString()) as Record<string, never>
const digestOf = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`

test('an image of the same parts has the digest that it had on the day of this test', (t) => {
  t.is(
    small().manifest.digest,
    'sha256:9406790e5954043be94b4aca22fd62dcd26f0f4ed14ff473899c9e8d5722e540',
  )
})

test('every descriptor, from the list to the layers, names bytes that are in the archive', (t) => {
  const { manifests } = readJson('index.json') as unknown as { manifests: { digest: string }[] }
  const [first] = manifests
  const manifest = readJson(`blobs/${first?.digest.replace(':', '/')}`) as unknown as {
    config: { digest: string; size: number }
    layers: { digest: string; size: number; mediaType: string }[]
  }
  t.is(manifest.layers.length, 2)
  for (const { digest, size } of [manifest.config, ...manifest.layers]) {
    const bytes = read(`blobs/${digest.replace(':', '/')}`)
    t.is(digestOf(bytes), digest)
    t.is(bytes.length, size)
  }
  const config = readJson(`blobs/${manifest.config.digest.replace(':', '/')}`) as unknown as {
    rootfs: { diff_ids: string[] }
    config: { User: string }
  }
  t.deepEqual(
    config.rootfs.diff_ids,
    manifest.layers.map(({ digest }) => digest),
  )
  t.is(config.config.User, '65532:65532')
  t.deepEqual(
    manifest.layers.map(({ mediaType }) => mediaType),
    Array(2).fill('application/vnd.oci.image.layer.v1.tar'),
  )
})

test('a runtime that imports it knows it by version and by digest, as pods name it', (t) => {
  const { manifests } = readJson('index.json') as unknown as {
    manifests: { digest: string; annotations: Record<string, string> }[]
  }
  const { digest } = small().manifest
  t.deepEqual(
    manifests.map((each) => [each.digest, each.annotations['io.containerd.image.name']]),
    [
      [digest, `${repository}:1.2.3`],
      [digest, `${repository}@${digest}`],
    ],
  )
  t.deepEqual(readJson('oci-layout'), { imageLayoutVersion: '1.0.0' } as never)
})
