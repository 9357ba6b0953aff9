// Edits of archipelago.yaml by a command: everything that a person wrote stays as it is.
import { isMap, isScalar, parseDocument, type YAMLMap } from 'yaml'

/** The same text with these addresses as `regions.<region>.nodes`, of a file that has been parsed before. */
export function withNodes(text: string, region: string, nodes: readonly string[]): string {
  const entry = parseDocument(text).getIn(['regions', region])
  if (!isMap(entry)) throw new TypeError(`no map regions.${region}`)
  const value = `[${nodes.map(quoteAddress).join(', ')}]`
  const pair = entry.items.find(({ key }) => isScalar(key) && key.value === 'nodes')
  const range = (pair?.value as { range?: [number, number, number] } | undefined)?.range
  if (range !== undefined) return replace(text, range, value)
  return insert(text, entry, `nodes: ${value}`)
}

/** A list in several lines ends behind the last line end: that stays. */
function replace(text: string, [start, end]: readonly [number, number, number], value: string) {
  const last = start + text.slice(start, end).trimEnd().length
  return `${text.slice(0, start)}${value}${text.slice(last)}`
}

// An IPv6 address would be a map in a list of YAML's own.
const quoteAddress = (address: string) => (address.includes(':') ? `'${address}'` : address)

/** Before the first key of the map, indented as that is. */
function insert(text: string, map: YAMLMap, line: string): string {
  const [start = 0] = map.range ?? []
  if (map.flow === true) return `${text.slice(0, start + 1)} ${line},${text.slice(start + 1)}`
  const indent = text.slice(text.lastIndexOf('\n', start - 1) + 1, start)
  return `${text.slice(0, start)}${line}\n${indent}${text.slice(start)}`
}
