// docs/operations.md, typed line by line in a clone of its own. What asks a cluster is typed in tests/cluster.
import { execFileSync } from 'node:child_process'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { regionPublic } from '../store/region-public.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { readCommands } from './command.ts'
import { openTerminal } from './terminal.ts'
import { isElsewhere, suiteOf } from './typed.ts'

const passphrase = 'correct horse battery'
const root = join(import.meta.dirname, '../..')

/** What each line shows, in an order in which they make sense together. */
const shows: Readonly<Record<string, RegExp>> = {
  'npx node scripts/render-manifests.ts --dry-run': /^\d+ files, 0 to change$/m,
  'npx node scripts/render-manifests.ts': /^\d+ files, 0 to change$/m,
  'npx node scripts/validate-manifests.ts': /^✔ rules of our own +\d+ rules on \d+ objects$/m,
  'npx node scripts/diff-regions.ts': /^ams3 and sgp1: the same but for their names$/m,
  'npx node scripts/bootstrap-trust.ts --home operator': /^operator {2}O[A-Z2-7]{55} /m,
  'npx node scripts/make-root.ts': /^again: $(?:\s.*)*public root made: sha256 [0-9a-f]{64}, /m,
  'npx node scripts/adopt-region.ts ams3 --file region-public.yaml': /^committed: [0-9a-f]{40}$/m,
  'npx node scripts/publish-trust.ts': /^nothing to write$/m,
  'git push': /-> main$/m,
}

test('every line that asks no cluster does what the document says', async (t) => {
  const { clone, type, git } = openClone(t)
  writeFileSync(join(clone, 'region-public.yaml'), regionPublic('ams3'))
  const commands = readCommands('docs/operations.md').filter(
    (command) => command.isLine && suiteOf(command) === 'npm test' && !isElsewhere(command),
  )
  const lines = new Set(commands.map(({ text }) => text))
  t.deepEqual([...lines].toSorted(), Object.keys(shows).toSorted())
  for (const [line, pattern] of Object.entries(shows)) {
    const shown = await type(line)
    t.regex(shown, pattern, line)
    t.false(shown.includes(passphrase))
  }
  t.is(git('--git-dir', '../remote.git', 'log', '--format=%s', '-1'), 'trust: adopt ams3')
  t.is(git('status', '--porcelain'), '?? region-public.yaml')
})

/** A clone of a repository that has the manifests of this one. */
function openClone(t: ExecutionContext) {
  const folder = temporaryFolder(t)
  const clone = join(folder, 'clone')
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: clone, encoding: 'utf8' }).trim()
  const bare = ['init', '--quiet', '--bare', '--initial-branch=main', join(folder, 'remote.git')]
  execFileSync('git', bare)
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', clone])
  git('config', 'user.name', 'Operator')
  git('config', 'user.email', 'operator@archipelago.example')
  git('remote', 'add', 'origin', '../remote.git')
  for (const path of ['manifests', 'archipelago.yaml'])
    cpSync(join(root, path), join(clone, path), { recursive: true })
  const home = join(folder, 'home')
  const { type } = openTerminal({ clone, home, passphrase })
  git('add', '--all')
  git('commit', '--quiet', '--message=begin')
  git('push', '--quiet', '--set-upstream', 'origin', 'main')
  return { type, clone, git }
}
