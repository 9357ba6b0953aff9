import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import test from 'ava'
import { readPassphrase, type Terminal } from '../../scripts/passphrase.ts'
import { temporaryFolder } from '../temporary-folder.ts'

/** A terminal at which these keys are pressed, each time when it asks. */
function terminalOf(...answers: string[]) {
  const raw: boolean[] = []
  let shown = ''
  const output = new PassThrough().on('data', (chunk: Buffer) => {
    shown += chunk.toString()
    if (!shown.endsWith(': ')) return
    // Who types this fast is not shown what he types.
    if (raw.at(-1) === true) input.write(answers.shift() ?? '\u0003')
    else input.destroy(new Error('asked before the terminal stopped showing what is typed'))
  })
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (isRaw: boolean) => raw.push(isRaw),
  })
  const terminal = { input, output } as unknown as Terminal
  return { terminal, raw, shown: () => shown }
}

const long = 'correct horse battery'

for (const [what, answers, passphrase] of [
  ['typed twice', [`${long}\r`, `${long}\r`], long],
  ['typed with a mistake that was erased', [`${long}x\u007f\r`, `${long}xy\b\b\r`], long],
  ['ended by Ctrl-D', [`${long}\u0004`, `${long}\n`], long],
  ['of other letters', ['größe 海 🦀 größe\u007fe\r', 'größe 海 🦀 größe\r'], 'größe 海 🦀 größe'],
] as const)
  test(`a passphrase ${what} is taken, and not shown`, async (t) => {
    const { terminal, raw, shown } = terminalOf(...answers)
    t.is(await readPassphrase(undefined, { isNew: true, terminal }), passphrase)
    t.is(shown(), 'passphrase: \nagain: \n')
    t.deepEqual(raw, [true, false, true, false])
  })

test('to open a backup it is asked for once, and may be short', async (t) => {
  const { terminal, shown } = terminalOf('short\r')
  t.is(await readPassphrase(undefined, { isNew: false, terminal }), 'short')
  t.is(shown(), 'passphrase: \n')
})

for (const [what, answers, code, message] of [
  [
    'two that differ',
    [`${long}\r`, `${long}!\r`],
    'ERR_PASSPHRASE_WRONG',
    'the two passphrases differ',
  ],
  ['a short one', ['a\r'], 'ERR_PASSPHRASE_MISSING', 'passphrase has less than 12 characters'],
  ['Ctrl-C', [`${long}\u0003`], 'ERR_PASSPHRASE_MISSING', 'given up'],
] as const)
  test(`${what} is refused, and the terminal is as it was`, async (t) => {
    const { terminal, raw } = terminalOf(...answers)
    await t.throwsAsync(readPassphrase(undefined, { isNew: true, terminal }), { code, message })
    t.false(raw.at(-1))
  })

test('a file has it on its one line', async (t) => {
  const file = join(temporaryFolder(t), 'passphrase')
  for (const end of ['', '\n', '\r\n']) {
    writeFileSync(file, `${long}${end}`)
    t.is(await readPassphrase(file, { isNew: true }), long)
  }
})
