// A repository as a region pulls it: manifests/argocd as it is, with a small workload where its overlay is.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseDocument } from 'yaml'
import { readArchipelago } from '../../store/archipelago.ts'
import type { Repository } from './addons/repository.ts'
import type { Lab } from './lab/lab.ts'
import { labImages } from './lab/lab-images.ts'
import { run } from './lab/run.ts'
import { named } from './objects.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const overlay = 'manifests/overlays/ams3'

export interface PulledRegion {
  readonly tree: string
  /** Commits, pushes, and says which commit it is; a file of no text is removed. */
  push(files: Readonly<Record<string, string | object>>): Promise<string>
}

export async function makePulledRegion(
  lab: Lab,
  { folder, url }: Repository,
): Promise<PulledRegion> {
  const tree = join(lab.folder, 'pulled')
  cpSync(join(root, 'manifests/argocd'), join(tree, 'manifests/argocd'), { recursive: true })
  const { repository } = readArchipelago(join(root, 'archipelago.yaml')).gitops
  writeFileSync(join(tree, 'archipelago.yaml'), withOneRegion())
  for (const entry of readdirSync(tree, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.yaml')) continue
    const file = join(entry.parentPath, entry.name)
    writeFileSync(
      file,
      readFileSync(file, 'utf8')
        .replaceAll(`URL: ${repository}`, `URL: ${url}`)
        .replaceAll(`- ${repository}`, `- ${url}`),
    )
  }
  const git = (...args: string[]) => run('git', ['-C', tree, ...args])
  await git('init', '--quiet', '--initial-branch=main')
  await git('config', 'user.name', 'lab')
  await git('config', 'user.email', 'lab@example.com')
  await git('remote', 'add', 'origin', folder)
  const push = async (files: Readonly<Record<string, string | object>>): Promise<string> => {
    await git('pull', '--quiet', '--rebase', 'origin', 'main').catch(() => '')
    for (const [path, content] of Object.entries(files)) write(join(tree, path), content)
    await git('add', '--all')
    await git('commit', '--quiet', '--message=change')
    await git('push', '--quiet', 'origin', 'main')
    return (await git('rev-parse', 'HEAD')).trim()
  }
  await push({
    'manifests/guards/ams3/kustomization.yaml': 'resources: []\n',
    [`${overlay}/kustomization.yaml`]: 'namespace: nats\nresources: [text.yaml, prove.yaml]\n',
    [`${overlay}/text.yaml`]: text('one'),
    [`${overlay}/prove.yaml`]: prove(true),
    'manifests/trust/ams3/kustomization.yaml': 'namespace: nats\nresources: [trust.yaml]\n',
    'manifests/trust/ams3/trust.yaml': {
      ...named('v1', 'ConfigMap', 'trust'),
      data: { text: '1' },
    },
  })
  return { tree, push }
}

/** A network of the one region that there is. */
function withOneRegion(): string {
  const file = parseDocument(readFileSync(join(root, 'archipelago.yaml'), 'utf8'))
  for (const name of ['sfo2', 'sgp1']) file.deleteIn(['regions', name])
  return file.toString({ lineWidth: 0 })
}

function write(file: string, content: string | object): void {
  if (content === '') return rmSync(file, { force: true })
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
}

export const text = (text: string) => ({ ...named('v1', 'ConfigMap', 'text'), data: { text } })

/** As the job that proves a region: it succeeds, or it never comes to an end. */
export function prove(succeeds: boolean) {
  const command = ['/bin/busybox', ...(succeeds ? ['ls'] : ['sleep', '3600'])]
  const container = {
    name: 'prove',
    image: labImages.busybox,
    imagePullPolicy: 'Never',
    command,
  }
  return {
    ...named('batch/v1', 'Job', 'prove-region'),
    metadata: {
      name: 'prove-region',
      annotations: {
        'argocd.argoproj.io/hook': 'PostSync',
        'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
      },
    },
    spec: {
      template: {
        spec: {
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: 0,
          containers: [container],
        },
      },
    },
  }
}
