// A rollback of manifests that would take the trust back with it.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { trustGate } from '../../gitops/committed-trust.ts'
import { archipelago } from '../core/trust/example.ts'
import { good } from '../core/archipelago/example.ts'
import { runScript } from '../run-script.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const path = 'manifests/trust/ams3/trust.yaml'

/** A clone with a committed trust, and the trust of another operator beside it. */
async function makeClone(t: ExecutionContext) {
  const folder = temporaryFolder(t)
  const clone = join(folder, 'clone')
  mkdirSync(clone)
  const git = (...args: string[]) => execFileSync('git', ['-C', clone, ...args])
  git('init', '--quiet')
  git('config', 'user.name', 'operator')
  git('config', 'user.email', 'operator@archipelago.example')
  writeFileSync(join(clone, 'archipelago.yaml'), good)
  const publish = async (data: string, manifests: string) => {
    const place = ['--data-dir', join(folder, data)]
    const steps = [
      ['bootstrap-trust', '--home', 'operator'],
      ['publish-trust', '--manifests', manifests],
    ] as const
    for (const [script, ...args] of steps) {
      const { code, stderr } = await runScript(script, [...args, ...place], { cwd: clone })
      t.is(code, 0, stderr)
    }
  }
  const foreign = join(folder, 'foreign')
  await Promise.all([publish('own', join(clone, 'manifests')), publish('other', foreign)])
  git('add', '--all')
  git('commit', '--quiet', '--message=trust')
  const change = (edit: (text: string) => string) =>
    writeFileSync(join(clone, path), edit(readFileSync(join(clone, path), 'utf8')))
  const faults = async (revision = 'HEAD') => (await trustGate(clone, archipelago, revision)).faults
  return { clone, foreign, change, faults }
}

test('trust that goes back, is lost or becomes that of another operator is a fault', async (t) => {
  const { clone, foreign, change, faults } = await makeClone(t)
  t.deepEqual(await faults(), [])
  change((text) => text.replace(/^ {2}accounts\.LOBBY\.jwt: .*\n(?: {4}.*\n)*/m, ''))
  t.deepEqual(await faults(), [`${path}: account LOBBY would be lost`])
  change((text) => text.replace(/^data:[^]*$/m, 'data: {}\n'))
  t.regex(
    (await faults()).join(),
    /^manifests.*: the trust of operator O[A-Z2-7]{55} would be lost$/,
  )
  cpSync(join(foreign, 'trust'), join(clone, 'manifests/trust'), { recursive: true })
  t.regex((await faults()).join(), /: trust of operator O[A-Z2-7]{55}, not O[A-Z2-7]{55}/)
})

test('where there is nothing to compare with, the gate says that it did not run', async (t) => {
  const gate = await trustGate(temporaryFolder(t), archipelago, 'main')
  t.like(gate, { isRun: false, note: 'no such revision here: main', faults: [] })
})
