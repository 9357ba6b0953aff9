const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const values = new Map([...alphabet].map((letter, value) => [letter, value]))

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
  for (const letter of text) {
    const value = values.get(letter)
    if (value === undefined) return undefined
    buffer = ((buffer << 5) | value) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[length++] = (buffer >>> bits) & 0xff
  }
  return encodeBase32(bytes) === text ? bytes : undefined
}
