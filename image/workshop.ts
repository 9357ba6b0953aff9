// Where images are made: what the machine lends to it, and nothing of which the images depend on.
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

export interface Workshop {
  /** What was fetched or built before: checked or keyed by content, so it can go at any time. */
  readonly cache: string
  readonly environment: NodeJS.ProcessEnv
  /** Hears one line before a step that takes seconds. */
  readonly report: (line: string) => void
  /** A mirror of Debian, instead of apt and its sources. */
  readonly mirror?: string | undefined
}

/** With the cache in `~/.cache/archipelago/images`, or the same under XDG_CACHE_HOME. */
export function openWorkshop(options: Omit<Workshop, 'cache'>): Workshop {
  return { ...options, cache: imageCache(options.environment) }
}

function imageCache(environment: NodeJS.ProcessEnv): string {
  const xdg = environment['XDG_CACHE_HOME'] ?? ''
  // The XDG specification: a relative path is to be ignored.
  const base = isAbsolute(xdg) ? xdg : join(environment['HOME'] ?? homedir(), '.cache')
  return join(base, 'archipelago', 'images')
}
