// The extensions that the profile knows (RFC 5280 section 4.2.1). One that is critical and unknown is
// refused: it may say what the certificate is not to be taken for.
import { Refusal } from '../errors.ts'
import {
  contextTag,
  derTag,
  readBits,
  readBoolean,
  readDer,
  readInside,
  readObjectId,
  readSmallInteger,
  requireTag,
  type Der,
} from './der.ts'
import { readAlternativeNames, type AlternativeNames } from './general-name.ts'
import { readNameConstraints, type NameConstraints } from './name-constraints.ts'

export const extensionId = {
  subjectKey: '2.5.29.14',
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKey: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const

export const purposeId = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2' }
export type Purpose = keyof typeof purposeId

const usages = [
  'digitalSignature',
  'contentCommitment',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const
export type KeyUsage = (typeof usages)[number]

export interface BasicConstraints {
  readonly isAuthority: boolean
  /** How many authorities may follow below this one. */
  readonly pathLengthMax?: number
}
export interface Extensions {
  /** Ids of those that are marked critical. */
  readonly critical: ReadonlySet<string>
  readonly basicConstraints?: BasicConstraints | undefined
  readonly keyUsage?: ReadonlySet<KeyUsage> | undefined
  readonly extendedKeyUsage?: readonly string[] | undefined
  readonly names: AlternativeNames
  readonly nameConstraints?: NameConstraints | undefined
  /** In hexadecimal. */
  readonly subjectKey?: string | undefined
  readonly authorityKey?: string | undefined
}

interface RawExtension {
  readonly id: string
  readonly isCritical: boolean
  readonly value: Der
}

const noNames: AlternativeNames = { uris: [], dns: [], ips: [], others: [] }

/** Reads `[3] EXPLICIT Extensions`. */
export function readExtensions(element: Der | undefined): Extensions {
  const [list] = element === undefined ? [] : readInside(element, contextTag(3, true))
  const raw = list === undefined ? [] : readInside(list).map(readExtension)
  refuseTwice(raw)
  refuseUnknown(raw)
  const read = <T>(id: string, reader: (value: Der) => T): T | undefined => {
    const found = raw.find((each) => each.id === id)
    return found && reader(found.value)
  }
  return {
    critical: new Set(raw.filter(({ isCritical }) => isCritical).map(({ id }) => id)),
    basicConstraints: read(extensionId.basicConstraints, readBasicConstraints),
    keyUsage: read(extensionId.keyUsage, readKeyUsage),
    extendedKeyUsage: read(extensionId.extendedKeyUsage, readExtendedKeyUsage),
    names: read(extensionId.alternativeNames, readAlternativeNames) ?? noNames,
    nameConstraints: read(extensionId.nameConstraints, readNameConstraints),
    subjectKey: read(extensionId.subjectKey, readSubjectKey),
    authorityKey: read(extensionId.authorityKey, readAuthorityKey),
  }
}

function readExtension(element: Der): RawExtension {
  const parts = readInside(element)
  const [id, second] = parts
  const isCritical = second?.tag === derTag.boolean && readBoolean(second)
  const value = parts[second?.tag === derTag.boolean ? 2 : 1]
  if (parts.length > 3 || value !== parts.at(-1)) throw illegal('more than id, critical, value')
  if (second?.tag === derTag.boolean && !isCritical) throw illegal('a default is written out')
  const { content } = requireTag(value, derTag.octetString)
  return { id: readObjectId(id), isCritical, value: readDer(content) }
}

function refuseTwice(extensions: readonly RawExtension[]): void {
  const ids = extensions.map(({ id }) => id)
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice !== undefined)
    throw new Refusal('ERR_CERTIFICATE_EXTENSION_TWICE', `extension twice: ${twice}`)
}

function refuseUnknown(extensions: readonly RawExtension[]): void {
  const known: readonly string[] = Object.values(extensionId)
  const unknown = extensions.find(({ id, isCritical }) => isCritical && !known.includes(id))
  if (unknown !== undefined)
    throw new Refusal(
      'ERR_CERTIFICATE_EXTENSION_UNKNOWN',
      `critical extension that is not known: ${unknown.id}`,
    )
}

function readBasicConstraints(value: Der): BasicConstraints {
  const parts = readInside(value)
  const isAuthority = parts[0]?.tag === derTag.boolean && readBoolean(parts[0])
  const limit = parts[isAuthority ? 1 : 0]
  if (parts.length !== Number(isAuthority) + Number(limit !== undefined))
    throw illegal('basic constraints')
  if (limit === undefined) return { isAuthority }
  if (!isAuthority) throw illegal('a path length without cA')
  return { isAuthority, pathLengthMax: readSmallInteger(limit) }
}

function readKeyUsage(value: Der): ReadonlySet<KeyUsage> {
  const { bytes } = readBits(value)
  const set = usages.filter((_, bit) => (((bytes[bit >> 3] ?? 0) << (bit & 7)) & 0x80) !== 0)
  if (set.length === 0) throw illegal('key usage without any')
  return new Set(set)
}

function readExtendedKeyUsage(value: Der): string[] {
  const ids = readInside(value).map((id) => readObjectId(id))
  if (ids.length === 0) throw illegal('extended key usage without any')
  return ids
}

const readSubjectKey = (value: Der) => requireTag(value, derTag.octetString).content.toString('hex')

function readAuthorityKey(value: Der): string | undefined {
  const id = readInside(value).find(({ tag }) => tag === contextTag(0))
  return id?.content.toString('hex')
}

const illegal = (what: string) =>
  new Refusal('ERR_CERTIFICATE_EXTENSION', `illegal extension: ${what}`)
