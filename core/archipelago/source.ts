// YAML 1.2 without its surprises: one document of maps, lists and plain values, and no second way
// to say a thing (anchors, aliases, tags, directives, duplicate keys).
import {
  type Document,
  LineCounter,
  type Node,
  type YAMLMap,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  parseDocument,
  visit,
} from 'yaml'
import { type Problem, show } from './problem.ts'

export interface Place {
  readonly line: number
  readonly column: number
}

/** What is wrong with the text itself. */
export type Fault = Place & { readonly message: string }

export interface Source {
  readonly value: unknown
  readonly faults: readonly Fault[]
  /** Where the key or value of a problem stands; for one that is missing, the key around it. */
  readonly locate: (problem: Problem) => Place
}

const depthMax = 32

/** Refuses nothing itself: with faults there is no value. */
export function readSource(text: string): Source {
  const lineCounter = new LineCounter()
  // The library looks for duplicate keys in quadratic time, keyFaults in linear.
  const options = { prettyErrors: false, stringKeys: true, uniqueKeys: false, lineCounter }
  const document = parseDocument(text, options)
  const place = (offset: number): Place => {
    const { line, col } = lineCounter.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const faults = findFaults(document)
  return {
    value: faults.length === 0 ? document.toJS() : undefined,
    faults: faults.map(([offset, message]) => ({ ...place(offset), message })),
    locate: (problem) => place(offsetOf(document, problem)),
  }
}

type Parsed = Document.Parsed
type OffsetFault = readonly [offset: number, message: string]

function findFaults(document: Parsed): OffsetFault[] {
  const faults = [...syntaxFaults(document), ...directiveFaults(document)]
  return faults.length === 0 ? contentFaults(document) : faults
}

/** The first alone: what follows is for the most part its echo. */
function syntaxFaults({ errors, warnings }: Parsed): OffsetFault[] {
  const [first] = [...errors, ...warnings]
  if (first === undefined) return []
  const { code, message, pos } = first
  if (code === 'RESOURCE_EXHAUSTION') return [[pos[0], 'nested too deeply']]
  if (code === 'MULTIPLE_DOCS') return [[pos[0], 'more than one YAML document']]
  return [[pos[0], `not legal YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`]]
}

function directiveFaults({ directives }: Parsed): OffsetFault[] {
  const hasDirective = directives.yaml.explicit === true || Object.keys(directives.tags).length > 1
  return hasDirective ? [[0, 'YAML directives are not allowed']] : []
}

function contentFaults(document: Parsed): OffsetFault[] {
  const faults: OffsetFault[] = []
  visit(document, (_, node, path) => {
    if (!isNode(node)) return
    faults.push(...nodeFaults(node))
    if (path.length <= depthMax) return
    faults.push([offsetIn(node), 'nested too deeply'])
    return visit.BREAK
  })
  return faults
}

function nodeFaults(node: Node): OffsetFault[] {
  const offset = offsetIn(node)
  if (isAlias(node)) return [[offset, `aliases are not allowed: ${show(`*${node.source}`)}`]]
  const faults: OffsetFault[] = []
  if (node.anchor) faults.push([offset, `anchors are not allowed: ${show(`&${node.anchor}`)}`])
  if (node.tag) faults.push([offset, `tags are not allowed: ${show(node.tag)}`])
  return isMap(node) ? [...faults, ...keyFaults(node)] : faults
}

function keyFaults({ items }: YAMLMap): OffsetFault[] {
  const faults: OffsetFault[] = []
  const seen = new Set<string>()
  for (const { key } of items) {
    const name = String(isScalar(key) ? key.value : key)
    if (seen.has(name)) faults.push([offsetIn(key), `duplicate key: ${show(name)}`])
    // Schemas step over this key without a word.
    if (name === '__proto__') faults.push([offsetIn(key), `unknown key: ${show(name)}`])
    seen.add(name)
  }
  return faults
}

function offsetOf(document: Parsed, { path, at }: Problem): number {
  let [key, value]: [unknown, unknown] = [document.contents, document.contents]
  for (const step of path) {
    const child = childOf(value, step)
    if (child === undefined) return offsetIn(key)
    ;[key, value] = child
  }
  return offsetIn(at === 'value' && isNode(value) ? value : key)
}

function childOf(node: unknown, step: PropertyKey): [key: unknown, value: unknown] | undefined {
  if (isSeq(node) && typeof step === 'number') return [node.items[step], node.items[step]]
  if (!isMap(node)) return undefined
  const pair = node.items.find(({ key }) => isScalar(key) && key.value === step)
  return pair && [pair.key, pair.value]
}

const offsetIn = (node: unknown) => (isNode(node) ? (node.range?.[0] ?? 0) : 0)
