// nats-server for an image, from the pinned source: the same bytes on every machine, whatever its
// settings of Go, its folders and its processor are.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { buildTool, type GoRecipe } from '../laptop/tools/build.ts'
import { onPath } from '../laptop/tools/path.ts'
import { readPin, type Pin } from '../laptop/tools/pin.ts'
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

/** The path of the binary, in the cache. Built once for each source, compiler and platform. */
export async function buildServer(platform: Platform, workshop: Workshop): Promise<string> {
  const { cache, report, environment } = workshop
  const pin = readPin('nats-server')
  const fixed = fixedSettings(pin, platform)
  const target = join(cache, `server-${keyOf(pin, fixed)}`, 'nats-server')
  if (existsSync(target)) return target
  const [go] = onPath('go', environment['PATH'] ?? '')
  const recipe =
    go === undefined ? { flags: serverFlags, settings: fixed } : await recipeOf(go, fixed, workshop)
  // Go checks what it downloads against go.sum, not what was unpacked some other day.
  if (go !== undefined) await verifySources(go, pin, recipe, workshop)
  await buildTool(pin, {
    ...{ target, report, environment, recipe },
    tooOld: undefined,
    signal: undefined,
  })
  return target
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
  const said = await runTool([go, 'env', '-json', ...passedOn], { cwd, env })
  return {
    flags: serverFlags,
    settings: { ...(JSON.parse(said) as NodeJS.ProcessEnv), ...fixed, GOENV: 'off' },
  }
}

async function verifySources(
  go: string,
  { folder: cwd }: Pin,
  { settings }: GoRecipe,
  { environment }: Workshop,
): Promise<void> {
  try {
    await runTool([go, 'mod', 'verify'], { cwd, env: { ...environment, ...settings } })
  } catch (cause) {
    const what = `Go does not vouch for the sources: ${(cause as Error).message}`
    throw new Refusal('ERR_IMAGE_SOURCE', `${what}\nrun go clean -modcache, then this again`, {
      cause,
    })
  }
}
