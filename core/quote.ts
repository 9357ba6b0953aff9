const charactersMax = 80

/** Foreign text for a message: quoted, on one line, nothing invisible, not too long. */
export function quote(text: string): string {
  const short = text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text
  return `'${short.replaceAll(/(?! )[\p{C}\p{Z}]/gu, escaped)}'`
}

const escaped = (character: string) => `\\u{${character.codePointAt(0)?.toString(16)}}`
