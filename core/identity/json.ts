import { Refusal, type RefusalCode } from '../errors.ts'
import { quote } from '../quote.ts'

const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]/gs
const depthMax = 32

/**
 * JSON in which every name of an object stands once. JSON.parse keeps the last of two without a word,
 * others the first: one text, two meanings. `what` and `code` are the caller's.
 */
export function parseUniqueJson(
  text: string,
  { what, code }: { what: string; code: RefusalCode },
): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Refusal(code, `illegal ${what}: not JSON`)
  }
  const twice = findTwice(text)
  if (twice !== undefined) throw new Refusal(code, `illegal ${what}: ${twice}`)
  return value
}

/** Asks only where brackets and strings are, for the text is known to be JSON. */
function findTwice(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = []
  let last = ''
  for (const [found] of text.matchAll(token)) {
    if (found === '{') open.push(new Set())
    else if (found === '[') open.push(undefined)
    else if (found === '}' || found === ']') open.pop()
    else if (found === ':') {
      const name = JSON.parse(last) as string
      const names = open.at(-1) as Set<string>
      if (names.has(name)) return `two members named ${quote(name)}`
      names.add(name)
    }
    if (open.length > depthMax) return `deeper than ${depthMax}`
    last = found
  }
  return undefined
}
