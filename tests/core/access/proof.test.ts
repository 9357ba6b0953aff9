import test from 'ava'
import { encodeProof, isProofBy, signProof, type ProofPurpose } from '../../../core/access/proof.ts'
import { encodeBase32 } from '../../../core/trust/base32.ts'
import type { Nkey } from '../../../core/trust/nkey.ts'
import { alice, claimsOf, makePair, makeTrust } from './trust.ts'

const trust = makeTrust()
const proof = encodeProof(claimsOf(trust))
const purposes: ProofPurpose[] = ['access', 'renewal', 'invite']

test('one text for the same claims in any order', (t) => {
  const reversed = Object.fromEntries(Object.entries(claimsOf(trust)).toReversed())
  t.is(encodeProof(reversed as unknown as ReturnType<typeof claimsOf>), proof)
})

for (const signed of purposes)
  test(`a signature for ${signed} is good for nothing else`, (t) => {
    const signature = signProof(alice.pair, proof, signed)
    const good = purposes.filter((purpose) =>
      isProofBy(alice.pair.publicKey, { proof, signature, purpose }),
    )
    t.deepEqual(good, [signed])
  })

test('a signature over another proof or by another key is not good', (t) => {
  const purpose = 'access'
  const signature = signProof(alice.pair, proof, purpose)
  const other = encodeProof(claimsOf(trust, { name: 'mallory' }))
  t.false(isProofBy(alice.pair.publicKey, { proof: other, signature, purpose }))
  t.false(isProofBy(makePair('user').publicKey, { proof, signature, purpose }))
})

test('a signature cannot be changed into a second good one: S + L is refused', (t) => {
  const purpose = 'access'
  const bytes = Buffer.from(signProof(alice.pair, proof, purpose), 'base64url')
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  const s = BigInt(`0x${Buffer.from(bytes.subarray(32).toReversed()).toString('hex')}`)
  const hex = (s + order).toString(16).padStart(64, '0')
  const malleated = Buffer.concat([bytes.subarray(0, 32), Buffer.from(hex, 'hex').toReversed()])
  const signature = malleated.toString('base64url')
  t.false(isProofBy(alice.pair.publicKey, { proof, signature, purpose }))
})

// Go's verifier, and OpenSSL before 3.5, take this one for any message: the key is the neutral
// element, so S·B = R + h·A holds for S = 1 and R = B whatever h is.
test('a key of low order proves nothing', (t) => {
  const neutral = Buffer.concat([Buffer.from([1]), Buffer.alloc(31)])
  const base = `58${'66'.repeat(31)}`
  const signature = Buffer.concat([Buffer.from(base, 'hex'), neutral]).toString('base64url')
  t.false(isProofBy(nkeyOf(neutral), { proof, signature, purpose: 'access' }))
})

function nkeyOf(key: Buffer): Nkey<'user'> {
  const body = Buffer.concat([Buffer.from([20 << 3]), key])
  let crc = 0
  for (const byte of body) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit += 1)
      crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff
  }
  return encodeBase32(Buffer.concat([body, Buffer.from([crc & 0xff, crc >> 8])])) as Nkey<'user'>
}
