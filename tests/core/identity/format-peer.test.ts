import test from 'ava'
import { formatExitCodes, parseFailUnder } from '../../../core/identity/format-peer.ts'
import { formatLeft, showCertificate } from '../../../core/identity/shown-certificate.ts'
import { commonName, forgeRoot, nowMs } from './forge.ts'

test('limits of life are told by rank', (t) => {
  t.deepEqual(parseFailUnder('leaf=15m,intermediate=30d,root=1y'), {
    leaf: 900,
    intermediate: 30 * 86_400,
    root: 365 * 86_400,
  })
})

for (const [text, code, message] of [
  ['', 'ERR_OPTION_ILLEGAL', /is like leaf=15m,root=1y: ''/],
  ['leaf', 'ERR_OPTION_ILLEGAL', /is like leaf=15m,root=1y: 'leaf'/],
  ['leaf=15', 'ERR_DURATION_ILLEGAL', /illegal duration: '15'/],
  ['leaf=0y', 'ERR_DURATION_ILLEGAL', /illegal duration: '0d'/],
  ['stem=15m', 'ERR_OPTION_ILLEGAL', /'stem=15m'/],
  ['leaf=1m=2m', 'ERR_OPTION_ILLEGAL', /'leaf=1m=2m'/],
  ['leaf=1m,leaf=2m', 'ERR_OPTION_ILLEGAL', /'leaf twice'/],
] as const)
  test(`refused as limits: ${text}`, (t) => {
    t.throws(() => parseFailUnder(text), { code, message })
  })

for (const [seconds, text] of [
  [0, '0 s'],
  [59, '59 s'],
  [60, '1 m'],
  [3599, '59 m'],
  [3600, '1 h 0 m'],
  [86_399, '23 h 59 m'],
  [86_400, '1 d 0 h'],
  [90 * 86_400 - 1, '89 d 23 h'],
  [-61, '-1 m'],
] as const)
  test(`${seconds} seconds are ${text}`, (t) => {
    t.is(formatLeft(seconds), text)
  })

test('the exit codes are a table in which each stands once, in order', (t) => {
  const lines = formatExitCodes()
  const codes = lines.map((line) => Number.parseInt(line))
  t.deepEqual(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  t.regex(lines[4] as string, /^ 4 {2}the certificate breaks the rules of SPIFFE$/)
})

test('a name cannot write to the terminal of whoever looks at it', (t) => {
  const { der } = forgeRoot({ subject: commonName('\u009b2J\u202egnp.\u001b[31m\nroot') })
  const { subject, issuer } = showCertificate(der, { isLeaf: true, isShown: true, nowMs })
  t.is(subject, String.raw`CN=\u{9b}2J\u{202e}gnp.\1B[31m\0Aroot`)
  t.is(issuer, subject)
})
