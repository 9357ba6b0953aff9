// The Go modules that a program is linked of, as it says itself.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { namesTerms, type Part, type Terms } from './part.ts'
import { runTool } from './run-tool.ts'

const module = /^\t(?:mod|dep)\t(\S+)\tv(\S+)/gm

// By a sentence that stands in no other.
const licences = new Map([
  ['Apache-2.0', /Apache License\s+Version 2\.0/],
  ['BSD-3-Clause', /Neither the name of/],
  ['MIT', /Permission is hereby granted, free of charge/],
])

export interface GoTool {
  readonly go: string
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
}

export async function goParts(program: string, { go, cwd, env }: GoTool): Promise<Part[]> {
  const said = await runTool([go, 'version', '-m', program], { cwd, env })
  const list = [go, 'list', '-mod=readonly', '-m', '-f={{.Path}}\t{{.Dir}}', 'all']
  const listed = await runTool(list, { cwd, env })
  const folders = new Map(listed.split('\n').map((line) => line.split('\t') as [string, string]))
  const parts = [...said.matchAll(module)].map(([, name = '', version = '']) =>
    readPart({ name, version }, folders.get(name)),
  )
  return [...parts, standardLibrary(said)]
}

function readPart(named: { name: string; version: string }, folder: string | undefined): Part {
  const { name, version } = named
  if (folder === undefined) throw new TypeError(`no folder of the module ${name}`)
  const files = readdirSync(folder).filter(namesTerms).toSorted()
  const terms = files.map((file) => ({ file, text: readFileSync(join(folder, file), 'utf8') }))
  return {
    ...named,
    purl: `pkg:golang/${name}@v${version}`,
    licence: licenceOf(name, terms),
    terms,
  }
}

function licenceOf(name: string, terms: readonly Terms[]): string {
  const found = [...licences].filter(([, sign]) => terms.some(({ text }) => sign.test(text)))
  if (found.length === 0) throw new TypeError(`no known licence in the module ${name}`)
  return found.map(([licence]) => licence).join(' AND ')
}

/** Under the same text as golang.org/x: not every machine's Go has its own copy of it. */
function standardLibrary(said: string): Part {
  const [, version = ''] = /: go(\d+\.\d+\.\d+)/.exec(said) ?? []
  const purl = `pkg:golang/stdlib@${version}`
  return { name: 'stdlib', version, purl, licence: 'BSD-3-Clause', terms: [] }
}
