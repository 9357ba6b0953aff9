const charactersMax = 80

/** Foreign text for a message: quoted, on one line, nothing invisible, not too long. */
export function quote(text: string): string {
  const short = text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text
  return `'${showInvisible(short)}'`
}

/** On one line, with what a terminal would not show, or would obey, spelled out. */
export function showInvisible(text: string): string {
  return text.replaceAll(/(?! )[\p{C}\p{Z}]/gu, escaped)
}

const escaped = (character: string) => `\\u{${character.codePointAt(0)?.toString(16)}}`
