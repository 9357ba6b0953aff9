import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import test from 'ava'
import { runScript } from '../run-script.ts'
import { temporaryFolder } from '../temporary-folder.ts'

for (const name of ['provision-credentials', 'renew-leafnode'])
  test(`${name} is one file that needs nothing but Node`, async (t) => {
    const out = join(temporaryFolder(t), `${name}.cjs`)
    const { code, stderr } = await runScript('bundle-function', ['--function', name, '--out', out])
    t.is(code, 0, stderr)
    const required = [...readFileSync(out, 'utf8').matchAll(/\brequire\(["']([^"']+)["']\)/g)]
    t.true(required.length > 5)
    t.deepEqual(
      required.map(([, name = '']) => name).filter((name) => !isBuiltin(name)),
      [],
    )
    const said = await new Promise<string>((resolve) => {
      execFile(process.execPath, [out], { env: {} }, (_error, _out, err) => resolve(err))
    })
    t.regex(said, new RegExp(`^${name}: ARCHIPELAGO_REGION is not set\n$`))
  })

test('an unknown function is refused', async (t) => {
  const { code, stderr } = await runScript('bundle-function', ['--function', 'x', '--out', 'y'])
  t.is(code, 1)
  t.regex(stderr, /Allowed choices are provision-credentials, make-region-keys, .+renew-leafnode/)
})
