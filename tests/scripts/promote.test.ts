import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import {
  makeRepository,
  regionNames,
  type RegionName,
  type Repository,
} from '../gitops-repository.ts'
import type { Commit } from '../../gitops/revision.ts'
import { runScript } from '../run-script.ts'
import { until } from '../until.ts'

test('moves one region after the other, each by a commit of its own', async (t) => {
  const { repository, argocd, promote } = await start(t)
  const next = await repository.commit({ 'manifests/base/version': '2' }, 'base: change it')
  const { code, stdout } = await promote()
  t.is(code, 0)
  const short = next.slice(0, 10)
  t.deepEqual(
    stdout.trim().split('\n'),
    regionNames.map((region) => `✔ ${region} runs ${short}: Synced, Healthy`),
  )
  t.deepEqual((await repository.subjects()).slice(1), [
    `promote: move ams3 to ${short}`,
    `promote: move sfo2 to ${short}`,
    `promote: move sgp1 to ${short}`,
  ])
  t.deepEqual(argocd.seenTogether, [['ams3'], ['ams3', 'sfo2'], ['ams3', 'sfo2', 'sgp1']])
})

test('stops at a region that does not prove the commit, and goes on when it does', async (t) => {
  const { repository, argocd, promote } = await start(t)
  argocd.health.set('ams3', 'Progressing')
  const stopped = await promote('--timeout', '2s')
  t.is(stopped.code, 2)
  t.regex(stopped.stdout, /^✘ ams3 has not proven \w{10}: Synced, Progressing, sync Running/m)
  t.is(await repository.pinOf('sfo2'), undefined)
  argocd.health.set('ams3', 'Healthy')
  const again = await promote()
  t.is(again.code, 0, again.stderr)
  // What it committed itself is nothing to move to.
  t.is((await repository.subjects()).filter((line) => line.includes('ams3')).length, 1)
})

test('a failed sync stops it at once', async (t) => {
  const { argocd, promote } = await start(t)
  argocd.health.set('sfo2', 'Failed')
  const { code, stdout } = await promote()
  t.is(code, 2)
  t.regex(stdout, /^✔ ams3 .*\n✘ sfo2 has not proven \w{10}: prove-region failed$/m)
})

test('what regions share goes through the one before; its own overlay a region tries itself', async (t) => {
  const { repository, promote } = await start(t, true)
  const own = await repository.commit({ 'manifests/overlays/sfo2/version': '2' }, 'sfo2: change it')
  const moved = await promote('--region', 'sfo2')
  t.is(moved.code, 0, moved.stderr)
  t.deepEqual(
    [await repository.pinOf('sfo2'), await repository.pinOf('ams3')],
    [own, repository.first],
  )
  await repository.commit({ 'manifests/base/version': '2' }, 'base: change it')
  const refused = await promote('--region', 'sfo2')
  t.is(refused.code, 1)
  t.regex(
    refused.stderr,
    /sfo2 comes after ams3, which stands at \w{10}, and what they share differs\ndo: /,
  )
  t.is(await repository.pinOf('sfo2'), own)
})

test('a region does not move past one that is ill', async (t) => {
  const { repository, argocd, promote } = await start(t, true)
  argocd.health.set('ams3', 'Degraded')
  await until('ams3 is seen ill', () => argocd.saysOf('ams3') === 'Degraded')
  await repository.commit({ 'manifests/overlays/sfo2/version': '2' }, 'sfo2: change it')
  const { code, stderr } = await promote('--region', 'sfo2')
  t.is(code, 1)
  t.regex(stderr, /sfo2 comes after ams3, which has not proven \w{10}: Synced, Degraded/)
})

test('a lost region holds nobody up', async (t) => {
  const { repository, argocd, promote } = await start(t)
  argocd.health.set('sfo2', 'lost')
  const { code, stderr } = await promote('--without', 'sfo2')
  t.is(code, 0, stderr)
  t.is(await repository.pinOf('sfo2'), undefined)
  t.is(await repository.pinOf('sgp1'), repository.first)
})

