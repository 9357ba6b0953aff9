import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../../core/errors.ts'
import { digestConfiguration, parseConfiguration } from '../../core/network/configuration.ts'

const bytesMax = 4 * 1024 * 1024

/**
 * The digests of the configurations (`*.conf`) under a folder, by the server that each names. Refuses
 * a folder that lacks one of the expected servers, and two different configurations of one server.
 */
export function readDigests(
  directory: string,
  expected: readonly string[],
): ReadonlyMap<string, string> {
  const digests = new Map<string, string>()
  for (const file of configurationFiles(directory)) {
    const { server, digest } = readDigest(file)
    if ((digests.get(server) ?? digest) !== digest) {
      throw new Refusal('ERR_CONFIGURATION_ILLEGAL', `two configurations of ${server}: ${file}`)
    }
    digests.set(server, digest)
  }
  const missing = expected.filter((name) => !digests.has(name))
  if (missing.length === 0) return digests
  const what = `no configuration of ${missing.join(', ')} under ${directory}`
  throw new Refusal('ERR_CONFIGURATION_MISSING', what)
}

function configurationFiles(directory: string): string[] {
  try {
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    return files.filter((file) => file.endsWith('.conf')).map((file) => join(directory, file))
  } catch (cause) {
    throw new Refusal('ERR_CONFIGURATION_MISSING', `cannot read ${directory}`, { cause })
  }
}

function readDigest(file: string): { server: string; digest: string } {
  if (statSync(file).size > bytesMax) {
    throw new Refusal('ERR_CONFIGURATION_ILLEGAL', `larger than ${bytesMax} bytes: ${file}`)
  }
  const configuration = parseFile(file)
  const { server_name: server } = configuration
  if (typeof server !== 'string') {
    throw new Refusal('ERR_CONFIGURATION_ILLEGAL', `names no server: ${file}`)
  }
  return { server, digest: digestConfiguration(configuration) }
}

function parseFile(file: string) {
  try {
    return parseConfiguration(readFileSync(file, 'utf8'))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Refusal('ERR_CONFIGURATION_ILLEGAL', `${file}: ${reason}`, { cause })
  }
}
