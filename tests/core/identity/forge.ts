// Certificates as nobody should sign them: every field can be another one. A good chain is the default,
// so that a test changes one thing.
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { contextTag, derTag, encodeDer, encodeObjectId } from '../../../core/identity/der.ts'
import { extensionId, purposeId } from '../../../core/identity/extensions.ts'
import { encodeName, parseIp } from '../../../core/identity/general-name.ts'
import {
  encodeNameConstraints,
  noSubtrees,
  type NameConstraints,
} from '../../../core/identity/name-constraints.ts'

export const nowMs = Date.parse('2026-06-01T12:00:00Z')
export const minuteMs = 60_000
export const dayMs = 24 * 3600_000

export interface Pair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}
export interface Extension {
  readonly id: string
  readonly isCritical: boolean
  readonly value: Buffer
}
export interface Fields {
  readonly version: Buffer
  readonly serial: Buffer
  readonly algorithm: Buffer
  readonly innerAlgorithm: Buffer
  readonly subject: Buffer
  readonly notBeforeMs: number
  readonly notAfterMs: number
  readonly pair: Pair
  readonly spki: Buffer
  readonly extensions: Readonly<Record<string, Extension | undefined>>
}
export interface Forged {
  readonly der: Buffer
  readonly pair: Pair
  readonly subject: Buffer
}

export const makePair = (namedCurve = 'P-256'): Pair => generateKeyPairSync('ec', { namedCurve })

export const sequence = (...parts: Uint8Array[]) => encodeDer(derTag.sequence, ...parts)
const boolean = (value: boolean) => encodeDer(derTag.boolean, Buffer.from([value ? 0xff : 0]))
export const integer = (...bytes: number[]) => encodeDer(derTag.integer, Buffer.from(bytes))
export const bits = (bytes: Uint8Array, unused = 0) =>
  encodeDer(derTag.bitString, Buffer.from([unused]), bytes)
const ecdsaSha256 = sequence(encodeObjectId('1.2.840.10045.4.3.2'))
export const versionThree = encodeDer(contextTag(0, true), integer(2))

export function commonName(name: string): Buffer {
  const attribute = sequence(
    encodeObjectId('2.5.4.3'),
    encodeDer(derTag.utf8String, Buffer.from(name)),
  )
  return sequence(encodeDer(derTag.set, attribute))
}

export function time(timeMs: number): Buffer {
  const digits = new Date(timeMs).toISOString().replaceAll(/\.\d+|[^\d]/g, '')
  const isLate = digits >= '2050'
  const text = `${isLate ? digits : digits.slice(2)}Z`
  return encodeDer(isLate ? derTag.generalizedTime : derTag.utcTime, Buffer.from(text))
}

const extension = (id: string, value: Buffer, isCritical = true): Extension => ({
  ...{ id, isCritical, value },
})

export const authority = (pathLengthMax?: number) =>
  extension(
    extensionId.basicConstraints,
    sequence(boolean(true), ...(pathLengthMax === undefined ? [] : [integer(pathLengthMax)])),
  )
export const noAuthority = extension(extensionId.basicConstraints, sequence())
/** Bit 0 is digitalSignature, 5 keyCertSign, 6 cRLSign. */
export const usage = (...set: number[]) =>
  extension(
    extensionId.keyUsage,
    bits(Buffer.from([set.reduce((byte, bit) => byte | (0x80 >> bit), 0)])),
  )
export const purposes = (...ids: string[]) =>
  extension(extensionId.extendedKeyUsage, sequence(...ids.map(encodeObjectId)), false)
export const names = (of: { uris?: string[]; dns?: string[]; ips?: string[]; raw?: Buffer[] }) =>
  extension(
    extensionId.alternativeNames,
    sequence(
      ...(of.uris ?? []).map((uri) => encodeName('uri', uri)),
      ...(of.dns ?? []).map((name) => encodeName('dns', name)),
      ...(of.ips ?? []).map((ip) => encodeName('ip', parseIp(ip))),
      ...(of.raw ?? []),
    ),
    false,
  )
