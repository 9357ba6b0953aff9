// Names by a hosts file that only chosen processes see: each gets a mount namespace of its own.
import { spawnSync } from 'node:child_process'

const isRoot = process.getuid?.() === 0

// A user who is not root becomes it in a user namespace of his own.
const namespace = ['--mount', '--propagation', 'private', ...(isRoot ? [] : ['--map-root-user'])]
const mountThenRun = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'

/** What runs a program that finds names in this hosts file. */
export function seeing(hostsFile: string): readonly [command: string, ...args: string[]] {
  return ['unshare', ...namespace, 'sh', '-c', mountThenRun, 'sh', hostsFile]
}

/** Undefined where it can be done; else why not, and what to do about it. */
export function whyNoHostsFile(): string | undefined {
  const [command, ...args] = seeing('/etc/hosts')
  const { status, stderr, error } = spawnSync(command, [...args, 'true'], { encoding: 'utf8' })
  if (status === 0) return undefined
  const reason = error?.message ?? stderr.trim()
  return `no private hosts file: ${reason} (run as root, or allow user namespaces)`
}
