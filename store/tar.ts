// The ustar format of POSIX (pax, "ustar Interchange Format"): regular files and nothing else.
import { Refusal } from '../core/errors.ts'
import { quote } from '../core/quote.ts'
import { encodeTarHeader, tarBlockBytes, tarChecksum, tarPadding } from '../core/tar-header.ts'

export interface TarFile {
  /** Relative, with slashes; 100 bytes, or 255 where a slash divides them well. */
  readonly path: string
  readonly content: Buffer
}

const filesMax = 10_000
const mode = 0o600

/** Files in their order; all belong to nobody, with mode 0600 and no time, so equal files give equal archives. */
export function packTar(files: readonly TarFile[]): Buffer {
  const blocks = files.flatMap(({ path, content }) => [
    header(path, content.length),
    content,
    Buffer.alloc(tarPadding(content.length)),
  ])
  return Buffer.concat([...blocks, Buffer.alloc(2 * tarBlockBytes)])
}

/** Refuses links and other kinds, paths that lead outside, and an archive that is not whole. */
export function unpackTar(bytes: Buffer): TarFile[] {
  const files: TarFile[] = []
  let offset = 0
  for (;;) {
    const block = bytes.subarray(offset, offset + tarBlockBytes)
    if (block.length < tarBlockBytes) throw illegal('it ends too early')
    if (block.every((byte) => byte === 0)) return files
    const { path, size } = parseHeader(block)
    const start = offset + tarBlockBytes
    if (start + size > bytes.length) throw illegal(`it ends within ${quote(path)}`)
    if (files.length === filesMax) throw illegal(`it has more than ${filesMax} files`)
    files.push({ path, content: bytes.subarray(start, start + size) })
    offset = start + size + tarPadding(size)
  }
}

function header(path: string, size: number): Buffer {
  requirePath(path)
  const block = encodeTarHeader({ kind: 'file', path, mode, size })
  if (block === undefined) throw illegal(`too long a path: ${quote(path)}`)
  return block
}

function parseHeader(block: Buffer): { path: string; size: number } {
  if (fieldOf(block, 257, 5) !== 'ustar') throw illegal('it is no ustar archive')
  if (parseInt(fieldOf(block, 148, 8), 8) !== tarChecksum(block))
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

function fieldOf(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end === -1 ? length : end)
}

function illegal(reason: string): Refusal {
  return new Refusal('ERR_BACKUP_ILLEGAL', `illegal archive: ${reason}`)
}
