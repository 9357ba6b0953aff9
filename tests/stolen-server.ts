// A server's configuration and what it proves itself by, in the hands of a thief.
import { copyFileSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseConfiguration, type Configuration } from '../core/network/configuration.ts'

/** `files`: what it proves itself by, which is copied into the folder. */
export function steal(
  folder: string,
  configuration: string,
  files: readonly string[],
): Configuration {
  const copied = files.map((path): [string, string] => {
    const copy = join(folder, `stolen-${basename(path)}`)
    copyFileSync(path, copy)
    return [path, copy]
  })
  const text = copied.reduce(
    (before, [path, copy]) => before.replaceAll(path, copy),
    readFileSync(configuration, 'utf8'),
  )
  const { http: _http, log_file: _log, ...stolen } = parseConfiguration(text)
  return stolen
}

/** By another name, on other ports, with another folder for accounts. */
export function elsewhere(
  folder: string,
  configuration: Configuration,
  name = 'thief',
): Configuration {
  const [listen, dir] = ['127.0.0.1:-1', join(folder, `accounts-of-${name}`)]
  const moved = Object.entries(configuration).map(([key, value]) => {
    if (typeof value !== 'object' || Array.isArray(value)) return [key, value]
    return [key, { ...value, ...('listen' in value && { listen }), ...('dir' in value && { dir }) }]
  })
  return { ...Object.fromEntries(moved), listen, server_name: name }
}
