// What the image is built from, as far as it can be seen without a container.
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { serverFlags } from '../image/build-server.ts'
import { bundleFunction, programEntry, programNames } from '../laptop/bundle.ts'
import { run } from './run-script.ts'
import { temporaryFolder } from './temporary-folder.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8').replaceAll('\\\n', ' ')
const sent = readFileSync(join(root, '.dockerignore'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))

test('nothing is sent to the build but what is named, and all of that is there', (t) => {
  const [first, ...named] = sent
  t.is(first, '*')
  const missing = named.filter(
    (line) => !line.startsWith('!') || !existsSync(join(root, line.slice(1))),
  )
  t.deepEqual(missing, [])
})

test('every path that is copied is sent', (t) => {
  const paths = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, from = '']) =>
    from.split(' '),
  )
  t.true(paths.length > 1)
  t.deepEqual(
    paths.filter((path) => path !== '.' && !sent.includes(`!${path}`)),
    [],
  )
})

test('what is sent is enough to bundle every program, and in another folder it comes out the same', async (t) => {
  const folder = temporaryFolder(t)
  for (const line of sent.slice(1))
    cpSync(join(root, line.slice(1)), join(folder, line.slice(1)), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const [, script = '', args = ''] = /node (scripts\/\S+) ([^&\n]+)/.exec(dockerfile) ?? []
  const given = args.trim().replace('/out', `${folder}/out`).split(/ +/)
  const { code, stderr } = await run(process.execPath, [join(folder, script), ...given], {
    cwd: join(folder, 'core'),
  })
  t.is(code, 0, stderr)
  const files = programNames.map((name) => `${name}.cjs`)
  t.deepEqual(readdirSync(join(folder, 'out')).toSorted(), files.toSorted())
  for (const name of programNames) {
    const here = join(folder, 'here.cjs')
    await bundleFunction(here, programEntry(name))
    const there = join(folder, 'out', `${name}.cjs`)
    t.true(readFileSync(there).equals(readFileSync(here)), name)
  }
})

test('nats-server is built as it is without Docker', (t) => {
  const [, command = ''] = / go build (.+) -o /.exec(dockerfile) ?? []
  t.is(command.replaceAll("'", '').replaceAll(/ +/g, ' '), serverFlags.join(' '))
})

test('no image is named by a tag alone, and no frontend is fetched', (t) => {
  const images = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image)
  t.deepEqual(images, ['${GO}', 'scratch', '${BUILD}', '${BASE}'])
  t.notRegex(dockerfile, /^# *syntax *=/m)
  t.notRegex(dockerfile, /^ARG \w+=(?!scratch$)/m)
})
