import { readFileSync } from 'node:fs'
import { parseArchipelago } from '../../../core/archipelago.ts'
import { Refusal } from '../../../core/errors.ts'

export const file = 'archipelago.yaml'
// Not the file of this repository: errors name lines, which must not move with what an operator edits.
export const good = readFileSync(new URL('good.yaml', import.meta.url), 'utf8')

/** The good file with the first of a passage replaced. */
export function edited(passage: string, by: string): string {
  if (!good.includes(passage)) throw new RangeError(`not in ${file}: ${passage}`)
  return good.replace(passage, () => by)
}

/** The lines of the refusal; none when the text is accepted. */
export function refusalOf(text: string): string[] {
  try {
    parseArchipelago(text, file)
    return []
  } catch (error) {
    if (error instanceof Refusal && error.code === 'ERR_ARCHIPELAGO_ILLEGAL') {
      return error.message.split('\n')
    }
    throw error
  }
}
