import { readFileSync } from 'node:fs'
import test from 'ava'
import { parse } from 'yaml'
import { z } from 'zod'
import { renderJsonSchema } from '../../../core/archipelago/json-schema.ts'
import { runScript } from '../../run-script.ts'
import { edited, good } from './example.ts'

const path = new URL('../../../archipelago.schema.json', import.meta.url)
const written = JSON.parse(readFileSync(path, 'utf8')) as z.core.JSONSchema.JSONSchema

test('render-schema finds nothing to write', async (t) => {
  const { code, stderr } = await runScript('render-schema', ['--check'])
  t.is(code, 0, stderr)
})

test('archipelago.schema.json is what the parser checks by (else: npx node scripts/render-schema.ts)', (t) => {
  t.deepEqual<unknown, unknown>(written, JSON.parse(JSON.stringify(renderJsonSchema())))
})

const isAccepted = (text: string) => z.fromJSONSchema(written).safeParse(parse(text)).success

test('the JSON schema accepts the example', (t) => t.true(isAccepted(good)))

for (const [passage, by] of [
  ['network:', 'netwrk:'],
  ['doors: [lobby]', 'doors: [loby]'],
  ['client: 4222', 'client: 65536'],
  ['connectionLifetime: 30s', 'connectionLifetime: 30'],
  ['KUBECON:', 'kubecon:'],
  ['    account: KUBECON\n', ''],
  ['    doors: [lobby]', '    door: [lobby]'],
] as const) {
  test(`the JSON schema refuses '${by.trim()}' for '${passage.trim()}'`, (t) => {
    t.false(isAccepted(edited(passage, by)))
  })
}

test('everything in the JSON schema has words for an editor to show', (t) => {
  t.deepEqual(undescribed(written, []), [])
})

/** The keys of the file that have no description. */
function undescribed(schema: z.core.JSONSchema.JSONSchema, path: readonly string[]): string[] {
  const below = Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    const here = [...path, key]
    const child = property as z.core.JSONSchema.JSONSchema
    return [...(child.description ? [] : [here.join('.')]), ...undescribed(child, here)]
  })
  const named = schema.additionalProperties
  return typeof named === 'object' ? [...below, ...undescribed(named, [...path, '*'])] : below
}
