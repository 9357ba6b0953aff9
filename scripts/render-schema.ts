// Writes archipelago.schema.json, by which editors complete and check archipelago.yaml.
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Command } from '@commander-js/extra-typings'
import { format, resolveConfig } from 'prettier'
import { renderJsonSchema } from '../core/archipelago/json-schema.ts'

const path = fileURLToPath(new URL('../archipelago.schema.json', import.meta.url))

async function main(): Promise<void> {
  const { check } = new Command('render-schema')
    .description('Write archipelago.schema.json from the schema that the parser uses.')
    .option('--check', 'change nothing; fail when the file differs')
    .parse()
    .opts()
  const style = await resolveConfig(path)
  const rendered = await format(JSON.stringify(renderJsonSchema()), { ...style, filepath: path })
  if (!check) return await writeFile(path, rendered)
  const written = await readFile(path, 'utf8').catch(() => undefined)
  if (written === rendered) return
  const what = written === undefined ? 'is missing' : 'differs from what the parser accepts'
  throw new Error(`archipelago.schema.json ${what}\nrun: npx node scripts/render-schema.ts`)
}

main().catch((error: unknown) => {
  console.error(`render-schema: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})
