// On what was measured: figures mean nothing without it.
import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, loadavg, platform, release } from 'node:os'

export interface Machine {
  readonly cores: number
  readonly processor: string
  readonly system: string
  readonly node: string
  readonly openssl: string
  readonly natsServer: string
}

export function describeMachine(natsServer: string): Machine {
  const version = execFileSync(natsServer, ['--version'], { encoding: 'utf8' })
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    system: `${platform()} ${release()}`,
    node: process.versions.node,
    openssl: process.versions.openssl,
    natsServer: version.replace(/^nats-server: v/, '').trim(),
  }
}

/** Of the last minute: how many processes wanted a core. */
export function loadOfLastMinute(): number {
  return loadavg()[0] ?? Number.NaN
}
