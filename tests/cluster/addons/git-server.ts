// A git server on the internet: HTTPS, and git's own backend behind it. Run in the namespace of whoever
// serves: node git-server.ts <address> <folder of bare repositories> <certificate> <key>
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'

const [address = '', base = '', certificate = '', key = ''] = process.argv.slice(2)

/** RFC 3875, as far as `git http-backend` asks. */
function variablesOf({ url = '', method = '', headers }: IncomingMessage): NodeJS.ProcessEnv {
  const [path = '', query = ''] = url.split('?')
  return {
    PATH: process.env['PATH'],
    GIT_PROJECT_ROOT: base,
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: path,
    QUERY_STRING: query,
    REQUEST_METHOD: method,
    CONTENT_TYPE: headers['content-type'] ?? '',
    HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
    HTTP_GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
    // Whoever serves is not whoever made the folder.
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'safe.directory',
    GIT_CONFIG_VALUE_0: '*',
  }
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const backend = spawn('git', ['http-backend'], {
    env: variablesOf(request),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  backend.stdin.on('error', () => {})
  request.pipe(backend.stdin)
  const chunks: Buffer[] = []
  for await (const chunk of backend.stdout) chunks.push(chunk as Buffer)
  const said = Buffer.concat(chunks)
  const end = said.indexOf('\r\n\r\n')
  for (const line of said.subarray(0, end).toString().split('\r\n')) {
    const [name = '', value = ''] = line.split(/: (.*)/)
    if (name === 'Status') response.statusCode = Number(value.slice(0, 3))
    else response.setHeader(name, value)
  }
  response.end(said.subarray(end + 4))
}

const server = createServer(
  { cert: readFileSync(certificate), key: readFileSync(key) },
  (request, response) => void answer(request, response).catch(() => response.destroy()),
)
await once(server.listen(443, address), 'listening')
