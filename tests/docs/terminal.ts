// A terminal in a clone of the project, as an operator has it: what a document says is typed there as it
// stands, and what is asked is answered.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { recordTyped } from '../ran.ts'
import { wordsOf } from './typed.ts'

export interface TerminalOptions {
  /** With archipelago.yaml; what it lacks of the project is linked into it. */
  readonly clone: string
  /** Made if it is not there. */
  readonly home: string
  readonly env?: NodeJS.ProcessEnv
  /** The words before a program's own that make it run somewhere else. */
  readonly prefix?: readonly string[]
  /** Typed where one is asked for. */
  readonly passphrase?: string
}

export interface Terminal {
  /** What was shown; throws when the line ends with another code than 0. */
  type(line: string, options?: { readonly deadlineMs?: number }): Promise<string>
  /** The same of a line that goes on until Ctrl-C. */
  begin(line: string, options?: { readonly deadlineMs?: number }): Begun
}

export interface Begun {
  shown(): string
  readonly ended: Promise<string>
  /** By Ctrl-C, if it goes on. */
  end(): Promise<string>
}

const project = fileURLToPath(new URL('../../', import.meta.url))
const notLinked = /^(\.|images$)/
const deadlineMsDefault = 60_000
const controlC = '\u0003'
// What npm makes of it, however its script ends.
const codeOfControlC = 130

export function openTerminal({ clone, passphrase = '', ...options }: TerminalOptions): Terminal {
  const { prefix = [] } = options
  const env = environmentOf(options)
  linkProject(clone)
  let assigned = ''
  const begin: Terminal['begin'] = (line, { deadlineMs = deadlineMsDefault } = {}) => {
    const [program = '', ...args] = [...prefix, ...inTerminal(`${assigned}${line}`)]
    if (/^\w+=\S+$/.test(line)) assigned += `${line}\n`
    const shell = spawn(program, args, { cwd: clone, env, timeout: deadlineMs })
    let shown = ''
    shell.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString().replaceAll('\r\n', '\n')
      if (/(passphrase|again): $/.test(shown)) shell.stdin.write(`${passphrase}\r`)
    })
    let expected = 0
    const ended = once(shell, 'close').then(([ended]: (number | null)[]) => {
      const code = ended === expected ? 0 : (ended ?? -1)
      recordTyped({ words: wordsOf(line), code, line })
      if (code === 0) return shown
      throw new Error(`${line}: ${shown.trim()} (exit ${code})`)
    })
    const end = () => {
      if (shell.exitCode === null) shell.stdin.write(controlC)
      expected = codeOfControlC
      return ended
    }
    return { shown: () => shown, ended, end }
  }
  return { begin, type: (line, timing) => begin(line, timing).ended }
}

function environmentOf({ home, env }: Pick<TerminalOptions, 'home' | 'env'>): NodeJS.ProcessEnv {
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const { XDG_DATA_HOME: _, ...inherited } = process.env
  // The tools that are built already.
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  const quiet = { npm_config_update_notifier: 'false', npm_config_progress: 'false' }
  return { ...inherited, ...quiet, HOME: home, XDG_CACHE_HOME: cache, ...env }
}

function linkProject(clone: string): void {
  const missing = readdirSync(project).filter(
    (name) => !notLinked.test(name) && !existsSync(join(clone, name)),
  )
  for (const name of missing) symlinkSync(join(project, name), join(clone, name))
  const exclude = join(clone, '.git/info/exclude')
  if (existsSync(exclude)) appendFileSync(exclude, missing.map((name) => `/${name}\n`).join(''))
}

/** Of util-linux and of the BSDs: the same program, and other words. */
const inTerminal = (script: string): string[] =>
  process.platform === 'linux'
    ? ['script', '--quiet', '--return', '--command', `bash -c ${quoted(script)}`, '/dev/null']
    : ['script', '-q', '/dev/null', 'bash', '-c', script]

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
