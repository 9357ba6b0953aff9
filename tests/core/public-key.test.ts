import { generateKeyPairSync } from 'node:crypto'
import test from 'ava'
import { importPublicKey } from '../../core/public-key.ts'

for (const curve of ['Ed25519', 'X25519'] as const) {
  test(`reads back every ${curve} key that Node writes`, (t) => {
    for (let round = 0; round < 50; round++) {
      const type = curve.toLowerCase() as 'ed25519'
      const { publicKey } = generateKeyPairSync(type)
      const { x = '' } = publicKey.export({ format: 'jwk' })
      t.true(importPublicKey(curve, Buffer.from(x, 'base64url')).equals(publicKey))
    }
  })

  for (const length of [0, 31, 33])
    test(`takes ${length} bytes for no ${curve} key`, (t) => {
      const message = `raw ${curve} key: ${length} bytes`
      const error = { instanceOf: RangeError, message }
      t.throws(() => importPublicKey(curve, Buffer.alloc(length)), error)
    })
}
