// The files by which a program without a shell around it knows its user and where names are looked up.
import { nonRoot } from './oci-image.ts'
import type { FileEntry } from './tar.ts'

const files = {
  'etc/passwd': [
    'root:x:0:0:root:/nonexistent:/nonexistent',
    `nonroot:x:${nonRoot}:${nonRoot}:nonroot:/nonexistent:/nonexistent`,
  ],
  'etc/group': ['root:x:0:', `nonroot:x:${nonRoot}:`],
  // Gateways' names come by hostAliases, that is from /etc/hosts.
  'etc/nsswitch.conf': ['hosts: files dns'],
}

export function userFiles(): FileEntry[] {
  return Object.entries(files).map(([path, lines]) => textFile(path, `${lines.join('\n')}\n`))
}

export function textFile(path: string, text: string): FileEntry {
  return { path, mode: 0o644, chunks: [Buffer.from(text)] }
}
