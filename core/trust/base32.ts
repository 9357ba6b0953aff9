const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
// By the code of a character; -1 for what is no letter here.
const values = new Int8Array(128).fill(-1)
for (const [value, letter] of [...alphabet].entries()) values[letter.charCodeAt(0)] = value

/** Base32 of RFC 4648 without padding, as nkeys and the `jti` of NATS JWTs use it. */
export function encodeBase32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let buffer = 0
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte
    for (bits += 8; bits >= 5; bits -= 5) text += alphabet[(buffer >>> (bits - 5)) & 31]
    buffer &= 0xff
  }
  return bits > 0 ? text + alphabet[(buffer << (5 - bits)) & 31] : text
}

/** Inverse of encodeBase32; undefined where the text is not the one encoding of some bytes. */
export function decodeBase32(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8))
  let bits = 0
  let buffer = 0
  let length = 0
  for (let at = 0; at < text.length; at++) {
    const value = values[text.charCodeAt(at)] ?? -1
    if (value < 0) return undefined
    buffer = ((buffer << 5) | value) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[length++] = (buffer >>> bits) & 0xff
  }
  // What is left over is less than a letter, and zero, or there would be a second spelling.
  const isWhole = bits < 5 && (buffer & ((1 << bits) - 1)) === 0
  return isWhole ? bytes : undefined
}
