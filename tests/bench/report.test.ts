import test from 'ava'
import { formatMeasured, summarize, type Measured } from '../../bench/report.ts'

const row = { name: 'row', what: 'what it is', measure: () => Promise.resolve([]) }
const measured: Measured = {
  row,
  load: 0.5,
  figures: [
    { what: 'fast', unit: '/s', samples: [1_000, 1_200, 1_400], target: { atLeast: 1_100 } },
    { what: 'slow', unit: 'ms', samples: [3], target: { atMost: 2 } },
  ],
}

test('says what was measured, how far it spread, and whether that is enough', (t) => {
  t.deepEqual(formatMeasured(measured).split('\n'), [
    'row: what it is (load 0.5)',
    '  fast  1,200 /s  1,100–1,300    n 3  ✓ ≥ 1,100',
    '  slow      3 ms  3–3            n 1  ✗ ≤ 2',
  ])
})

test('says why nothing was measured', (t) => {
  const failed = { row, load: 0, figures: [], failure: 'no server' }
  t.is(formatMeasured(failed), 'row: what it is (load 0.0)\n  failed: no server')
})

test('a program gets medians, quartiles and the targets', (t) => {
  const [fast] = summarize(measured).figures
  t.like(fast, { median: 1_200, p25: 1_100, p75: 1_300, n: 3, isMet: true })
})

test('the last hundredth is told where there are hundreds', (t) => {
  const samples = Array.from({ length: 201 }, (_, at) => at)
  const { figures } = summarize({ ...measured, figures: [{ what: 'x', unit: 'ms', samples }] })
  t.is(figures[0]?.p99, 198)
  t.is(summarize(measured).figures[1]?.p99, undefined)
})