test('goes back in one commit, and leaves trust and everything else as it is', async (t) => {
  const { repository, promote } = await start(t, true)
  await repository.commit({ 'manifests/base/version': '2' }, 'base: change it')
  t.is((await promote()).code, 0)
  await repository.commit({ 'manifests/trust/ams3/version': '2' }, 'trust: revoke somebody')
  const { code, stdout, stderr } = await promote('--rollback')
  t.is(code, 0, stderr)
  t.is(stdout.trim().split('\n').length, 3)
  for (const region of regionNames) t.is(await repository.pinOf(region), repository.first)
  await repository.git('fetch', '--quiet')
  const changed = await repository.git('diff', '--name-only', 'origin/main~1', 'origin/main')
  t.deepEqual(
    changed.split('\n'),
    regionNames.map((region) => `manifests/argocd/root/${region}/revision.yaml`),
  )
  t.is(await repository.git('show', 'origin/main:manifests/trust/ams3/version'), '2')
  const nowhere = await promote('--rollback')
  t.is(nowhere.code, 1)
  t.regex(nowhere.stderr, /no commit before this one is known of 'ams3'/)
})

test('only what was moved last goes back where it stopped halfway', async (t) => {
  const { repository, argocd, promote } = await start(t, true)
  await repository.commit({ 'manifests/base/version': '2' }, 'base: change it')
  argocd.health.set('ams3', 'Failed')
  t.is((await promote()).code, 2)
  argocd.health.set('ams3', 'Healthy')
  t.is((await promote('--rollback')).code, 0)
  t.regex((await repository.subjects()).at(-1) ?? '', /^promote: move ams3 back to /)
})

