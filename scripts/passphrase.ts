// A passphrase from a file or from the keyboard, never from an argument or the environment: those are
// seen by other processes and kept in histories.
import { Refusal } from '../core/errors.ts'
import { readOrRefuse } from '../store/files.ts'

const charactersMin = 12

export interface Terminal {
  readonly input: NodeJS.ReadStream
  readonly output: NodeJS.WritableStream
}
const ownTerminal: Terminal = { input: process.stdin, output: process.stderr }

/** With `isNew` it is asked for twice, and must not be short. */
export async function readPassphrase(
  file: string | undefined,
  { isNew, terminal = ownTerminal }: { isNew: boolean; terminal?: Terminal },
): Promise<string> {
  const passphrase =
    file === undefined
      ? await ask(terminal, 'passphrase: ')
      : readOrRefuse(file, 'passphrase').replace(/\r?\n$/, '')
  if (isNew && passphrase.length < charactersMin)
    throw new Refusal(
      'ERR_PASSPHRASE_MISSING',
      `passphrase has less than ${charactersMin} characters`,
    )
  if (isNew && file === undefined && passphrase !== (await ask(terminal, 'again: ')))
    throw new Refusal('ERR_PASSPHRASE_WRONG', 'the two passphrases differ')
  return passphrase
}

/** For a command that opens more than one key with it. */
export function once(read: () => Promise<string>): () => Promise<string> {
  let passphrase: Promise<string> | undefined
  return () => (passphrase ??= read())
}

/** Reads a line from the terminal without showing it. */
async function ask({ input, output }: Terminal, prompt: string): Promise<string> {
  if (!input.isTTY)
    throw new Refusal('ERR_PASSPHRASE_MISSING', 'no passphrase: there is no terminal to ask at')
  // First: who types as soon as he is asked is not shown what he types.
  input.setRawMode(true)
  output.write(prompt)
  try {
    return await readLine(input)
  } finally {
    input.setRawMode(false)
    input.pause()
    output.write('\n')
  }
}

async function readLine(input: NodeJS.ReadStream): Promise<string> {
  let typed = ''
  for await (const chunk of input.iterator({ destroyOnReturn: false })) {
    for (const key of String(chunk)) {
      if (keys.done.includes(key)) return typed
      if (keys.giveUp.includes(key)) throw new Refusal('ERR_PASSPHRASE_MISSING', 'given up')
      typed = keys.erase.includes(key) ? [...typed].slice(0, -1).join('') : typed + key
    }
  }
  return typed
}

/** What a terminal sends in raw mode: return, Ctrl-D; Ctrl-C; the two keys that erase. */
const keys = { done: '\r\n\u0004', giveUp: '\u0003', erase: '\u007f\b' }
