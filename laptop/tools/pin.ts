// What is pinned of a tool: its version and checksums, read from its Go module, and what to ask of
// a binary that somebody else built.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { arch, platform } from 'node:os'
import { fileURLToPath } from 'node:url'

export const toolNames = ['nats-server', 'nsc', 'nats', 'kustomize'] as const
export type ToolName = (typeof toolNames)[number]

export interface Pin {
  readonly name: ToolName
  /** The Go package whose main function is the tool. */
  readonly package: string
  readonly version: string
  /** The oldest version that is taken from PATH. */
  readonly floor: string
  /** The oldest Go that builds it. */
  readonly go: string
  /** Of everything that decides what is built. */
  readonly hash: string
  /** Holds go.mod and go.sum. */
  readonly folder: string
  readonly buildSeconds: number
  /** What makes the tool say its version. */
  readonly versionArgument: string
}

// Below 2.14.5 a nats-server has the faults that docs/adr/0003-native-tools.md lists.
const floors: Partial<Record<ToolName, string>> = { 'nats-server': '2.14.5' }

// With an empty build cache, on two cores.
const buildSeconds: Record<ToolName, number> = {
  'nats-server': 30,
  nsc: 20,
  nats: 45,
  kustomize: 30,
}
const versionArguments: Partial<Record<ToolName, string>> = { kustomize: 'version' }

export function readPin(name: ToolName): Pin {
  const folder = fileURLToPath(new URL(`../../tools/${name}/`, import.meta.url))
  const module = readFileSync(`${folder}go.mod`, 'utf8')
  const sums = readFileSync(`${folder}go.sum`, 'utf8')
  const tool = match(module, /^tool (\S+)$/m)
  const version = requiredVersion(module, tool)
  return {
    name,
    package: tool,
    version,
    floor: floors[name] ?? version,
    go: match(module, /^go (\d+\.\d+)/m),
    hash: shortHash([platform(), arch(), module, sums]),
    folder,
    buildSeconds: buildSeconds[name],
    versionArgument: versionArguments[name] ?? '--version',
  }
}

/** The version of the module that a package lies in: the one whose path the package's begins with. */
function requiredVersion(module: string, tool: string): string {
  for (const [, path, version] of module.matchAll(/^\s+(\S+) v(\d+\.\d+\.\d+)\b/gm)) {
    if (path !== undefined && version !== undefined && `${tool}/`.startsWith(`${path}/`)) {
      return version
    }
  }
  throw new TypeError(`no module required for the tool: '${tool}'`)
}

function match(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[1]
  if (found === undefined) throw new TypeError(`go.mod has no line like ${String(pattern)}`)
  return found
}

function shortHash(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 12)
}
