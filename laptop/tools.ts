// The native tools: one on PATH that is new enough, else the pinned one from the cache, else one
// that Go builds into the cache. What is pinned stands in tools/<name>/go.mod and go.sum.
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { buildTool } from './tools/build.ts'
import { isExecutable, searchPath } from './tools/path.ts'
import { readPin, type ToolName } from './tools/pin.ts'

export interface FindToolOptions {
  /** Hears one line before a step that takes seconds. */
  readonly report: (line: string) => void
  /** Ends a build that is under way. */
  readonly signal?: AbortSignal
  readonly environment?: NodeJS.ProcessEnv
}

/** The absolute path of a tool as new as its floor or newer; refuses when there is no way to one. */
export async function findTool(name: ToolName, options: FindToolOptions): Promise<string> {
  const { report, signal, environment = process.env } = options
  const pin = readPin(name)
  const cache = cacheFolder(environment)
  const { found, tooOld } = await searchPath(pin, { path: environment['PATH'] ?? '', cache })
  if (found !== undefined) return found
  const cached = join(cache, `${name}-${pin.version}-${pin.hash}`, name)
  if (!isExecutable(cached)) {
    await buildTool(pin, { target: cached, tooOld, report, environment, signal })
  }
  return cached
}

function cacheFolder(environment: NodeJS.ProcessEnv): string {
  const xdg = environment['XDG_CACHE_HOME'] ?? ''
  // The XDG specification: a relative path is to be ignored.
  const base = isAbsolute(xdg) ? xdg : join(environment['HOME'] ?? homedir(), '.cache')
  return join(base, 'archipelago', 'tools')
}
