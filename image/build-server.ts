// nats-server for an image, from the pinned source: the same bytes on every machine, whatever its
// settings of Go, its folders and its processor are.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { buildTool, type GoRecipe } from '../laptop/tools/build.ts'
import { onPath } from '../laptop/tools/path.ts'
import { readPin, type Pin } from '../laptop/tools/pin.ts'
import { goParts, type GoTool } from './go-parts.ts'
import type { Part } from './part.ts'
import type { Platform } from './pins.ts'
import { runTool } from './run-tool.ts'
import type { Workshop } from './workshop.ts'

export const serverFlags = [
  '-mod=readonly',
  '-trimpath',
  '-buildvcs=false',
  '-ldflags=-s -w -buildid=',
]

// Where sources come from and are kept decides nothing about them: go.sum does.
const passedOn = [
  ...['GOPROXY', 'GOSUMDB', 'GOPRIVATE', 'GONOPROXY', 'GONOSUMDB', 'GOINSECURE', 'GOAUTH'],
  ...['GOMODCACHE', 'GOCACHE', 'GOVCS'],
]

export interface BuiltServer {
  /** The path of the binary, in the cache. */
  readonly program: string
  readonly parts: readonly Part[]
}

/** Built once for each source, compiler and platform. */
export async function buildServer(platform: Platform, workshop: Workshop): Promise<BuiltServer> {
  const pin = readPin('nats-server')
  const fixed = fixedSettings(pin, platform)
  const folder = join(workshop.cache, `server-${keyOf(pin, fixed)}`)
  const [program, partsFile] = [join(folder, 'nats-server'), join(folder, 'parts.json')]
  if (!existsSync(partsFile)) {
    const parts = await build(pin, { target: program, fixed, workshop })
    writeFileSync(`${partsFile}.${process.pid}`, JSON.stringify(parts))
    renameSync(`${partsFile}.${process.pid}`, partsFile)
  }
  return { program, parts: JSON.parse(readFileSync(partsFile, 'utf8')) as Part[] }
}

interface Build {
  readonly target: string
  readonly fixed: Record<string, string>
  readonly workshop: Workshop
}

async function build(pin: Pin, { target, fixed, workshop }: Build): Promise<Part[]> {
  const { environment, report } = workshop
  const [go] = onPath('go', environment['PATH'] ?? '')
  if (go === undefined)
    throw new Refusal('ERR_TOOL_MISSING', `missing tool: go\ninstall Go ${pin.go} or later`)
  const recipe = await recipeOf(go, fixed, workshop)
  const tool = { go, cwd: pin.folder, env: { ...environment, ...recipe.settings } }
  await verifySources(tool)
  const common = { environment, report, tooOld: undefined, signal: undefined }
  await buildTool(pin, { ...common, target, recipe })
  return goParts(target, tool)
}

/** All that a build depends on beside its sources. */
function fixedSettings(pin: Pin, { os, architecture }: Platform): Record<string, string> {
  return {
    GOTOOLCHAIN: toolchainOf(pin),
    GOOS: os,
    GOARCH: architecture,
    GOAMD64: 'v1',
    GOARM64: 'v8.0',
    GOFIPS140: 'off',
    GOEXPERIMENT: '',
    GODEBUG: '',
    GOFLAGS: '',
    GOWORK: 'off',
    CGO_ENABLED: '0',
  }
}

/** The compiler of the image, as go.mod names it: the machine's Go fetches it where it is another. */
function toolchainOf({ folder }: Pin): string {
  const [, toolchain] =
    /^toolchain (go\S+)$/m.exec(readFileSync(join(folder, 'go.mod'), 'utf8')) ?? []
  if (toolchain === undefined) throw new TypeError(`no toolchain in ${folder}go.mod`)
  return toolchain
}

function keyOf(pin: Pin, fixed: Record<string, string>): string {
  const sources = ['go.mod', 'go.sum'].map((file) => readFileSync(join(pin.folder, file), 'utf8'))
  const parts = JSON.stringify([pin.package, sources, serverFlags, fixed])
  return createHash('sha256').update(parts).digest('hex').slice(0, 16)
}

/** Without the file of `go env -w`, but with what it says of where modules are got and kept. */
async function recipeOf(
  go: string,
  fixed: Record<string, string>,
  { environment }: Workshop,
): Promise<GoRecipe> {
  const { folder: cwd } = readPin('nats-server')
  const env = { ...environment, ...fixed }
  const said = await runTool([go, 'env', '-json', ...passedOn], { cwd, env }).catch(
    (cause: Error) => {
      const what = `Go does not run as ${fixed['GOTOOLCHAIN']}: ${cause.message}`
      const whatToDo = 'install that Go, or give this one a way to the proxy of its modules'
      throw new Refusal('ERR_TOOL_UNBUILT', `${what}\n${whatToDo}`, { cause })
    },
  )
  return {
    flags: serverFlags,
    settings: { ...(JSON.parse(said) as NodeJS.ProcessEnv), ...fixed, GOENV: 'off' },
  }
}

/** Go checks what it downloads against go.sum, not what was unpacked some other day. */
async function verifySources({ go, cwd, env }: GoTool): Promise<void> {
  try {
    await runTool([go, 'mod', 'verify'], { cwd, env })
  } catch (cause) {
    const what = `Go does not vouch for the sources: ${(cause as Error).message}`
    throw new Refusal('ERR_IMAGE_SOURCE', `${what}\nrun go clean -modcache, then this again`, {
      cause,
    })
  }
}
