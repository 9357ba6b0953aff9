// What an image holds that was built by others, by version and checksum: tools/image/.
import { readFileSync } from 'node:fs'
import { z } from 'zod'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const path = z.string().regex(/^(?!\/)(?!.*(^|\/)\.{1,2}(\/|$))[\w./+-]+$/)
const version = z.string().regex(/^[\w.+~:-]+$/)

const platform = z.strictObject({
  os: z.literal('linux'),
  architecture: z.enum(['amd64', 'arm64']),
})

const node = z.strictObject({
  package: z.string().regex(/^node-linux-\w+$/),
  version,
  /** Of the package, as npm writes it. */
  integrity: z.string().regex(/^sha512-[\w+/]{86}==$/),
  licence: z.string(),
  /** In the package. */
  program: path,
  terms: path,
})

const debianPackage = z.strictObject({
  package: z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/),
  version,
  /** Where a mirror of Debian keeps it. */
  pool: path,
  sha256,
  licence: z.string(),
  /** What is taken of it, links included. */
  files: z.array(path).min(1),
})

const pins = z.strictObject({ platform, node, debian: z.array(debianPackage) })

export type Pins = z.infer<typeof pins>
export type Platform = Pins['platform']
export type NodePin = Pins['node']
export type DebianPin = Pins['debian'][number]

/** Of linux/amd64. Another platform is another file of the same form. */
export function readPins(): Pins {
  const file = new URL('../tools/image/linux-amd64.json', import.meta.url)
  return pins.parse(JSON.parse(readFileSync(file, 'utf8')))
}
