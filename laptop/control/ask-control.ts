import { connect, type Socket } from 'node:net'
import { Refusal, type RefusalCode } from '../../core/errors.ts'
import { controlSocket } from './open-control.ts'
import { formatControlLine, type ControlMessage, type ControlRequest } from './protocol.ts'

/**
 * Asks the network that runs from this directory; undefined where none does. Refuses with its
 * refusal, and when it ends before it has answered.
 */
export async function askControl<T>(
  runDirectory: string,
  request: ControlRequest,
  report: (line: string) => void,
): Promise<T | undefined> {
  const socket = await dial(controlSocket(runDirectory))
  if (socket === undefined) return undefined
  socket.write(formatControlLine(request))
  try {
    for await (const message of readMessages(socket)) {
      if ('line' in message) report(message.line)
      else if ('result' in message) return message.result as T
      else throw refusalOf(message.refusal)
    }
  } finally {
    socket.destroy()
  }
  throw new Refusal('ERR_CONTROL_LOST', 'the network ended before it answered')
}

function dial(path: string): Promise<Socket | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket | undefined>()
  const socket = connect(path, () => resolve(socket))
  socket.once('error', (error: NodeJS.ErrnoException) => {
    const isNobody = error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
    if (isNobody) resolve(undefined)
    else reject(new Refusal('ERR_CONNECT', `cannot ask ${path}: ${error.code}`, { cause: error }))
  })
  return promise
}

async function* readMessages(socket: Socket): AsyncGenerator<ControlMessage> {
  let text = ''
  for await (const chunk of socket.setEncoding('utf8')) {
    const lines = `${text}${String(chunk)}`.split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) yield JSON.parse(line) as ControlMessage
  }
}

/** The other side is the same program: its codes are ours. */
function refusalOf({ code, message }: { code: string; message: string }): Refusal {
  return new Refusal(code as RefusalCode, message)
}
