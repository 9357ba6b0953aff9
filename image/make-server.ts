// The image of nats-server: one static program, whom it runs as, and the terms that it comes under.
import { readFileSync } from 'node:fs'
import { readPin } from '../laptop/tools/pin.ts'
import { buildServer } from './build-server.ts'
import { composeImage, type OciImage } from './oci-image.ts'
import { termsEntries } from './part.ts'
import type { Platform } from './pins.ts'
import { userFiles } from './user-files.ts'
import type { Workshop } from './workshop.ts'

/** Lame duck mode: clients are told to move before their connections end. */
export const serverStopSignal = 'SIGUSR2'

const program = 'usr/local/bin/nats-server'

export async function makeServerImage(platform: Platform, workshop: Workshop): Promise<OciImage> {
  const { program: built, parts } = await buildServer(platform, workshop)
  const chunks = [readFileSync(built)]
  return composeImage({
    name: 'nats-server',
    version: readPin('nats-server').version,
    description: 'nats-server from its pinned source, static, and nothing else',
    licences: 'Apache-2.0',
    platform,
    layers: [[...userFiles(), ...termsEntries(parts), { path: program, mode: 0o755, chunks }]],
    parts,
    entrypoint: [`/${program}`],
    stopSignal: serverStopSignal,
  })
}
