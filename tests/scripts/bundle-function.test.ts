import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { runScript } from '../run-script.ts'
import { temporaryFolder } from '../temporary-folder.ts'

for (const name of ['provision-credentials', 'renew-leafnode'])
  test(`${name} is one file that needs nothing but Node`, async (t) => {
    const out = join(temporaryFolder(t), `${name}.mjs`)
    const { code, stderr } = await runScript('bundle-function', ['--function', name, '--out', out])
    t.is(code, 0, stderr)
    const imported = [...readFileSync(out, 'utf8').matchAll(/^import .* from ["']([^"']+)["'];$/gm)]
    t.deepEqual(
      imported.map(([, from]) => from).filter((from) => !isNodes(from ?? '')),
      [],
    )
    const said = await new Promise<string>((resolve) => {
      execFile(process.execPath, [out], { env: {} }, (_error, _out, err) => resolve(err))
    })
    t.regex(said, new RegExp(`^${name}: ARCHIPELAGO_REGION is not set\n$`))
  })

function isNodes(name: string): boolean {
  return name.startsWith('node:') || ['crypto', 'dns', 'fs', 'net', 'tls', 'util'].includes(name)
}

test('an unknown function is refused', async (t) => {
  const { code, stderr } = await runScript('bundle-function', ['--function', 'x', '--out', 'y'])
  t.is(code, 1)
  t.regex(stderr, /Allowed choices are provision-credentials, renew-leafnode/)
})
