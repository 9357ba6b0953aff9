// The other signature of a certificate. Whoever sees an ECDSA signature (r, s) can write a second one that is
// as good, without the key: (r, order - s).
import {
  derTag,
  encodeDer,
  readBits,
  readDer,
  readInside,
  type Der,
} from '../../../core/identity/der.ts'

/** Of P-256. */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** The same certificate to every verifier, in other bytes. */
export function resign(certificate: Buffer): Buffer {
  const [tbs, algorithm, signature] = readInside(readDer(certificate)) as [Der, Der, Der]
  const [r, s] = readInside(readDer(readBits(signature).bytes)) as [Der, Der]
  const other = encodeInteger(order - BigInt(`0x${s.content.toString('hex')}`))
  const pair = encodeDer(derTag.sequence, r.bytes, other)
  const bits = encodeDer(derTag.bitString, Buffer.of(0), pair)
  return encodeDer(derTag.sequence, tbs.bytes, algorithm.bytes, bits)
}

/** A first bit that is set would be a sign. */
function encodeInteger(value: bigint): Buffer {
  const digits = value.toString(16)
  const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex')
  const isSigned = (bytes[0] as number) >= 0x80
  return encodeDer(derTag.integer, Buffer.of(...(isSigned ? [0] : []), ...bytes))
}
