// The public halves of the keys whose home is a region: all of them that ever leaves it.
import * as z from 'zod'
import { isCurveKey, type CurveKey } from '../access/curve-key.ts'
import { functionDoors } from '../network/access-subject.ts'
import { parseJson } from '../parse-json.ts'
import { isNkey, type Nkey } from './nkey.ts'

const accountKey = z.custom<Nkey<'account'>>((text) => isNkey('account', String(text)))
const userKey = z.custom<Nkey<'user'>>((text) => isNkey('user', String(text)))
/** All that the accounts publish; while a key is being replaced there are two. */
const signingKeys = z.array(accountKey).min(1).max(4)

const regionKeys = z.strictObject({
  region: z.string(),
  /** Signs the credentials of this region's leafnode. */
  leafnode: signingKeys,
  /** The user of those credentials. */
  leafnodeUser: userKey,
  /** Signs the credentials of the program that reads its servers' figures; on a laptop there is none. */
  monitor: signingKeys.optional(),
  doors: z.partialRecord(
    z.enum(functionDoors),
    z.strictObject({
      /** The function's identity at its leafnode server. */
      nkey: userKey,
      /** By role. */
      signingKeys: z.record(z.string(), signingKeys),
      /** X25519: to which tokens for this function are sealed. */
      tokenKey: z.custom<CurveKey>((text) => isCurveKey(String(text))).optional(),
    }),
  ),
})
export type RegionKeys = z.infer<typeof regionKeys>

/** Refuses what is not exactly the public halves of one region's keys. */
export function parseRegionKeys(text: string): RegionKeys {
  return parseJson(text, regionKeys, { what: 'region keys', code: 'ERR_REGION_KEYS_ILLEGAL' })
}

export function formatRegionKeys(keys: RegionKeys): string {
  return `${JSON.stringify(keys, undefined, 2)}\n`
}
