// The images of the lab's own pods, made of the peers and kept beside them.
import { join } from 'node:path'
import { makeImageArchive, type ImageSource } from './image-archive.ts'
import type { Toolbox } from './toolbox.ts'

export interface Image {
  /** An OCI archive. */
  readonly archive: string
  /** All the names by which pods may ask for it; without one, those that the archive gives it. */
  readonly references?: readonly string[]
}

export const labImages = {
  pause: 'lab.test/pause:1',
  coredns: 'lab.test/coredns:1',
  busybox: 'lab.test/busybox:1',
  /** git, redis and a shell, on which Argo CD's programs run. */
  debian: 'lab.test/debian:1',
} as const

const shellCommands = ['sh', 'cat', 'env', 'httpd', 'ls', 'nc', 'nslookup', 'ping', 'sleep', 'wget']

/** What every node needs. */
export async function makeNodeImages(toolbox: Toolbox): Promise<Image[]> {
  const [pause, coredns] = await Promise.all([toolbox.peer('pause'), toolbox.peer('coredns')])
  const debian = await toolbox.peer('argocd-runtime')
  return Promise.all([
    imageIn(pause, {
      reference: labImages.pause,
      files: { pause: join(pause, 'bin/pause') },
      entrypoint: ['/pause'],
    }),
    imageIn(coredns, {
      reference: labImages.coredns,
      files: { coredns: join(coredns, 'bin/coredns') },
      entrypoint: ['/coredns'],
    }),
    imageIn(debian, {
      reference: labImages.busybox,
      files: { 'bin/busybox': join(debian, 'root/bin/busybox') },
      links: Object.fromEntries(shellCommands.map((name) => [`bin/${name}`, 'busybox'])),
      folders: ['tmp'],
      entrypoint: ['/bin/sh'],
    }),
  ])
}

/** For Argo CD alone, so it is not on every node. */
export async function makeDebianImage(toolbox: Toolbox): Promise<Image> {
  const peer = await toolbox.peer('argocd-runtime')
  const files = ['bin', 'lib', 'lib64', 'usr/bin', 'usr/lib', 'usr/share/git-core']
  return imageIn(peer, {
    reference: labImages.debian,
    files: Object.fromEntries(files.map((path) => [path, join(peer, 'root', path)])),
    links: { 'bin/sh': 'busybox' },
    folders: ['tmp'],
    entrypoint: ['/bin/sh'],
  })
}

async function imageIn(peer: string, source: ImageSource): Promise<Image> {
  const name = /([^/:]+):/.exec(source.reference)?.[1]
  const archive = join(peer, `${name}-image.tar`)
  await makeImageArchive(archive, source)
  return { archive }
}
