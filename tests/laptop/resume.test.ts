import test from 'ava'
import { startSupercluster } from '../../laptop/supercluster.ts'
import { makeBareNetwork } from './bare-network.ts'

test('an apply that failed in the middle is finished by the next one', async (t) => {
  await using network = await makeBareNetwork({ servers: 1 })
  const { options } = network
  await using supercluster = await startSupercluster(options)
  const archipelago = { ...options.archipelago, server: { connectionsMax: 500 } }
  const source = { ...options, archipelago }
  const behind = () =>
    supercluster
      .preview(source)
      .filter(({ effect }) => effect !== 'none')
      .map(({ name }) => name)
  supercluster.signal('sfo2-0', 'SIGSTOP')
  await t.throwsAsync(
    supercluster.apply(source, () => {}),
    { code: 'ERR_RELOAD_FAILED', message: /^sfo2-0 / },
  )
  supercluster.signal('sfo2-0', 'SIGCONT')
  t.deepEqual(behind(), ['sfo2-0', 'sgp1-0'])
  const lines: string[] = []
  await supercluster.apply(source, (line) => lines.push(line))
  t.deepEqual(lines, ['reload sfo2-0', 'reload sgp1-0'])
  t.deepEqual(behind(), [])
})
