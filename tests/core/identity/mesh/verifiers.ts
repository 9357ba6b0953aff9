// What the verifiers of meshes say of a chain: Go as it is, and OpenSSL in the place of Envoy's BoringSSL.
import { execFile, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'

export interface Question {
  /** PEM. */
  readonly roots: string
  readonly chain: string
}

/** Refusals in the order of the questions; empty for a chain that is good for servers and clients. */
export async function askGo(questions: readonly Question[]): Promise<string[]> {
  const env = { ...process.env, GOFLAGS: '', GOWORK: 'off', CGO_ENABLED: '0' }
  const program = join(import.meta.dirname, 'verify.go')
  const go = spawn('go', ['run', program], { env, stdio: ['pipe', 'pipe', 'pipe'] })
  go.stdin.end(JSON.stringify(questions))
  const [said, why, code] = await Promise.all([
    text(go.stdout),
    text(go.stderr),
    new Promise((done, fail) => go.once('error', fail).once('close', done)),
  ])
  if (code !== 0) throw new Error(`go run: ${why}`)
  return JSON.parse(said) as string[]
}

/** The same, of one chain. */
export async function askOpenssl(folder: string, { roots, chain }: Question): Promise<string> {
  const [roofs, all] = [join(folder, 'roots.pem'), join(folder, 'chain.pem')]
  writeFileSync(roofs, roots)
  writeFileSync(all, chain)
  for (const purpose of ['sslserver', 'sslclient']) {
    const args = ['verify', '-x509_strict', '-purpose', purpose, '-CAfile', roofs]
    const said = await promisify(execFile)('openssl', [...args, '-untrusted', all, all]).then(
      () => '',
      ({ stderr }: { stderr: string }) => stderr,
    )
    if (said !== '') return said
  }
  return ''
}
