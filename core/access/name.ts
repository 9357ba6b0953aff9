import { Refusal } from '../errors.ts'
import { quote } from '../quote.ts'

const charactersMax = 32

/**
 * A name is a label for people. Refuses what a screen would not show as it is (control, format,
 * unassigned and invisible characters, white space that is not one space between words), what has
 * another spelling (NFC), and the wildcards of subjects.
 */
export function parseName(name: unknown): string {
  if (name === undefined || name === '') throw new Refusal('ERR_NAME_MISSING', 'name is missing')
  if (typeof name !== 'string') throw new Refusal('ERR_NAME_ILLEGAL', 'name is not text')
  if ([...name].length > charactersMax)
    throw new Refusal('ERR_NAME_TOO_LONG', `name is over ${charactersMax} characters`)
  if (illegal.test(name) || name.normalize('NFC') !== name)
    throw new Refusal('ERR_NAME_ILLEGAL', `illegal name: ${quote(name)}`)
  return name
}

// U+2800 is a letter of Braille without dots: not ignorable, and yet nothing to see.
const illegal = /[\p{C}\p{Default_Ignorable_Code_Point}\u2800*>]|(?! )\p{Z}|^[ \p{M}]| $| {2}/u

/** The same text for names that are one to a reader: case, width and form make no difference. */
export function foldName(name: string): string {
  // Upper case first, for ß is SS and ſ is S; twice, since one folding can bring forth another.
  const fold = (text: string): string => text.normalize('NFKC').toUpperCase().toLowerCase()
  return fold(fold(name))
}
