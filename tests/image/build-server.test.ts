// Stand-ins for Go, which tell what they were asked; what the real one makes is in tests/cluster.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { buildServer } from '../../image/build-server.ts'
import { openWorkshop } from '../../image/workshop.ts'
import { readPin } from '../../laptop/tools/pin.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const platform = { os: 'linux', architecture: 'amd64' } as const
const pin = readPin('nats-server')

/** A machine whose Go has settings that would change what it builds. */
function foreignMachine(t: ExecutionContext, { verify = 'true', env = '' } = {}) {
  const root = temporaryFolder(t)
  const module = join(root, 'module')
  mkdirSync(module)
  writeFileSync(join(module, 'LICENSE'), 'Apache License\n Version 2.0')
  const log = join(root, 'log')
  const script = `#!/bin/sh
    echo "$* $GOTOOLCHAIN $GOOS/$GOARCH/$GOAMD64 cgo=$CGO_ENABLED [$GOFLAGS$GOEXPERIMENT$GODEBUG] $GOENV $GOPROXY" >> '${log}'
    case "$1 $2" in
      'env -json') ${env} echo '{"GOPROXY":"https://modules.example","GOCACHE":"${root}/compiled"}' ;;
      'mod verify') ${verify} ;;
      'version -m') printf '%s: go1.26.8\\n\\tmod\\ta.example/server\\tv1.2.3\\th1:x\\n' "$3" ;;
      'list '*) printf 'a.example/server\\t${module}\\n' ;;
      'build '*) while [ "$1" != -o ]; do shift; done; echo program > "$2"; chmod +x "$2" ;;
    esac`
  writeFileSync(join(root, 'go'), script, { mode: 0o755 })
  const environment = {
    PATH: `${root}:/usr/bin:/bin`,
    XDG_CACHE_HOME: join(root, 'cache'),
    GOFLAGS: '-tags=other',
    GOAMD64: 'v3',
    GOEXPERIMENT: 'arenas',
    GODEBUG: 'x=1',
    GOTOOLCHAIN: 'local',
    CGO_ENABLED: '1',
    GOOS: 'plan9',
    GOPROXY: 'https://other.example',
    GOENV: join(root, 'env'),
  }
  return {
    workshop: openWorkshop({ environment, report: () => {} }),
    said: () => readFileSync(log, 'utf8').trim().split('\n'),
  }
}

test('what a machine sets of Go decides where sources come from, and nothing of what is built', async (t) => {
  const machine = foreignMachine(t)
  const { program, parts } = await buildServer(platform, machine.workshop)
  t.is(readFileSync(program, 'utf8'), 'program\n')
  t.deepEqual(
    parts.map(({ purl, licence }) => [purl, licence]),
    [
      ['pkg:golang/a.example/server@v1.2.3', 'Apache-2.0'],
      ['pkg:golang/stdlib@1.26.8', 'BSD-3-Clause'],
    ],
  )
  const built = machine.said().find((line) => line.startsWith('build '))
  t.regex(built ?? '', / go1\.\d+\.\d+ linux\/amd64\/v1 cgo=0 \[\] off https:\/\/modules\.example$/)
})

test('it is built once', async (t) => {
  const machine = foreignMachine(t)
  const first = await buildServer(platform, machine.workshop)
  const count = machine.said().length
  t.deepEqual(await buildServer(platform, machine.workshop), first)
  t.is(machine.said().length, count)
})

test('sources that were changed after they were fetched are not built', async (t) => {
  const verify = 'echo "a.example/server v1.2.3: dir has been modified" >&2; exit 1'
  const machine = foreignMachine(t, { verify })
  await t.throwsAsync(buildServer(platform, machine.workshop), {
    code: 'ERR_IMAGE_SOURCE',
    message:
      'Go does not vouch for the sources: a.example/server v1.2.3: dir has been modified\n' +
      'run go clean -modcache, then this again',
  })
  t.false(machine.said().some((line) => line.startsWith('build ')))
})

test('a Go that cannot become the one of the image is refused', async (t) => {
  const env = 'echo "go: download go1.26.8: no such host" >&2; exit 1;'
  const machine = foreignMachine(t, { env })
  await t.throwsAsync(buildServer(platform, machine.workshop), {
    code: 'ERR_TOOL_UNBUILT',
    message:
      /^Go does not run as go1\.\d+\.\d+: go: download go1.26.8: no such host\ninstall that Go, or/,
  })
})

test('without Go there is a line that says so', async (t) => {
  const environment = { PATH: '', XDG_CACHE_HOME: temporaryFolder(t) }
  await t.throwsAsync(buildServer(platform, openWorkshop({ environment, report: () => {} })), {
    code: 'ERR_TOOL_MISSING',
    message: `missing tool: go\ninstall Go ${pin.go} or later`,
  })
})
