// A passphrase from a file or from the keyboard, never from an argument or the environment: those are
// seen by other processes and kept in histories.
import { Refusal } from '../core/errors.ts'
import { readOrRefuse } from '../store/files.ts'

const charactersMin = 12

/** With `isNew` it is asked for twice, and must not be short. */
export async function readPassphrase(
  file: string | undefined,
  { isNew }: { isNew: boolean },
): Promise<string> {
  const passphrase =
    file === undefined
      ? await ask('passphrase: ')
      : readOrRefuse(file, 'passphrase').replace(/\r?\n$/, '')
  if (isNew && passphrase.length < charactersMin)
    throw new Refusal(
      'ERR_PASSPHRASE_MISSING',
      `passphrase has less than ${charactersMin} characters`,
    )
  if (isNew && file === undefined && passphrase !== (await ask('again: ')))
    throw new Refusal('ERR_PASSPHRASE_WRONG', 'the two passphrases differ')
  return passphrase
}

/** Reads a line from the terminal without showing it. */
async function ask(prompt: string): Promise<string> {
  const { stdin, stderr } = process
  if (!stdin.isTTY)
    throw new Refusal('ERR_PASSPHRASE_MISSING', 'no passphrase: there is no terminal to ask at')
  stderr.write(prompt)
  stdin.setRawMode(true)
  let typed = ''
  try {
    for await (const chunk of stdin.iterator({ destroyOnReturn: false })) {
      for (const character of String(chunk)) {
        if (character === '\r' || character === '\n' || character === '\u0004') return typed
        if (character === '\u0003') throw new Refusal('ERR_PASSPHRASE_MISSING', 'given up')
        typed = character === '\u007f' ? typed.slice(0, -1) : typed + character
      }
    }
    return typed
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
}
