// An image as an OCI archive that containerd imports, from files of this machine: no registry, no
// Docker. For the peers of the tests only.
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { cpSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { run } from './run.ts'

export interface ImageSource {
  /** As pods name it: 'lab.test/coredns:1'. */
  readonly reference: string
  /** Path in the image → file or folder here. */
  readonly files: Readonly<Record<string, string>>
  /** Path in the image → what the link says. */
  readonly links?: Readonly<Record<string, string>>
  readonly folders?: readonly string[]
  readonly entrypoint: readonly string[]
}

/** Makes the archive unless it is there. */
export async function makeImageArchive(target: string, source: ImageSource): Promise<void> {
  if (existsSync(target)) return
  const draft = `${target}.${process.pid}`
  const layout = join(draft, 'layout')
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true })
  try {
    const layer = await makeLayer(draft, layout, source)
    writeLayout(layout, source, layer)
    await tar(layout, join(draft, 'image.tar'))
    renameSync(join(draft, 'image.tar'), target)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

interface Blob {
  readonly digest: string
  readonly size: number
}

async function makeLayer(draft: string, layout: string, source: ImageSource): Promise<Blob> {
  const root = join(draft, 'root')
  for (const folder of ['', ...(source.folders ?? [])])
    mkdirSync(join(root, folder), { recursive: true })
  for (const [path, from] of Object.entries(source.files)) {
    cpSync(from, join(root, path), { recursive: true, verbatimSymlinks: true })
  }
  for (const [path, to] of Object.entries(source.links ?? {})) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    symlinkSync(to, join(root, path))
  }
  const file = join(draft, 'layer.tar')
  await tar(root, file)
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  const blob = { digest: hash.digest('hex'), size: statSync(file).size }
  renameSync(file, join(layout, 'blobs/sha256', blob.digest))
  return blob
}

function writeLayout(layout: string, { reference, entrypoint }: ImageSource, layer: Blob): void {
  const config = writeBlob(layout, {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Entrypoint: entrypoint, Env: ['PATH=/usr/local/bin:/usr/bin:/bin'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layer.digest}`] },
  })
  const manifest = writeBlob(layout, {
    schemaVersion: 2,
    mediaType: `${oci}manifest.v1+json`,
    config: describe(config, 'config.v1+json'),
    layers: [describe(layer, 'layer.v1.tar')],
  })
  const annotations = { 'io.containerd.image.name': reference }
  const entry = { ...describe(manifest, 'manifest.v1+json'), annotations }
  const index = JSON.stringify({ schemaVersion: 2, manifests: [entry] })
  writeFileSync(join(layout, 'index.json'), index)
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
}

const oci = 'application/vnd.oci.image.'

function describe({ digest, size }: Blob, kind: string) {
  return { mediaType: `${oci}${kind}`, digest: `sha256:${digest}`, size }
}

function writeBlob(layout: string, content: object): Blob {
  const bytes = Buffer.from(JSON.stringify(content))
  const digest = createHash('sha256').update(bytes).digest('hex')
  writeFileSync(join(layout, 'blobs/sha256', digest), bytes)
  return { digest, size: bytes.length }
}

/** Equal files give equal archives. */
async function tar(folder: string, target: string): Promise<void> {
  const plain = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner']
  await run('tar', [...plain, '-C', folder, '-cf', target, '.'])
}
