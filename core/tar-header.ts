// The header of an entry in the ustar format of POSIX (pax, "ustar Interchange Format").

export const tarBlockBytes = 512

const nameBytesMax = 100
const prefixBytesMax = 155
const linkBytesMax = 100
// The kinds by their typeflag.
const flags = { file: '0', link: '2', folder: '5' } as const

export interface TarEntry {
  readonly kind: keyof typeof flags
  /** Relative, with slashes; 100 bytes, or 255 where a slash divides them well. */
  readonly path: string
  /** The permission bits. */
  readonly mode: number
  /** Of the content, in bytes; 0 for all but files. */
  readonly size: number
  /** What a symbolic link points at, 100 bytes at most. */
  readonly target?: string
}

/** Everything belongs to user and group 0 and has no time; undefined for a path that no header can hold. */
export function encodeTarHeader(entry: TarEntry): Buffer | undefined {
  const { kind, mode, size, target = '' } = entry
  const path = dividePath(entry.path)
  if (path === undefined || Buffer.byteLength(target) > linkBytesMax) return undefined
  const block = Buffer.alloc(tarBlockBytes)
  block.write(path.name, 0)
  block.write(path.prefix, 345)
  block.write(octal(mode, 7), 100, 'ascii')
  for (const owner of [108, 116]) block.write(octal(0, 7), owner, 'ascii')
  block.write(octal(size, 11), 124, 'ascii')
  block.write(octal(0, 11), 136, 'ascii')
  block.write(flags[kind], 156, 'ascii')
  block.write(target, 157)
  block.write('ustar\u000000', 257, 'ascii')
  block.write(`${octal(tarChecksum(block), 6)}\0 `, 148, 'ascii')
  return block
}

/** The sum of a header's bytes, the checksum's own taken as spaces. */
export function tarChecksum(block: Buffer): number {
  const own = block.subarray(148, 156)
  const sum = (bytes: Buffer): number => bytes.reduce((total, byte) => total + byte, 0)
  return sum(block) - sum(own) + own.length * 32
}

/** How many bytes are missing to a whole block after a content of this size. */
export function tarPadding(size: number): number {
  return (tarBlockBytes - (size % tarBlockBytes)) % tarBlockBytes
}

function dividePath(path: string): { prefix: string; name: string } | undefined {
  if (Buffer.byteLength(path) <= nameBytesMax) return { prefix: '', name: path }
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)]
    const isShort = Buffer.byteLength(name) <= nameBytesMax
    if (isShort && Buffer.byteLength(prefix) <= prefixBytesMax) return { prefix, name }
  }
  return undefined
}

const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0')
