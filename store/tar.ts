// The ustar format of POSIX (pax, "ustar Interchange Format"): regular files and nothing else.
import { Refusal } from '../core/errors.ts'
import { quote } from '../core/quote.ts'

export interface TarFile {
  /** Relative, with slashes; 100 bytes, or 255 where a slash divides them well. */
  readonly path: string
  readonly content: Buffer
}

const blockBytes = 512
const nameBytesMax = 100
const prefixBytesMax = 155
const filesMax = 10_000
const fileMode = '0000600'

/** Files in their order; all belong to nobody, with mode 0600 and no time, so equal files give equal archives. */
export function packTar(files: readonly TarFile[]): Buffer {
  const blocks = files.flatMap(({ path, content }) => [
    header(path, content.length),
    content,
    Buffer.alloc(padding(content.length)),
  ])
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockBytes)])
}

/** Refuses links and other kinds, paths that lead outside, and an archive that is not whole. */
export function unpackTar(bytes: Buffer): TarFile[] {
  const files: TarFile[] = []
  let offset = 0
  for (;;) {
    const block = bytes.subarray(offset, offset + blockBytes)
    if (block.length < blockBytes) throw illegal('it ends too early')
    if (block.every((byte) => byte === 0)) return files
    const { path, size } = parseHeader(block)
    const start = offset + blockBytes
    if (start + size > bytes.length) throw illegal(`it ends within ${quote(path)}`)
    if (files.length === filesMax) throw illegal(`it has more than ${filesMax} files`)
    files.push({ path, content: bytes.subarray(start, start + size) })
    offset = start + size + padding(size)
  }
}

function header(path: string, size: number): Buffer {
  requirePath(path)
  const { prefix, name } = dividePath(path)
  const block = Buffer.alloc(blockBytes)
  block.write(name, 0)
  block.write(prefix, 345)
  block.write(fileMode, 100, 'ascii')
  for (const owner of [108, 116]) block.write('0000000', owner, 'ascii')
  block.write(octal(size, 11), 124, 'ascii')
  block.write(octal(0, 11), 136, 'ascii')
  block.write('0', 156, 'ascii')
  block.write('ustar\u000000', 257, 'ascii')
  block.write(`${octal(checksumOf(block), 6)}\0 `, 148, 'ascii')
  return block
}

function parseHeader(block: Buffer): { path: string; size: number } {
  if (fieldOf(block, 257, 5) !== 'ustar') throw illegal('it is no ustar archive')
  if (parseInt(fieldOf(block, 148, 8), 8) !== checksumOf(block))
    throw illegal('a checksum is wrong')
  const prefix = fieldOf(block, 345, 155)
  const name = fieldOf(block, 0, 100)
  const path = prefix === '' ? name : `${prefix}/${name}`
  if (!['0', ''].includes(fieldOf(block, 156, 1))) throw illegal(`no regular file: ${quote(path)}`)
  requirePath(path)
  const size = fieldOf(block, 124, 12).trim()
  if (!/^[0-7]{1,11}$/.test(size)) throw illegal(`a size is wrong: ${quote(path)}`)
  return { path, size: parseInt(size, 8) }
}

/** Neither absolute nor upwards, and nothing that a screen or another system reads otherwise. */
function requirePath(path: string): void {
  const isPlain = path.split('/').every((step) => /^(?!\.{1,2}$)[^\\\p{C}]+$/u.test(step))
  if (!isPlain) throw illegal(`illegal path: ${quote(path)}`)
}

function dividePath(path: string): { prefix: string; name: string } {
  if (Buffer.byteLength(path) <= nameBytesMax) return { prefix: '', name: path }
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)]
    const isShort = Buffer.byteLength(name) <= nameBytesMax
    if (isShort && Buffer.byteLength(prefix) <= prefixBytesMax) return { prefix, name }
  }
  throw illegal(`too long a path: ${quote(path)}`)
}

/** The sum of all bytes, the checksum's own taken as spaces. */
function checksumOf(block: Buffer): number {
  const own = block.subarray(148, 156)
  const sum = (bytes: Buffer): number => bytes.reduce((total, byte) => total + byte, 0)
  return sum(block) - sum(own) + own.length * 32
}

function fieldOf(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end === -1 ? length : end)
}

const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0')
const padding = (size: number) => (blockBytes - (size % blockBytes)) % blockBytes

function illegal(reason: string): Refusal {
  return new Refusal('ERR_BACKUP_ILLEGAL', `illegal archive: ${reason}`)
}
