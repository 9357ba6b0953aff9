// Everything a function process is told, read once.
import { readFileSync } from 'node:fs'
import { Refusal } from '../core/errors.ts'
import { functionDoors, type FunctionDoor } from '../core/network/access-subject.ts'
import type { FunctionFolders } from '../store/function-trust.ts'

export interface FunctionEnvironment {
  readonly region: string
  readonly door: FunctionDoor
  readonly folders: FunctionFolders
  readonly nats: { readonly servers: readonly string[]; readonly ca: string }
  /** Absent where the function is asked over NATS only. */
  readonly https?: {
    readonly host: string
    readonly port: number
    readonly certificate: string
    readonly key: string
  }
}

/** Refuses an environment in which something is missing, naming the variable. */
export function parseFunctionEnvironment(env: NodeJS.ProcessEnv): FunctionEnvironment {
  const need = (name: string): string => {
    const value = env[name]
    if (!value) throw new Refusal('ERR_ENVIRONMENT', `${name} is not set`)
    return value
  }
  return {
    region: need('ARCHIPELAGO_REGION'),
    door: parseDoor(need('ARCHIPELAGO_DOOR')),
    folders: {
      archipelagoFile: need('ARCHIPELAGO_FILE'),
      publicFolder: need('ARCHIPELAGO_PUBLIC'),
      keysFolder: need('ARCHIPELAGO_KEYS'),
    },
    nats: { servers: need('NATS_URL').split(','), ca: readFileSync(need('NATS_CA'), 'utf8') },
    ...(env['HTTPS_PORT'] && {
      https: {
        host: env['HTTPS_HOST'] ?? '127.0.0.1',
        port: parsePort(env['HTTPS_PORT']),
        certificate: readFileSync(need('HTTPS_CERT'), 'utf8'),
        key: readFileSync(need('HTTPS_KEY'), 'utf8'),
      },
    }),
  }
}

function parseDoor(text: string): FunctionDoor {
  const door = functionDoors.find((known) => known === text)
  if (door === undefined)
    throw new Refusal(
      'ERR_ENVIRONMENT',
      `ARCHIPELAGO_DOOR: unknown door: '${text}' (${functionDoors.join(', ')})`,
    )
  return door
}

function parsePort(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Refusal('ERR_ENVIRONMENT', `HTTPS_PORT: not a port: '${text}'`)
  return port
}