export const constraints = (value: NameConstraints) =>
  extension(extensionId.nameConstraints, encodeNameConstraints(value))
export const uncritical = (of: Extension): Extension => ({ ...of, isCritical: false })
export const unknown = (isCritical: boolean) =>
  extension('1.2.3.4', encodeDer(derTag.octetString), isCritical)

/** What a region's authority may name, in a cluster. */
export const clusterConstraints = (region: string): NameConstraints => ({
  permitted: {
    uris: [`${region}.example`],
    dns: [`${region}.example`, 'nats.svc.cluster.local'],
    ips: [],
  },
  excluded: { ...noSubtrees, ips: ['0.0.0.0/0', '::/0'] },
})

const leafFields = (pair: Pair): Fields => ({
  ...common(pair),
  subject: commonName('ams3-0'),
  notBeforeMs: nowMs - minuteMs,
  notAfterMs: nowMs + 60 * minuteMs,
  extensions: {
    basic: noAuthority,
    usage: usage(0),
    purposes: purposes(...Object.values(purposeId)),
    names: names({ uris: ['spiffe://ams3.example/nats/server-0'], dns: ['ams3-0.ams3.example'] }),
  },
})

const authorityFields = (pair: Pair, region: string): Fields => ({
  ...common(pair),
  subject: commonName(`${region} authority`),
  notBeforeMs: nowMs - dayMs,
  notAfterMs: nowMs + 90 * dayMs,
  extensions: {
    basic: authority(0),
    usage: usage(5, 6),
    names: names({ uris: [`spiffe://${region}.example`] }),
    constraints: constraints(clusterConstraints(region)),
  },
})

function common(pair: Pair) {
  return {
    version: versionThree,
    serial: encodeDer(derTag.integer, Buffer.concat([Buffer.from([0x40]), randomBytes(15)])),
    algorithm: ecdsaSha256,
    innerAlgorithm: ecdsaSha256,
    pair,
    spki: pair.publicKey.export({ format: 'der', type: 'spki' }),
  }
}

type Change = Partial<Fields>

const merge = (fields: Fields, change: Change): Fields => ({
  ...fields,
  ...(change.pair && {
    spki: change.pair.publicKey.export({ format: 'der', type: 'spki' }),
  }),
  ...change,
  extensions: { ...fields.extensions, ...change.extensions },
})

export const forgeRoot = (change: Change = {}): Forged => {
  const fields = authorityFields(makePair(), 'root')
  const extensions = { basic: authority(), constraints: undefined }
  return forge(merge(merge(fields, { extensions }), change))
}
export const forgeAuthority = (issuer: Forged, region: string, change: Change = {}): Forged =>
  forge(merge(authorityFields(makePair(), region), change), issuer)
export const forgeLeaf = (issuer: Forged, change: Change = {}): Forged =>
  forge(merge(leafFields(leafPair), change), issuer)

const leafPair = makePair()

/** Without an issuer it signs itself. */
function forge(fields: Fields, issuer: Pick<Forged, 'pair' | 'subject'> = fields): Forged {
  const { pair, subject } = fields
  const extensions = Object.values(fields.extensions).filter((each) => each !== undefined)
  const tbs = sequence(
    fields.version,
    fields.serial,
    fields.innerAlgorithm,
    issuer.subject,
    sequence(time(fields.notBeforeMs), time(fields.notAfterMs)),
    subject,
    fields.spki,
    ...(extensions.length === 0
      ? []
      : [encodeDer(contextTag(3, true), sequence(...extensions.map(encodeExtension)))]),
  )
  const signature = sign('sha256', tbs, issuer.pair.privateKey)
  return { der: sequence(tbs, fields.algorithm, bits(signature)), pair, subject }
}

function encodeExtension({ id, isCritical, value }: Extension): Buffer {
  return sequence(
    encodeObjectId(id),
    ...(isCritical ? [boolean(true)] : []),
    encodeDer(derTag.octetString, value),
  )
}
