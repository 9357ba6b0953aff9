// The operator's own clone, the machine that it lies on, and what he does there.
import { appendFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseDocument } from 'yaml'
import { componentFile, renderComponent } from '../../../image/component.ts'
import type { WrittenImage } from '../../../image/write-archive.ts'
import type { Repository } from '../addons/repository.ts'
import { run } from '../lab/run.ts'
import type { Lab } from '../lab/lab.ts'

export interface Operator {
  readonly folder: string
  /** What of his trust everybody may have. */
  readonly public: string
  /** A command of the project, as he types it; what it printed. */
  script(name: string, ...args: string[]): Promise<string>
  git(...args: string[]): Promise<string>
  /** Changes archipelago.yaml, and renders what follows from it. */
  edit(change: (file: ReturnType<typeof parseDocument>) => void): Promise<void>
}

const project = fileURLToPath(new URL('../../../', import.meta.url))
const scriptMs = 120_000

/** Cloned, told of the lab's addresses and images, with roots and an operator's keys; not pushed yet. */
export async function openOperator(
  lab: Lab,
  repository: Repository,
  images: readonly WrittenImage[],
): Promise<Operator> {
  const operator = await cloneProject(lab)
  const { folder, script } = operator
  await operator.git('remote', 'set-url', 'origin', repository.folder)
  writeFileSync(join(folder, componentFile), renderComponent(images))
  await operator.edit((file) => {
    file.setIn(['gitops', 'repository'], repository.url)
    for (const { region, nodes } of lab.clusters)
      file.setIn(
        ['regions', region, 'nodes'],
        nodes.map(({ address }) => address),
      )
  })
  const passphrase = passphraseIn(lab)
  writeFileSync(passphrase, 'a passphrase of a lab that lasts minutes\n', { mode: 0o600 })
  await script('bootstrap-trust', '--home', 'operator')
  await script('make-root', '--passphrase-file', passphrase)
  return operator
}

async function cloneProject(lab: Lab): Promise<Operator> {
  const folder = join(lab.folder, 'operator', 'archipelago')
  const home = join(lab.folder, 'operator', 'home')
  mkdirSync(home, { recursive: true, mode: 0o700 })
  // What was built once on this machine is not built again for him.
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  const own = { HOME: home, XDG_DATA_HOME: join(home, 'data'), XDG_CACHE_HOME: cache }
  const env = { ...process.env, ...own }
  const git = (...args: string[]) => run('git', ['-C', folder, ...args], { env })
  await run('git', ['clone', '--quiet', project, folder])
  await git('checkout', '--quiet', '-B', 'main')
  await git('config', 'user.name', 'Operator')
  await git('config', 'user.email', 'operator@archipelago.example')
  symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'))
  // To git a link is no folder, which is what .gitignore names.
  appendFileSync(join(folder, '.git', 'info', 'exclude'), 'node_modules\n')
  const script = (name: string, ...args: string[]) =>
    run(process.execPath, [join(folder, 'scripts', `${name}.ts`), ...args], {
      cwd: folder,
      env,
      deadlineMs: scriptMs,
    })
  return {
    folder,
    public: join(home, 'data', 'archipelago', 'archipelago', 'public'),
    git,
    script,
    edit: async (change) => {
      const path = join(folder, 'archipelago.yaml')
      const file = parseDocument(readFileSync(path, 'utf8'))
      change(file)
      writeFileSync(path, file.toString({ lineWidth: 0 }))
      await script('render-manifests')
    },
  }
}

export const passphraseIn = (lab: Lab): string => join(lab.folder, 'passphrase')
