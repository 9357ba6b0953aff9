// Strict DER (X.690): what has two encodings has one here, so that a certificate means the same to us
// and to whoever else reads it.
import { Refusal } from '../errors.ts'

export interface Der {
  readonly tag: number
  readonly content: Buffer
  /** Tag and length included: what a signature is over. */
  readonly bytes: Buffer
}

export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** Tag of `[number]`, by itself or around other elements. */
export const contextTag = (number: number, isConstructed = false) =>
  (isConstructed ? 0xa0 : 0x80) + number

/** One element and nothing after it. */
export function readDer(bytes: Uint8Array): Der {
  const [element, ...more] = readElements(Buffer.from(bytes))
  if (element === undefined || more.length > 0) throw illegal('not one element')
  return element
}

/** The elements inside of one that has this tag. */
export function readInside(element: Der | undefined, tag: number = derTag.sequence): Der[] {
  return readElements(requireTag(element, tag).content)
}

export function requireTag(element: Der | undefined, tag: number): Der {
  if (element?.tag === tag) return element
  const found = element === undefined ? 'nothing' : hex(element.tag)
  throw illegal(`${found} in place of ${hex(tag)}`)
}

function readElements(bytes: Buffer): Der[] {
  const elements: Der[] = []
  for (let at = 0; at < bytes.length;) {
    const element = readElement(bytes.subarray(at))
    elements.push(element)
    at += element.bytes.length
  }
  return elements
}

function readElement(bytes: Buffer): Der {
  const [tag = 0, first = 0x80] = bytes
  if ((tag & 0x1f) === 0x1f) throw illegal(`tag of more than one byte: ${hex(tag)}`)
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f
  const start = 2 + lengthBytes
  const length = lengthBytes === 0 && first < 0x80 ? first : readLength(bytes.subarray(2, start))
  const end = start + length
  if (end > bytes.length) throw illegal('length beyond the end')
  return { tag, content: bytes.subarray(start, end), bytes: bytes.subarray(0, end) }
}

/** Of certificates that we read, none is as large as four bytes of length could say. */
function readLength(bytes: Buffer): number {
  if (bytes.length === 0 || bytes.length > 3) throw illegal('indefinite or oversize length')
  const length = bytes.readUIntBE(0, bytes.length)
  if (bytes[0] === 0 || length < 0x80) throw illegal('length is not the shortest')
  return length
}

export function readBoolean(element: Der | undefined): boolean {
  const { content } = requireTag(element, derTag.boolean)
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff))
    throw illegal('boolean is neither 00 nor ff')
  return content[0] === 0xff
}

/** The integer's bytes; refuses more of them than are needed. */
export function readInteger(element: Der | undefined, tag: number = derTag.integer): Buffer {
  const { content } = requireTag(element, tag)
  const [first, second = 0] = content
  if (first === undefined) throw illegal('empty integer')
  const isPadded = (first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)
  if (content.length > 1 && isPadded) throw illegal('integer is not the shortest')
  return content
}

/** An integer from 0 to 2³¹. */
export function readSmallInteger(element: Der | undefined, tag?: number): number {
  const bytes = readInteger(element, tag)
  if (bytes.length > 4 || (bytes[0] as number) >= 0x80) throw illegal('integer out of range')
  return bytes.readUIntBE(0, bytes.length)
}

/** Bytes, and how many bits at their end do not count. */
export function readBits(element: Der | undefined): { bytes: Buffer; unused: number } {
  const { content } = requireTag(element, derTag.bitString)
  const [unused = 8] = content
  const bytes = content.subarray(1)
  const last = bytes.at(-1) ?? 0
  const isIllegal = unused > 7 || (bytes.length === 0 && unused > 0)
  if (isIllegal || (last & ((1 << unused) - 1)) !== 0) throw illegal('bit string has stray bits')
  return { bytes, unused }
}

/** A bit string of whole bytes, as keys and signatures are: with a bit less it would be read the same. */
export function readBytes(element: Der | undefined): Buffer {
  const { bytes, unused } = readBits(element)
  if (unused > 0) throw illegal('bit string is not of whole bytes')
  return bytes
}

/** In dots, as in `2.5.29.17`. */
export function readObjectId(element: Der | undefined): string {
  const { content } = requireTag(element, derTag.objectId)
  const arcs = readArcs(content)
  const [first = 0, ...rest] = arcs
  const root = Math.min(Math.floor(first / 40), 2)
  return [root, first - root * 40, ...rest].join('.')
}

function readArcs(content: Buffer): number[] {
  if (content.length === 0 || (content.at(-1) as number) >= 0x80) throw illegal('object id is cut')
  const arcs: number[] = []
  let arc = 0
  for (const [index, byte] of content.entries()) {
    const isFirst = index === 0 || (content[index - 1] as number) < 0x80
    if (isFirst && byte === 0x80) throw illegal('object id is not the shortest')
    arc = (isFirst ? 0 : arc * 128) + (byte & 0x7f)
    if (!Number.isSafeInteger(arc)) throw illegal('object id out of range')
    if (byte < 0x80) arcs.push(arc)
  }
  return arcs
}

/** Milliseconds since 1970, of the two forms that RFC 5280 section 4.1.2.5 allows. */
export function readTime(element: Der | undefined): number {
  const text = (element?.content ?? Buffer.alloc(0)).toString('latin1')
  const [, year, rest] = timeForm(element?.tag).exec(text) ?? []
  if (year === undefined || rest === undefined) throw illegal(`time: ${hex(element?.tag ?? 0)}`)
  const [month, day, hour, minute, second] = rest.match(/../g) as string[]
  const iso = `${fullYear(year)}-${month}-${day}T${hour}:${minute}:${second}.000Z`
  const time = Date.parse(iso)
  // 30 February would be taken for 2 March.
  if (Number.isNaN(time) || new Date(time).toISOString() !== iso) throw illegal(`time: ${iso}`)
  return time
}

// UTCTime ends with 2049, and what ends later is GeneralizedTime.
function timeForm(tag: number | undefined): RegExp {
  if (tag === derTag.utcTime) return /^(\d\d)(\d{10})Z$/
  return tag === derTag.generalizedTime ? /^(20[5-9]\d|2[1-9]\d\d|[3-9]\d{3})(\d{10})Z$/ : /^(?!)/
}

const fullYear = (year: string) =>
  year.length === 4 ? year : `${Number(year) < 50 ? '20' : '19'}${year}`

/** Elements or bytes under a tag. */
export function encodeDer(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content])
}

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length]
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length)
  const shortest = bytes.subarray(bytes.findIndex((byte) => byte > 0))
  return [0x80 + shortest.length, ...shortest]
}

export function encodeObjectId(text: string): Buffer {
  const [root = 0, second = 0, ...rest] = text.split('.').map(Number)
  return encodeDer(derTag.objectId, Buffer.from([root * 40 + second, ...rest].flatMap(encodeArc)))
}

function encodeArc(arc: number): number[] {
  const low = [arc % 128]
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128))
    low.unshift(0x80 + (rest % 128))
  return low
}

const hex = (tag: number) => tag.toString(16).padStart(2, '0')

const illegal = (what: string) => new Refusal('ERR_DER_ILLEGAL', `illegal DER: ${what}`)
