// Where images are pushed to: a registry, and a path in it.
import { Refusal } from '../../core/errors.ts'
import { quote } from '../../core/quote.ts'

export interface RegistryAddress {
  /** As a pod names it: 'registry.example:5000'. */
  readonly host: string
  /** Where the API is. */
  readonly origin: string
  /** '', or 'team/network'. */
  readonly path: string
}

// OCI distribution specification, "Pulling manifests".
const component = String.raw`[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*`
const path = String.raw`${component}(?:/${component})*`
const host = String.raw`(?:[A-Za-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?`
const form = new RegExp(`^(${host})(?:/(${path}))?$`)

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/

/** Refuses a tag, a digest, and a scheme: all but a registry of this machine is spoken to by TLS. */
export function parseRegistry(text: string): RegistryAddress {
  // Not quoted: what stands before it may be a password.
  if (text.includes('@'))
    throw new Refusal('ERR_OPTION_ILLEGAL', 'no password and no digest stands with a registry')
  const [, host, path = ''] = form.exec(text) ?? []
  if (host === undefined) {
    const what = `not a registry and a path, such as registry.example/team: ${quote(text)}`
    throw new Refusal('ERR_OPTION_ILLEGAL', what)
  }
  const origin = `${isLoopback(host) ? 'http' : 'https'}://${host}`
  return { host, origin, path }
}

export function isLoopback(host: string): boolean {
  return loopback.test(host)
}

/** What a pod calls an image there. */
export function repositoryAt({ host, path }: RegistryAddress, name: string): string {
  return [host, ...(path === '' ? [] : [path]), name].join('/')
}
