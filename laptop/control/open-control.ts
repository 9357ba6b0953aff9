// The control socket of a data directory. Whoever holds it runs the network, or changes its trust
// while it does not run; nobody else may at that time.
import { chmodSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { Refusal } from '../../core/errors.ts'
import { makePrivateFolder } from '../../store/files.ts'
import {
  formatControlLine,
  parseControlRequest,
  requestBytesMax,
  type ControlMessage,
  type ControlRequest,
} from './protocol.ts'

export interface Control extends AsyncDisposable {
  /** Until a handler is there every request is refused. */
  handle(handler: ControlHandler): void
}
export type ControlHandler = (
  request: ControlRequest,
  report: (line: string) => void,
) => Promise<object>

const requestMsMax = 5000
const connectionsMax = 8
// sun_path of unix(7) has 108 bytes, on macOS 104, the last one zero.
const pathBytesMax = 103

export function controlSocket(runDirectory: string): string {
  return join(runDirectory, 'control.sock')
}

/** Refuses while another process holds it; takes over what a killed one left. */
export async function openControl(runDirectory: string): Promise<Control> {
  const path = controlSocket(runDirectory)
  requireShort(path)
  makePrivateFolder(runDirectory)
  let handler: ControlHandler = refuseAll
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    void answer(socket, (request, report) => handler(request, report))
  })
  server.maxConnections = connectionsMax
  await listen(server, path)
  chmodSync(path, 0o600)
  return {
    handle: (given) => {
      handler = given
    },
    [Symbol.asyncDispose]: () => close(server, sockets),
  }
}

/** Whether somebody listens there. */
export async function isHeld(runDirectory: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(controlSocket(runDirectory), () => resolve(true))
  socket.once('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}

/** Refuses while a network runs from this directory, or a change of its trust is under way. */
export async function requireFree(runDirectory: string): Promise<void> {
  if (await isHeld(runDirectory)) throw alreadyRunning(runDirectory)
}

const alreadyRunning = (runDirectory: string) =>
  new Refusal('ERR_ALREADY_RUNNING', `already running from this data directory: ${runDirectory}`)

function requireShort(path: string): void {
  const bytes = Buffer.byteLength(path)
  if (bytes <= pathBytesMax) return
  const rule = `path of a socket is over ${pathBytesMax} bytes`
  throw new Refusal('ERR_CONTROL_PATH', `${rule}: ${bytes}: ${path}`)
}

async function listen(server: Server, path: string): Promise<void> {
  if (await tryListen(server, path)) return
  await requireFree(join(path, '..'))
  rmSync(path, { force: true })
  if (!(await tryListen(server, path))) throw alreadyRunning(join(path, '..'))
}

/** Whether the path was free. */
async function tryListen(server: Server, path: string): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  const fail = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'EADDRINUSE') resolve(false)
    else reject(new Refusal('ERR_STORE_UNWRITABLE', `cannot listen on ${path}: ${error.code}`))
  }
  server.once('error', fail)
  server.listen(path, () => resolve(true))
  return promise.finally(() => server.off('error', fail))
}

async function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  for (const socket of sockets) socket.destroy()
  await promise
}

/** A caller that goes away does not stop what it began. */
async function answer(socket: Socket, handler: ControlHandler): Promise<void> {
  socket.on('error', () => {})
  const send = (message: ControlMessage): void => {
    if (socket.writable) socket.write(formatControlLine(message))
  }
  try {
    const request = parseControlRequest(await readLine(socket))
    send({ result: await handler(request, (line) => send({ line })) })
  } catch (error) {
    send({ refusal: describe(error) })
  }
  socket.end()
}

/** Refuses more than a request can have, and one that does not come in time. */
async function readLine(socket: Socket): Promise<string> {
  const tooLate = setTimeout(() => socket.destroy(), requestMsMax)
  let text = ''
  try {
    for await (const chunk of socket.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      text += String(chunk)
      if (text.length > requestBytesMax) break
      if (text.includes('\n')) return text.slice(0, text.indexOf('\n'))
    }
  } finally {
    clearTimeout(tooLate)
  }
  throw new Refusal('ERR_CONTROL_ILLEGAL', `no control request: ${text.length} characters`)
}

function describe(error: unknown): { code: string; message: string } {
  const message = error instanceof Error ? error.message : String(error)
  return { code: error instanceof Refusal ? error.code : 'ERR_INTERNAL', message }
}

function refuseAll(): Promise<never> {
  throw new Refusal('ERR_BUSY', 'the network is being started or changed right now')
}
