// Everything a function process is told, read once.
import { Refusal } from '../../core/errors.ts'
import { need } from './needed-variable.ts'
import { functionDoors, type FunctionDoor } from '../../core/network/access-subject.ts'
import { parseSpiffeId, type SpiffeId } from '../../core/identity/spiffe-id.ts'
import { bundleMapFile, rootsFile } from '../../store/authority-files.ts'
import type { FunctionFolders } from '../../store/function-trust.ts'
import type { CertificateFiles } from '../certificates/held.ts'
import type { PeerTrustFiles } from '../certificates/peer-trust.ts'
import type { ListenAt } from '../triggers/https-listener.ts'

/** Which function this is, and what it may read. */
export interface FunctionPlace {
  readonly region: string
  readonly door: FunctionDoor
  readonly folders: FunctionFolders
}
export interface FunctionEnvironment extends FunctionPlace {
  readonly nats: {
    readonly servers: readonly string[]
    readonly files: CertificateFiles
    /** Whom alone it speaks to. */
    readonly peer: SpiffeId
  }
  /** Absent where the function is asked over NATS only. */
  readonly https?: ListenAt & { readonly files: CertificateFiles }
  /** Where callers show their identities, as the function shows the one that it has for NATS. */
  readonly mtls?: ListenAt & { readonly files: PeerTrustFiles }
  /** Where audit lines go instead of standard output. */
  readonly auditFile?: string
}

/** Refuses an environment in which something is missing, naming the variable. */
export function parseFunctionEnvironment(env: NodeJS.ProcessEnv): FunctionEnvironment {
  const place = parseFunctionPlace(env)
  return {
    ...place,
    nats: {
      servers: need(env, 'NATS_URL').split(','),
      files: {
        certificate: need(env, 'NATS_CERT'),
        key: need(env, 'NATS_KEY'),
        trusted: need(env, 'NATS_CA'),
      },
      peer: parseSpiffeId(need(env, 'NATS_PEER')),
    },
    ...(env['HTTPS_PORT'] && {
      https: {
        host: env['HTTPS_HOST'] ?? '127.0.0.1',
        port: parsePort(env, 'HTTPS_PORT'),
        files: {
          certificate: need(env, 'HTTPS_CERT'),
          key: need(env, 'HTTPS_KEY'),
          trusted: rootsFile(place.folders.publicFolder, 'public'),
        },
      },
    }),
    ...(env['AUDIT_FILE'] && { auditFile: env['AUDIT_FILE'] }),
    ...(env['MTLS_PORT'] && {
      mtls: {
        host: env['MTLS_HOST'] ?? '127.0.0.1',
        port: parsePort(env, 'MTLS_PORT'),
        files: {
          bundleMap: bundleMapFile(place.folders.publicFolder),
          roots: rootsFile(place.folders.publicFolder, 'identity'),
        },
      },
    }),
  }
}

/** What a function needs that is asked over HTTP alone. */
export function parseFunctionPlace(env: NodeJS.ProcessEnv): FunctionPlace {
  return {
    region: need(env, 'ARCHIPELAGO_REGION'),
    door: parseDoor(need(env, 'ARCHIPELAGO_DOOR')),
    folders: {
      publicFolder: need(env, 'ARCHIPELAGO_PUBLIC'),
      keysFolder: need(env, 'ARCHIPELAGO_KEYS'),
    },
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

function parsePort(env: NodeJS.ProcessEnv, name: string): number {
  const text = need(env, name)
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Refusal('ERR_ENVIRONMENT', `${name}: not a port: '${text}'`)
  return port
}