test('refuses what is no commit, no region or no context', async (t) => {
  const { promote } = await start(t)
  for (const [args, says] of [
    [['0123456789012345678901234567890123456789'], /no such commit: '0123456789/],
    [['--', '--all'], /no such commit: '--all'/],
    [['--region', 'ams'], /unknown region: 'ams'/],
    [['--context', 'ams3'], /not region=context/],
  ] as const) {
    const { code, stderr } = await promote(...args)
    t.is(code, 1)
    t.regex(stderr, says)
  }
})

test('refuses a commit that was not pushed, and one that is older', async (t) => {
  const { repository, promote } = await start(t)
  const newer = await repository.commit({ 'manifests/base/version': '2' }, 'base: change it')
  t.is((await promote(newer)).code, 0)
  const older = await promote(repository.first)
  t.is(older.code, 1)
  t.regex(
    older.stderr,
    /does not come after \w{10}, where ams3 stands\ndo: to go back, say --rollback/,
  )
  await repository.git('checkout', '--quiet', '-b', 'elsewhere')
  await repository.git('commit', '--quiet', '--allow-empty', '-m', 'not reviewed')
  const { code, stderr } = await promote('elsewhere')
  t.is(code, 1)
  t.regex(stderr, /not on the branch that the regions pull: 'elsewhere'/)
})

test('moves no region that it cannot ask', async (t) => {
  const repository = await makeRepository(t)
  const kubeconfig = join(repository.folder, 'kubeconfig')
  const promote = () =>
    runScript('promote', [], {
      cwd: repository.clone,
      env: { ...process.env, KUBECONFIG: kubeconfig },
    })
  t.regex((await promote()).stderr, /^promote: cannot read the kubeconfig: ENOENT$/m)
  await writeFile(kubeconfig, 'apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\n')
  const { code, stderr } = await promote()
  t.is(code, 1)
  t.regex(stderr, /^promote: no context 'ams3' in the kubeconfig\ndo: name it with --context/m)
  t.deepEqual(await repository.subjects(), [])
})

test('leaves the work tree alone, whatever was begun there', async (t) => {
  const { repository, promote } = await start(t)
  await writeFile(join(repository.clone, 'manifests/base/version'), 'begun')
  await repository.git('add', '--all')
  const before = await repository.git('status', '--porcelain')
  t.is((await promote()).code, 0)
  t.is(await repository.git('status', '--porcelain'), before)
})

test('begins anew when somebody else pushes meanwhile', async (t) => {
  const { repository, promote } = await start(t)
  // Runs just before a push, and is itself faster.
  const other = join(repository.folder, 'other')
  const hook = `#!/bin/sh
[ -e '${other}' ] && exit 0
unset GIT_DIR GIT_INDEX_FILE
git clone --quiet '${repository.remote}' '${other}' && cd '${other}' &&
git -c user.name=B -c user.email=b@b commit --quiet --allow-empty -m faster && git push --quiet
`
  await writeFile(join(repository.clone, '.git/hooks/pre-push'), hook, { mode: 0o755 })
  const { code, stderr } = await promote('--region', 'ams3')
  t.is(code, 0, stderr)
  t.deepEqual((await repository.subjects()).length, 2)
  t.is((await repository.subjects())[0], 'faster')
})

test('a dry run pushes nothing', async (t) => {
  const { repository, promote } = await start(t)
  const { code, stdout } = await promote('--dry-run', '--json')
  t.is(code, 0)
  const { regions } = JSON.parse(stdout) as { regions: { region: string; state: string }[] }
  t.deepEqual(
    regions.map(({ region, state }) => [region, state]),
    regionNames.map((region) => [region, 'would-move']),
  )
  t.deepEqual(await repository.subjects(), [])
})

type Health = 'Healthy' | 'Progressing' | 'Degraded' | 'Failed' | 'lost'

async function start(t: ExecutionContext, isPinned = false) {
  const repository = await makeRepository(t, isPinned)
  const status = join(repository.folder, 'status.json')
  const argocd = playArgocd(repository, status)
  t.teardown(() => argocd.end())
  await until('the first status', () => argocd.saysOf('ams3'))
  const promote = (...args: (string | undefined)[]) => {
    const given = args.filter((arg) => arg !== undefined)
    return runScript('promote', ['--status', status, '--timeout', '20s', ...given], {
      cwd: repository.clone,
    })
  }
  return { repository, argocd, promote }
}

/** Three Argo CDs that pull the repository, as far as a status tells of them. */
function playArgocd(repository: Repository, file: string) {
  const health = new Map<RegionName, Health>()
  const said = new Map<RegionName, Health>()
  const seenTogether: RegionName[][] = []
  let pins: (Commit | undefined)[] = []
  let isOver = false
  const pull = async () => {
    pins = await Promise.all(regionNames.map(repository.pinOf))
    const pinned = regionNames.filter((_, index) => pins[index] !== undefined)
    if (pinned.length > (seenTogether.at(-1)?.length ?? 0)) seenTogether.push(pinned)
  }
  const tell = async () => {
    const states = regionNames.map((region) => health.get(region) ?? 'Healthy')
    const status = regionNames.flatMap((region, index) => {
      const state = states[index] ?? 'lost'
      return state === 'lost' ? [] : [[region, application(state, pins[index])]]
    })
    await writeFile(`${file}.draft`, JSON.stringify(Object.fromEntries(status)))
    await rename(`${file}.draft`, file)
    for (const [index, region] of regionNames.entries()) said.set(region, states[index] ?? 'lost')
  }
  const looking = (async () => {
    for (let head = ''; !isOver; await delay(50)) {
      const now = await repository.head()
      if (now !== head) await pull()
      head = now
      await tell()
    }
  })()
  const end = async () => {
    isOver = true
    await looking
  }
  return { health, seenTogether, saysOf: (region: RegionName) => said.get(region), end }
}

function application(state: Health, pin: Commit | undefined) {
  const phase = { Healthy: 'Succeeded', Degraded: 'Succeeded', Progressing: 'Running' }[
    state as string
  ]
  return {
    spec: { source: { targetRevision: pin ?? 'main' } },
    status: {
      sync: { status: 'Synced', revision: pin },
      health: { status: state === 'Failed' ? 'Degraded' : state },
      operationState: {
        phase: phase ?? state,
        message: state === 'Failed' ? 'prove-region failed' : 'waiting for healthy state',
        syncResult: { revision: pin },
      },
    },
  }
}
