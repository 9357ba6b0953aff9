// The images as pods run them: imported from their archives, named by digest, under restricted pod
// security, with nothing that they may write to.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { linesUnder } from '../../docs/command.ts'
import { recordTyped } from '../../ran.ts'
import type { WrittenImage } from '../../../image/write-archive.ts'
import { startLab, type Lab } from '../lab/lab.ts'
import { makeProjectImages } from '../project-images.ts'

const folder = mkdtempSync(join(tmpdir(), 'archipelago-images-'))
const namespace = 'images'
let lab: Lab
let images: WrittenImage[]

test.before('a cluster with the images', async (t) => {
  const report = (line: string): void => t.log(line)
  images = await makeProjectImages(join(folder, 'images'), report)
  lab = await startLab({ regions: ['ams3'], nodes: 1, images, report })
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  const metadata = { name: namespace, labels }
  await lab.cluster('ams3').apply([{ apiVersion: 'v1', kind: 'Namespace', metadata }])
})

test.after.always('what is left', async () => {
  rmSync(folder, { recursive: true })
  await lab.stop()
})

/** By digest: a tag is not enough. */
function podOf(name: string, image: string, args: readonly string[]): object {
  const found = images.find((each) => each.name === image)
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      // No user: the image's own is checked.
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      volumes: [{ name: 'run', emptyDir: {} }],
      hostAliases: [{ ip: '127.0.0.9', hostnames: ['gateway.ams3.example'] }],
      containers: [
        {
          name: 'it',
          image: `${found?.repository}@${found?.digest}`,
          imagePullPolicy: 'IfNotPresent',
          args,
          volumeMounts: [{ name: 'run', mountPath: '/run/nats' }],
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        },
      ],
    },
  }
}

const kubectl = (...args: string[]) =>
  lab.cluster('ams3').kubectl(['--namespace', namespace, ...args], { deadlineMs: 70_000 })

async function logOf(pod: object & { metadata?: { name: string } }, phase: string) {
  await lab.cluster('ams3').apply([pod])
  const name = (pod as { metadata: { name: string } }).metadata.name
  await kubectl('wait', `pod/${name}`, `--for=jsonpath={.status.phase}=${phase}`, '--timeout=60s')
  return kubectl('logs', name)
}

test('an archive is brought to a node as the document says', async (t) => {
  const { nodes, runIn } = lab.cluster('ams3')
  const [node = { name: '' }] = nodes
  for (const line of linesUnder('docs/operations.md', 'Images').filter(isOfNode)) {
    t.regex(await runIn(node.name, 'bash', ['-c', `cd ${folder} && ${line}`]), /functions/)
    recordTyped({ words: line.split(' '), code: 0, line })
  }
})

const isOfNode = (line: string): boolean => line.startsWith('ctr ')

test('nats-server runs, tells its version, and goes into lame duck mode when it is told to', async (t) => {
  const server = ['--pid', '/run/nats/nats.pid', '--addr', '127.0.0.1']
  await logOf(podOf('server', 'nats-server', server), 'Running')
  t.is(await kubectl('exec', 'server', '--', 'nats-server', '--version'), 'nats-server: v2.15.2\n')
  await kubectl('exec', 'server', '--', 'nats-server', '-sl=ldm=/run/nats/nats.pid')
  const ended = '--for=jsonpath={.status.phase}=Succeeded'
  await kubectl('wait', 'pod/server', ended, '--timeout=60s')
  t.regex(await kubectl('logs', 'server'), /Entering lame duck mode, stop accepting new clients/)
})

test('a deleted nats-server goes into lame duck mode by itself', async (t) => {
  await logOf(podOf('deleted', 'nats-server', ['--addr', '127.0.0.1']), 'Running')
  const follow = kubectl('logs', '--follow', 'deleted')
  await kubectl('delete', 'pod', 'deleted', '--wait=false')
  t.regex(await follow, /Entering lame duck mode/)
})

test('a function runs: on that Node, as nobody, and finds names in the hosts file first', async (t) => {
  t.regex(
    await logOf(podOf('function', 'functions', ['/app/provision-credentials.cjs']), 'Failed'),
    /^provision-credentials: ARCHIPELAGO_REGION is not set\n$/,
  )
  const script = `
    const [user, group] = [process.getuid(), process.getgid()]
    const write = (path) => { try { require('fs').writeFileSync(path, ''); return 'written' } catch (e) { return e.code } }
    require('dns').lookup('gateway.ams3.example', (error, address) =>
      console.log(process.version, user, group, address, write('/app/x'), write('/x')))`
  t.is(
    await logOf(podOf('node', 'functions', ['-e', script]), 'Succeeded'),
    'v24.20.0 65532 65532 127.0.0.9 EROFS EROFS\n',
  )
})

for (const image of ['nats-server', 'functions'])
  test(`there is no shell in ${image}`, async (t) => {
    const args =
      image === 'functions' ? ['-e', 'setTimeout(() => {}, 60_000)'] : ['--addr=127.0.0.1']
    await logOf(podOf(`no-shell-${image}`, image, args), 'Running')
    for (const shell of ['sh', '/bin/sh', '/bin/bash', 'busybox'])
      await t.throwsAsync(kubectl('exec', `no-shell-${image}`, '--', shell, '-c', 'true'), {
        message: /no such file or directory|executable file not found/,
      })
  })
